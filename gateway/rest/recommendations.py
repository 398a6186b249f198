"""/api/analytics/actions/recommendations: what can be done at the press of a button."""

from __future__ import annotations

from typing import Final

from quart import Response

from actors.core import NoAnswerError, NotSentError
from actors.recommendations import Recommendation, recommendations
from storage.control_actions import scores

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..documents import read
from ..problems import Problem
from ..routes import Route, json_response

PATH: Final = "/api/analytics/actions"


async def list_recommendations(backend: Backend) -> Response:
    state, reason, found = "reachable", None, []
    try:
        found = await recommended(backend)
    except Problem as problem:
        state, reason = "none" if problem.status == 409 else "unreachable", problem.detail
    known = await read(backend, scores)
    shown = [
        {
            "recommendation_id": each.recommendation_id,
            "insight_id": each.insight.insight_id,
            "insight_title": each.insight.title,
            "text": each.text,
            "entity_id": each.entity.entity_id,
            "entity_name": each.entity.name,
            "template": each.template.name,
            "risk": each.risk,
            "consequence": each.consequence,
            "helped": known.get(each.insight.key, (0, 0))[0],
            "measured": known.get(each.insight.key, (0, 0))[1],
        }
        for each in found
    ]
    return json_response({"total": len(shown), "recommendations": shown, "core": state, "reason": reason})


async def recommended(backend: Backend) -> list[Recommendation]:
    """Raises Problem 409 (no core is set), 503 (it can't be asked)."""
    core = backend.control.actions.core
    if core is None:
        raise Problem(409, "No core is set: COACHIQ_ANALYTICS__CORE_URL says where it is")
    try:
        entities = await core.entities()
    except (NotSentError, NoAnswerError) as error:
        raise Problem(503, f"CoachIQ's core can't be asked: {error}", headers={"Retry-After": "5"}) from error
    return recommendations(backend.control.marks.visible(backend.wall_ms()), entities)


LIFE: Final = """A green one (lights, fans) is sent after 5 seconds, in which `undo` takes it back; an amber one when it
is confirmed (`confirm` in the body, or the route), with its consequence shown; red ones (propane, engine, transmission,
brakes, steering, jacks, leveling, starting a generator) are never offered. Just before sending the entity is looked at
again. Later than 30 s after the proposal nothing is sent. States: proposed, confirmed, sending, then succeeded,
rejected, failed_before_send or unknown, which is reconciled by reading the entity's state and never sent again; before
that cancelled or expired. One action at a time on an entity, 10 a minute. Told to all dashboards as `action`."""

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{PATH}/recommendations",
        handler=list_recommendations,
        summary="What can be done at the press of a button",
        description="Built from the rules' templates, open insights and the core's entities. " + LIFE,
        tag="Actions",
        answers=lambda: {
            200: Answer(
                "The buttons",
                schemas.actions.RecommendationsResponse,
                example={"total": 0, "recommendations": [], "core": "reachable", "reason": None},
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
)
