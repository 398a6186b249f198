"""POST /api/analytics/insights/{id}/acknowledge, snooze, dismiss, undo, not_useful, and PATCH of its status."""

from __future__ import annotations

from typing import Final

from quart import Response, request

from actors.frames import marked_frame
from analytics.lifecycle import NothingToUndoError, Verb
from analytics.records import Insight
from storage.control_marks import save_mark

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..documents import write
from ..problems import Problem
from ..routes import Handler, Route, json_response
from ..user import user
from .insights import EXAMPLE

PATH: Final = "/api/analytics/insights/<insight_id>"
SWEEP: Final = "generate"  # under the same address as the insights, and none of them
SNOOZE_S: Final = 3600.0
_VERBS: Final[dict[str, Verb]] = {
    "new": "renew",
    "acknowledged": "acknowledge",
    "snoozed": "snooze",
    "dismissed": "dismiss",
}
_DONE: Final[dict[Verb, str]] = {
    "acknowledge": "Seen: nobody is told of it again",
    "snooze": "Put off",
    "dismiss": "Out of the way until it comes again",
    "undo": "Taken back",
    "renew": "Taken back: it is as if nothing had been said",
    "not_useful": "Out of the way; what this rule finds at this metric ranks lower from now on",
}


async def get_insight(backend: Backend, insight_id: str) -> Response:
    if insight_id == SWEEP:
        raise Problem(405, f"{request.path} does not answer GET", headers={"Allow": "OPTIONS, POST"})
    found = _find(backend, insight_id)
    return json_response(marked_frame(found, backend.control.marks, backend.wall_ms()))


async def acknowledge_insight(backend: Backend, insight_id: str) -> Response:
    return await _mark(backend, insight_id, "acknowledge")


async def snooze_insight(backend: Backend, insight_id: str) -> Response:
    return await _mark(backend, insight_id, "snooze")


async def dismiss_insight(backend: Backend, insight_id: str) -> Response:
    return await _mark(backend, insight_id, "dismiss")


async def undo_insight(backend: Backend, insight_id: str) -> Response:
    return await _mark(backend, insight_id, "undo")


async def insight_not_useful(backend: Backend, insight_id: str) -> Response:
    return await _mark(backend, insight_id, "not_useful")


async def set_insight_status(backend: Backend, insight_id: str) -> Response:
    asked = await read_model(schemas.insights.StatusRequest)
    return await _apply(backend, insight_id, _VERBS[asked.status], asked)


async def _mark(backend: Backend, insight_id: str, verb: Verb) -> Response:
    model = schemas.insights.MarkRequest
    asked = await read_model(model) if await request.get_data(cache=True) else model.model_validate({})
    return await _apply(backend, insight_id, verb, asked)


async def _apply(backend: Backend, insight_id: str, verb: Verb, asked: schemas.insights.MarkRequest) -> Response:
    found = _find(backend, insight_id)
    if verb != "snooze" and (given := [each for each in ("duration_s", "until") if getattr(asked, each) is not None]):
        message = "only a snooze has an end"
        errors = [{"pointer": f"/{each}", "message": message} for each in given]
        raise Problem(422, f"{', '.join(given)}: {message}", errors=errors)
    now_ms, marks = backend.wall_ms(), backend.control.marks
    until_ms = (
        now_ms + round((asked.duration_s or SNOOZE_S) * 1000) if asked.until is None else round(asked.until * 1000)
    )
    if until_ms <= now_ms:
        raise Problem(422, "until: lies in the past", errors=[{"pointer": "/until", "message": "lies in the past"}])
    try:
        mark = marks.next_mark(found, verb, at_ms=now_ms, by=user(), until_ms=until_ms)
    except NothingToUndoError as error:
        raise Problem(409, "There is nothing to undo: nothing was said about this insight") from error
    await write(backend, lambda connection: save_mark(connection, found.key, mark))
    marks.put(found.key, mark)
    frame = marked_frame(found, marks, now_ms)
    backend.hub.publish("insight_update", frame)
    return json_response(
        {"success": True, "message": _DONE[verb], "insight": frame, "persisted": backend.control.store.persisted}
    )


def _find(backend: Backend, insight_id: str) -> Insight:
    found = backend.control.marks.find(insight_id)
    if found is None:
        raise Problem(404, "There is no such insight, or it is long over")
    return found


_DETAILS: Final = {404: "There is no such insight, or it is long over", 422: "until: lies in the past"}


def _answers() -> dict[int, Answer]:
    said = Answer(
        "It is said, and stored",
        schemas.insights.MarkedResponse,
        example={"success": True, "message": "Put off", "insight": {**EXAMPLE, "status": "snoozed"}, "persisted": True},
    )
    return {200: said, **problems(400, 404, 408, 409, 413, 415, 422, 500, 503, details=_DETAILS)}


def _verb(handler: Handler, verb: str, summary: str, description: str) -> Route:
    return Route(
        method="POST",
        path=f"{PATH}/{verb}",
        handler=handler,
        summary=summary,
        description=description + " Told to all dashboards as `insight_update`.",
        tag="Insights",
        bodies=lambda: (schemas.insights.MarkRequest,),
        body_examples={"empty": {}},
        body_required=False,
        path_parameters={"insight_id": "Id of the insight"},
        answers=_answers,
        scope="act",
        gated=True,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path=PATH,
        handler=get_insight,
        summary="One insight",
        description="As long as the book holds it, resolved ones included.",
        tag="Insights",
        path_parameters={"insight_id": "Id of the insight"},
        answers=lambda: {
            200: Answer("The insight", schemas.insights.Insight, example=EXAMPLE),
            **problems(404, 405, 500, details=_DETAILS),
        },
        gated=True,
    ),
    Route(
        method="PATCH",
        path=PATH,
        handler=set_insight_status,
        summary="Set an insight's status",
        description="The same as the routes below it; `new` takes back all that was said. 409 when nothing was said.",
        tag="Insights",
        bodies=lambda: (schemas.insights.StatusRequest,),
        body_examples={"snooze": {"status": "snoozed", "duration_s": 14_400}},
        path_parameters={"insight_id": "Id of the insight"},
        answers=_answers,
        scope="act",
        gated=True,
    ),
    _verb(
        acknowledge_insight,
        "acknowledge",
        "Say that an insight was seen",
        "It stays in the list, and nobody is sent a message of it again.",
    ),
    _verb(
        snooze_insight,
        "snooze",
        "Put an insight off",
        "Out of the list for `duration_s` (1 hour unless given) or `until`.",
    ),
    _verb(
        dismiss_insight,
        "dismiss",
        "Put an insight out of the way",
        "Out of the list until its condition has ended and comes again.",
    ),
    _verb(undo_insight, "undo", "Take back what was said last", "Whatever it was. 409 when nothing was said."),
    _verb(
        insight_not_useful,
        "not_useful",
        "Say that an insight is of no use",
        "Dismisses it, and halves the rank of what this rule finds at this metric, once for each time it comes: listed "
        "behind others of its severity, and nobody is sent a message of it unless it is critical.",
    ),
)
