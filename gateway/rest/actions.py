"""/api/analytics/actions: doing what an insight advises, through CoachIQ's core, at most once."""

from __future__ import annotations

import re
from typing import Any, Final

from quart import Response, request

from actors.action_dispatcher import RefusedError
from actors.frames import action_frame
from analytics.action_state import Action, WrongTurnError
from storage.archive import ArchiveError
from storage.control_actions import (
    EntityBusyError,
    KeyUsedError,
    find_by_key,
    get_action,
    journal,
    latest_actions,
    verify,
)

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model, read_nothing
from ..documents import read
from ..problems import Problem
from ..routes import Route, json_response
from ..user import user
from .recommendations import LIFE, PATH, recommended

LATEST: Final = 100
JOURNAL: Final = 200
_KEY: Final = re.compile(r"[!-~]{8,200}")


async def start_action(backend: Backend) -> Response:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise Problem(400, "Send an Idempotency-Key of 8 to 200 printable characters, a new one for each press")
    asked, owner = await read_model(schemas.actions.ActionRequest), user()
    known = await read(backend, lambda connection: find_by_key(connection, owner, key))
    if known is not None:
        return _replayed(backend, known, asked)
    chosen = next(
        (each for each in await recommended(backend) if each.recommendation_id == asked.recommendation_id), None
    )
    if chosen is None:
        raise Problem(
            404, "There is no such recommendation: its insight is over, it is so already, or its entity is not there"
        )
    try:
        action = await backend.control.actions.propose(chosen, owner=owner, key=key, confirmed=asked.confirm)
    except KeyUsedError as error:
        return _replayed(backend, error.action, asked)
    except EntityBusyError as error:
        raise Problem(
            409, f"Another action on {error.action.entity_name} is not over yet", action_id=error.action.action_id
        ) from error
    except RefusedError as error:
        raise Problem(429, f"Not now: {error}", headers={"Retry-After": "60"}) from error
    except ArchiveError as error:
        raise _trouble(error) from error
    return json_response(_shown(backend, action), 202)


async def confirm_action(backend: Backend, action_id: str) -> Response:
    await read_nothing()
    await _find(backend, action_id)
    try:
        action = await backend.control.actions.confirm(action_id)
    except (WrongTurnError, RefusedError) as error:
        refused = error
    except ArchiveError as error:
        raise _trouble(error) from error
    else:
        return json_response(_shown(backend, action), 202)
    if (await _find(backend, action_id)).phase == "cancelled":
        raise Problem(409, "It was taken back: propose it anew") from refused
    raise Problem(409, f"It can't be confirmed: {refused}") from refused


async def undo_action(backend: Backend, action_id: str) -> Response:
    await read_nothing()
    await _find(backend, action_id)
    try:
        action = await backend.control.actions.undo(action_id)
    except WrongTurnError as error:
        refused = error
    except ArchiveError as error:
        raise _trouble(error) from error
    else:
        return json_response(_shown(backend, action))
    if (await _find(backend, action_id)).phase == "cancelled":
        raise Problem(409, "It was taken back already") from refused
    raise Problem(409, f"It is too late to take it back: {refused}") from refused


async def get_one_action(backend: Backend, action_id: str) -> Response:
    return json_response(_shown(backend, await _find(backend, action_id)))


async def list_actions(backend: Backend) -> Response:
    found = await read(backend, lambda connection: latest_actions(connection, LATEST))
    return json_response(
        {
            "total": len(found),
            "actions": [_shown(backend, each) for each in found],
            "persisted": backend.control.store.persisted,
        }
    )


async def audit_actions(backend: Backend) -> Response:
    verdict = await read(backend, verify)
    entries = await read(backend, lambda connection: journal(connection, JOURNAL))
    return json_response(
        {
            "verified": verdict.broken_at is None,
            "entries": verdict.entries,
            "broken_at": verdict.broken_at,
            "reason": verdict.reason,
            "last_hash": verdict.last_hash,
            "journal": [
                {
                    "seq": each.seq,
                    "action_id": each.action_id,
                    "state": each.phase,
                    "at": each.at_ms / 1000,
                    "body": dict(each.body),
                    "hash": each.hash,
                }
                for each in entries
            ],
            "persisted": backend.control.store.persisted,
        }
    )


async def _find(backend: Backend, action_id: str) -> Action:
    found = await read(backend, lambda connection: get_action(connection, action_id))
    if found is None:
        raise Problem(404, "There is no such action")
    return found


def _replayed(backend: Backend, known: Action, asked: schemas.actions.ActionRequest) -> Response:
    if known.recommendation_id != asked.recommendation_id:
        message = "was used for another recommendation"
        raise Problem(
            422, f"This Idempotency-Key {message}", errors=[{"parameter": "Idempotency-Key", "message": message}]
        )
    return json_response(_shown(backend, known))


def _shown(backend: Backend, action: Action) -> dict[str, Any]:
    return {**action_frame(action), "persisted": backend.control.store.persisted}


def _trouble(error: ArchiveError) -> Problem:
    return Problem(
        503, f"Nothing was sent: the journal can't be written ({error.reason})", headers={"Retry-After": "5"}
    )


EXAMPLE: Final[dict[str, Any]] = {
    "action_id": "0123456789abcdef",
    "recommendation_id": "a1b2c3.0.pump_fresh_water",
    "insight_id": "a1b2c3",
    "metric": "tank.fresh.level",
    "template": "switch_off",
    "entity_id": "pump_fresh_water",
    "entity_name": "Fresh water pump",
    "risk": "amber",
    "state": "proposed",
    "created_at": 1760000000.0,
    "changed_at": 1760000000.0,
    "expires_at": 1760000030.0,
    "undo_until": None,
    "by": "local",
    "needs_confirmation": True,
    "consequence": "Fresh water pump is switched off, wherever it is needed just now. "
    "Make sure that nobody depends on it.",
    "reason": None,
    "effect_seen": None,
    "effect": None,
    "helped": None,
    "persisted": True,
}
_PATH: Final = {"action_id": "Id of the action"}
_ERRORS: Final = {404: "There is no such action", 409: "Another action on Fresh water pump is not over yet"}
_TAG: Final = "Actions"

ROUTES: Final = (
    Route(
        method="POST",
        path=PATH,
        handler=start_action,
        summary="Do what is recommended",
        description="The same Idempotency-Key again answers with the action it began, and does nothing. " + LIFE,
        tag=_TAG,
        bodies=lambda: (schemas.actions.ActionRequest,),
        body_examples={"press": {"recommendation_id": EXAMPLE["recommendation_id"]}},
        headers={"Idempotency-Key": "8 to 200 printable characters; a new one for each press. Required"},
        answers=lambda: {
            200: Answer("The action this key began before", schemas.actions.ActionResponse, example=EXAMPLE),
            202: Answer("It is proposed, or confirmed", schemas.actions.ActionResponse, example=EXAMPLE),
            **problems(400, 404, 408, 409, 413, 415, 422, 429, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="GET",
        path=PATH,
        handler=list_actions,
        summary="The latest actions",
        description=f"At most {LATEST}, newest first.",
        tag=_TAG,
        answers=lambda: {
            200: Answer(
                "The actions",
                schemas.actions.ActionsResponse,
                example={"total": 1, "actions": [EXAMPLE], "persisted": True},
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/audit",
        handler=audit_actions,
        summary="The journal, verified",
        description="Every entry holds the hash of the one before. The command `audit verify` does so to the file.",
        tag=_TAG,
        answers=lambda: {
            200: Answer(
                "The journal",
                schemas.actions.AuditResponse,
                example={
                    "verified": True,
                    "entries": 0,
                    "broken_at": None,
                    "reason": None,
                    "last_hash": "0" * 64,
                    "journal": [],
                    "persisted": True,
                },
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/<action_id>",
        handler=get_one_action,
        summary="One action",
        description="How it stands now.",
        tag=_TAG,
        path_parameters=_PATH,
        answers=lambda: {
            200: Answer("The action", schemas.actions.ActionResponse, example=EXAMPLE),
            **problems(404, 500, 503, details=_ERRORS),
        },
        gated=True,
    ),
    Route(
        method="POST",
        path=f"{PATH}/<action_id>/confirm",
        handler=confirm_action,
        summary="Confirm an amber action",
        description="Within its time to live.",
        tag=_TAG,
        path_parameters=_PATH,
        answers=lambda: {
            202: Answer("It is confirmed", schemas.actions.ActionResponse, example={**EXAMPLE, "state": "confirmed"}),
            **problems(400, 404, 408, 409, 413, 415, 422, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="POST",
        path=f"{PATH}/<action_id>/undo",
        handler=undo_action,
        summary="Take an action back before it is sent",
        description="409 once it is being sent.",
        tag=_TAG,
        path_parameters=_PATH,
        answers=lambda: {
            200: Answer(
                "It will not be sent", schemas.actions.ActionResponse, example={**EXAMPLE, "state": "cancelled"}
            ),
            **problems(400, 404, 408, 409, 413, 415, 422, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
)
