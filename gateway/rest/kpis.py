"""/api/analytics/kpis: key figures over metrics and windows, shipped ones and one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quart import Response

from actors.kpi_keeper import KPI
from analytics.kpi import KpiError, calls
from analytics.kpi_catalogue import Kpi, make_kpi, metric_of
from analytics.kpi_functions import FUNCTIONS
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

MAX_KPIS: Final = 100
PATH: Final = "/api/analytics/kpis"


async def list_kpis(backend: Backend) -> Response:
    documents = {each.id: each for each in await read(backend, lambda connection: all_documents(connection, KPI))}
    try:
        kpis = await backend.control.kpis.kpis()
    except ArchiveError as error:
        raise Problem(503, f"KPIs can't be read now: {error.reason}", headers={"Retry-After": "5"}) from error
    shown = [_shown(backend, each, documents.get(each.id)) for each in kpis]
    return json_response({"total": len(shown), "kpis": shown, "persisted": backend.control.store.persisted})


async def get_kpi(backend: Backend, kpi_id: str) -> Response:
    found = await read(backend, lambda connection: document(connection, KPI, kpi_id))
    if found is None:
        shipped = backend.control.kpis.shipped(kpi_id)
        if shipped is None:
            raise Problem(404, "There is no such KPI")
        return json_response(_shown(backend, shipped, None))
    return respond(found, _shown(backend, _made(backend, kpi_id, found.body), found))


async def create_kpi(backend: Backend) -> Response:
    asked = await read_model(schemas.kpis.KpiCreateRequest)
    return await _put(backend, asked.id, asked.body(), create=True)


async def put_kpi(backend: Backend, kpi_id: str) -> Response:
    asked = await read_model(schemas.kpis.KpiRequest)
    return await _put(backend, kpi_id, asked.model_dump(), create=False)


async def delete_kpi(backend: Backend, kpi_id: str) -> Response:
    rests_on = expected(required=False)
    await write(backend, lambda connection: delete_document(connection, KPI, kpi_id, expected=rests_on))
    await backend.control.kpis.work_out()
    shipped = backend.control.kpis.shipped(kpi_id) is not None
    message = "The shipped KPI stands in its place again" if shipped else "The KPI is deleted"
    return json_response({"success": True, "message": message, "persisted": backend.control.store.persisted})


async def check_kpi(backend: Backend) -> Response:
    asked = await read_model(schemas.kpis.KpiCheckRequest)
    kpi = _made(backend, "check", {"name": "check", **asked.model_dump()})
    names = await backend.history.names()
    value = await backend.control.kpis.value(kpi, names)
    metrics = {call.metric: metric_of(call, names, backend.catalogue) for call in calls(kpi.node)}
    return json_response(
        {
            "unit": kpi.unit,
            "value": number(value),
            "metrics": list(dict.fromkeys(each for each in metrics.values() if each)),
            "missing": [said for said, each in metrics.items() if each not in names],
        }
    )


async def _put(backend: Backend, kpi_id: str, body: dict[str, Any], *, create: bool) -> Response:
    kpi = _made(backend, kpi_id, body)
    known = await read(backend, lambda connection: document(connection, KPI, kpi_id))
    if create and known is not None:
        raise Problem(409, f"There is a KPI {kpi_id} already: PUT changes it")
    rests_on = "absent" if create else expected(required=known is not None)
    now_ms = backend.wall_ms()
    stored = await write(
        backend,
        lambda connection: put_document(
            connection, KPI, kpi_id, body, expected=rests_on, now_ms=now_ms, limit=MAX_KPIS
        ),
    )
    await backend.control.kpis.work_out()
    return respond(stored, _shown(backend, kpi, stored), 201 if known is None else 200, f"{PATH}/{kpi_id}")


def _made(backend: Backend, kpi_id: str, body: Mapping[str, Any]) -> Kpi:
    try:
        return make_kpi(kpi_id, body, backend.catalogue)
    except KpiError as error:
        message = str(error)
        member = message.partition(":")[0]
        pointer = f"/{member}" if member in ("id", "unit") else "/expression"
        detail = message if member in ("id", "unit") else f"expression: {message}"
        raise Problem(422, detail, errors=[{"pointer": pointer, "message": message}]) from error


def _shown(backend: Backend, kpi: Kpi, found: Document | None) -> dict[str, Any]:
    known = backend.control.kpis.values.get(kpi.id)
    value = None if known is None else number(known.value)
    return {
        "id": kpi.id,
        "name": kpi.name,
        "expression": kpi.expression,
        "unit": kpi.unit,
        "target_low": kpi.target_low,
        "target_high": kpi.target_high,
        "description": kpi.description,
        "metric": kpi.metric,
        "shipped": kpi.shipped,
        "value": value,
        "computed_at": None if known is None else known.at_ms / 1000,
        "target_met": kpi.meets_target(value),
        "etag": None if found is None else etag(found),
        "persisted": backend.control.store.persisted,
    }


BODY_EXAMPLE: Final = {
    "name": "Charge used overnight",
    "expression": 'first("role:battery_soc", "night") - last("role:battery_soc", "night")',
    "unit": "%",
    "target_high": 30.0,
}
EXAMPLE: Final[dict[str, Any]] = {
    "id": "soc_overnight_drop",
    **BODY_EXAMPLE,
    "target_low": None,
    "description": None,
    "metric": "kpi.soc_overnight_drop",
    "shipped": False,
    "value": 21.5,
    "computed_at": 1760000000.0,
    "target_met": True,
    "etag": '"1760000000000"',
    "persisted": True,
}
LANGUAGE: Final = f"""An expression holds numbers, + - * /, and calls of a function on a metric (its name in
quotation marks, or `role:` and a role of the catalogue) and a window: {", ".join(FUNCTIONS)}.
Windows: `30m`, `24h`, `7d` up to `31d`, `today`, `yesterday`, `night` (the last whole one, 22:00 to 6:00 where the
coach is). time_above and its like take (metric, limit, window) and give hours, share_above percent. integral is over
hours (A gives Ah). A value holds until the next sample, an hour at most. Units are checked; what can't be known is
null. Worked out every five minutes."""
_PATH: Final = {"kpi_id": "Id of the KPI"}
_ERRORS: Final = {404: "There is no such KPI", 422: "expression: V + °C: the units differ"}

ROUTES: Final = (
    Route(
        method="GET",
        path=PATH,
        handler=list_kpis,
        summary="KPIs and their values",
        description=LANGUAGE,
        tag="KPIs",
        answers=lambda: {
            200: Answer(
                "Shipped ones first",
                schemas.kpis.KpisResponse,
                example={"total": 1, "kpis": [EXAMPLE], "persisted": True},
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
    Route(
        method="POST",
        path=PATH,
        handler=create_kpi,
        summary="Define a KPI",
        description="Under the id of a shipped one it stands in its place. " + LANGUAGE,
        tag="KPIs",
        bodies=lambda: (schemas.kpis.KpiCreateRequest,),
        body_examples={"overnight": {"id": "soc_overnight_drop", **BODY_EXAMPLE}},
        answers=lambda: {
            201: Answer(
                "It is defined", schemas.kpis.KpiResponse, example=EXAMPLE, headers={**ETAG, "Location": "Where it is"}
            ),
            **problems(400, 404, 408, 409, 413, 415, 422, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="POST",
        path=f"{PATH}/check",
        handler=check_kpi,
        summary="Try an expression",
        description="Works it out once and stores nothing.",
        tag="KPIs",
        scope="read",
        bodies=lambda: (schemas.kpis.KpiCheckRequest,),
        body_examples={"average": {"expression": 'avg("battery.house.voltage", "1h")'}},
        answers=lambda: {
            200: Answer(
                "Its value now",
                schemas.kpis.KpiCheckResponse,
                example={"unit": "V", "value": 13.1, "metrics": ["battery.house.voltage"], "missing": []},
            ),
            **problems(400, 404, 408, 413, 415, 422, 500, details=_ERRORS),
        },
        gated=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/<kpi_id>",
        handler=get_kpi,
        summary="One KPI",
        description="With the ETag that a change must name, unless it is a shipped one.",
        tag="KPIs",
        path_parameters=_PATH,
        answers=lambda: {
            200: Answer("The KPI", schemas.kpis.KpiResponse, example=EXAMPLE, headers=ETAG),
            **problems(404, 422, 500, 503, details=_ERRORS),
        },
        gated=True,
    ),
    Route(
        method="PUT",
        path=f"{PATH}/<kpi_id>",
        handler=put_kpi,
        summary="Change a KPI, or define it",
        description="One's own needs If-Match; a shipped one is replaced without.",
        tag="KPIs",
        bodies=lambda: (schemas.kpis.KpiRequest,),
        body_examples={"overnight": BODY_EXAMPLE},
        path_parameters=_PATH,
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer("It is changed", schemas.kpis.KpiResponse, example=EXAMPLE, headers=ETAG),
            201: Answer("It is defined", schemas.kpis.KpiResponse, example=EXAMPLE, headers=ETAG),
            **problems(400, 404, 408, 409, 412, 413, 415, 422, 428, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="DELETE",
        path=f"{PATH}/<kpi_id>",
        handler=delete_kpi,
        summary="Delete a KPI of one's own",
        description="A shipped one stands in its place again, if any. Without If-Match whatever is there goes.",
        tag="KPIs",
        path_parameters=_PATH,
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer(
                "It is deleted",
                schemas.thresholds.DeletedResponse,
                example={"success": True, "message": "The KPI is deleted", "persisted": True},
            ),
            **problems(404, 412, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
)
