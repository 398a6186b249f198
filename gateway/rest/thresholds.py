"""/api/analytics/thresholds: what people want to be warned of, and GET /api/analytics/alerts: what fires."""

from __future__ import annotations

import secrets
from typing import Any, Final

from quart import Response

from actors.steward import THRESHOLD
from storage.archive import ArchiveError
from storage.control_documents import Document, all_documents, delete_document, document, put_document

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..documents import ETAG, IF_MATCH, etag, expected, read, respond, write
from ..problems import Problem
from ..rounding import number
from ..routes import Route, json_response

MAX_THRESHOLDS: Final = 2_000
PATH: Final = "/api/analytics/thresholds"


async def list_thresholds(backend: Backend) -> Response:
    found = await read(backend, lambda connection: all_documents(connection, THRESHOLD))
    persisted = backend.control.store.persisted
    return json_response(
        {"total": len(found), "thresholds": [_shown(backend, each) for each in found], "persisted": persisted}
    )


async def get_threshold(backend: Backend, threshold_id: str) -> Response:
    found = await read(backend, lambda connection: document(connection, THRESHOLD, threshold_id))
    if found is None:
        raise Problem(404, "There is no such threshold")
    return respond(found, _shown(backend, found))


async def create_threshold(backend: Backend) -> Response:
    asked = await read_model(schemas.thresholds.ThresholdRequest)
    stored = await _put(backend, secrets.token_hex(6), asked, create=True)
    return respond(stored, _shown(backend, stored), 201, f"{PATH}/{stored.id}")


async def replace_threshold(backend: Backend, threshold_id: str) -> Response:
    asked = await read_model(schemas.thresholds.ThresholdRequest)
    stored = await _put(backend, threshold_id, asked, create=False)
    return respond(stored, _shown(backend, stored))


async def delete_threshold(backend: Backend, threshold_id: str) -> Response:
    rests_on = expected(required=False)
    await write(backend, lambda connection: delete_document(connection, THRESHOLD, threshold_id, expected=rests_on))
    await _reload(backend)
    return json_response(
        {"success": True, "message": "The threshold is deleted", "persisted": backend.control.store.persisted}
    )


def list_alerts(backend: Backend) -> Response:
    alerts = backend.control.alarms.active()
    return json_response({"total": len(alerts), "alerts": alerts, "persisted": backend.control.store.persisted})


async def _put(
    backend: Backend, threshold_id: str, asked: schemas.thresholds.ThresholdRequest, *, create: bool
) -> Document:
    rests_on = "absent" if create else expected(required=True)
    now_ms = backend.wall_ms()
    body = asked.document()
    known = None if create else await read(backend, lambda connection: document(connection, THRESHOLD, threshold_id))
    if known is None and not create and rests_on != "absent":
        raise Problem(404, "There is no such threshold: POST makes a new one")
    kept = None if known is None else known.body["role"]  # one that the catalogue has lost meanwhile stays
    if asked.role not in (None, kept) and asked.role not in (roles := backend.catalogue.roles):
        message = f"{asked.role} is no role of the metric catalogue, which knows {', '.join(roles) or 'none'}"
        raise Problem(422, f"role: {message}", errors=[{"pointer": "/role", "message": message}])
    stored = await write(
        backend,
        lambda connection: put_document(
            connection, THRESHOLD, threshold_id, body, expected=rests_on, now_ms=now_ms, limit=MAX_THRESHOLDS
        ),
    )
    await _reload(backend)
    return stored


async def _reload(backend: Backend) -> None:
    try:
        await backend.control.steward.reload()
    except ArchiveError as error:
        raise Problem(503, f"It is stored, but can't be read back now: {error.reason}") from error


def _shown(backend: Backend, found: Document) -> dict[str, Any]:
    body = dict(found.body)
    condition = body["condition"]
    return {
        "id": found.id,
        **body,
        "value": {"above": body["high"], "below": body["low"]}.get(condition),
        "etag": etag(found),
        "created_at": found.created_ms / 1000,
        "updated_at": found.updated_ms / 1000,
        "persisted": backend.control.store.persisted,
        "states": [
            {
                "metric": metric,
                "state": state.phase,
                "since": state.since_ms / 1000,
                "side": state.side,
                "value": number(state.value),
                "peak": number(state.peak),
                "flaps": state.flaps,
            }
            for metric, state in sorted(backend.control.alarms.states_of(found.id).items())
        ],
    }


BODY_EXAMPLE: Final = {
    "name": "Refrigerator too warm",
    "metric": "fridge.temperature",
    "condition": "above",
    "value": 8.0,
    "hysteresis": 1.0,
    "min_duration_s": 600.0,
    "severity": "high",
}
EXAMPLE: Final[dict[str, Any]] = {
    "id": "5f1c0a9be4d2",
    "name": "Refrigerator too warm",
    "metric": "fridge.temperature",
    "role": None,
    "condition": "above",
    "value": 8.0,
    "low": None,
    "high": 8.0,
    "hysteresis": 1.0,
    "min_duration_s": 600.0,
    "recover_after_s": 600.0,
    "missing": "keep",
    "missing_after_s": 300.0,
    "severity": "high",
    "category": "reliability",
    "enabled": True,
    "etag": '"1760000000000"',
    "created_at": 1760000000.0,
    "updated_at": 1760000000.0,
    "persisted": True,
    "states": [],
}
ALERT_EXAMPLE: Final = {
    "type": "threshold",
    "alert_id": "0123456789abcdef",
    "threshold_id": "5f1c0a9be4d2",
    "name": "Refrigerator too warm",
    "metric": "fridge.temperature",
    "state": "firing",
    "severity": "high",
    "message": "Refrigerator temperature is above 8.0 °C: 9.4 °C",
    "recommendation": None,
    "value": 9.4,
    "limit": 8.0,
    "side": "above",
    "peak": 9.6,
    "since": 1760000600.0,
    "fired_at": 1760000600.0,
    "flaps": 0,
}
RULES: Final = f"""A limit is crossed by a value beyond it. The alert goes from `ok` to `pending` (beyond, but not
for `min_duration_s` yet), `firing` (people are told; `alert` on the WebSocket in the same tick), `recovering` (back
inside by `hysteresis`, but not for `recover_after_s` yet) and `ok` again (told as well). A value that flaps around its
limit is told once: an alert ends when the value was back for `recover_after_s` (10 minutes unless set) without a break.
Where a shorter time is set, an alert that comes back within 15 minutes of its end is held for 15 minutes from then on.
`missing`: what it means when no sample comes for `missing_after_s`: `keep` the state, `alert`, or `resolve`
the alert. States survive a restart (while persistence is on) and a clock that is set. At most {MAX_THRESHOLDS}
thresholds."""
_ID: Final = {"threshold_id": "Id of the threshold"}
_ERRORS: Final = {404: "There is no such threshold", 422: "metric: exactly one of metric and role must be given"}

ROUTES: Final = (
    Route(
        method="GET",
        path=PATH,
        handler=list_thresholds,
        summary="Thresholds",
        description=RULES,
        tag="Thresholds and alerts",
        answers=lambda: {
            200: Answer(
                "In order of creation",
                schemas.thresholds.ThresholdsResponse,
                example={"total": 1, "thresholds": [EXAMPLE], "persisted": True},
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
    Route(
        method="POST",
        path=PATH,
        handler=create_threshold,
        summary="Set a threshold",
        description="Evaluated at once against the value that stands, and then with every sample. " + RULES,
        tag="Thresholds and alerts",
        bodies=lambda: (schemas.thresholds.ThresholdRequest,),
        body_examples={"above": BODY_EXAMPLE},
        answers=lambda: {
            201: Answer(
                "It is set",
                schemas.thresholds.ThresholdResponse,
                example=EXAMPLE,
                headers={**ETAG, "Location": "Where it can be read"},
            ),
            **problems(400, 404, 408, 409, 413, 415, 422, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/<threshold_id>",
        handler=get_threshold,
        summary="One threshold and its states",
        description="With the ETag that a change must name.",
        tag="Thresholds and alerts",
        path_parameters=_ID,
        answers=lambda: {
            200: Answer("The threshold", schemas.thresholds.ThresholdResponse, example=EXAMPLE, headers=ETAG),
            **problems(404, 500, 503, details=_ERRORS),
        },
        gated=True,
    ),
    Route(
        method="PUT",
        path=f"{PATH}/<threshold_id>",
        handler=replace_threshold,
        summary="Change a threshold",
        description="The whole threshold anew. A changed threshold starts from `ok`; its alert, if it fires, ends.",
        tag="Thresholds and alerts",
        bodies=lambda: (schemas.thresholds.ThresholdRequest,),
        body_examples={"above": BODY_EXAMPLE},
        path_parameters=_ID,
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer("It is changed", schemas.thresholds.ThresholdResponse, example=EXAMPLE, headers=ETAG),
            **problems(400, 404, 408, 409, 412, 413, 415, 422, 428, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="DELETE",
        path=f"{PATH}/<threshold_id>",
        handler=delete_threshold,
        summary="Delete a threshold",
        description="Its alert, if it fires, ends. Without If-Match whatever is there is deleted.",
        tag="Thresholds and alerts",
        path_parameters=_ID,
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer(
                "It is deleted",
                schemas.thresholds.DeletedResponse,
                example={"success": True, "message": "The threshold is deleted", "persisted": True},
            ),
            **problems(404, 412, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="GET",
        path="/api/analytics/alerts",
        handler=list_alerts,
        summary="Alerts that fire",
        description="Of thresholds: firing, or recovering. The same frames travel as `alert` on the WebSocket.",
        tag="Thresholds and alerts",
        answers=lambda: {
            200: Answer(
                "The alerts",
                schemas.thresholds.AlertsResponse,
                example={"total": 1, "alerts": [ALERT_EXAMPLE], "persisted": True},
            ),
            **problems(404, 500),
        },
        gated=True,
    ),
)
