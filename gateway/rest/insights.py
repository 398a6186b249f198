"""GET /api/analytics/insights and POST /api/analytics/insights/generate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import trio
from quart import Response

from actors.frames import marked_frame
from actors.messages import QuarantinedError, Sweep
from analytics.records import CATEGORIES, SEVERITIES, Insight

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_nothing
from ..problems import Problem
from ..routes import Route, json_response

SWEEP_WITHIN_S: Final = 30.0
RANK: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}
ACTION_REQUIRED: Final = ("high", "critical")


def by_weight(insights: Sequence[Insight]) -> list[Insight]:
    """Most severe first, then newest. Of those that are alike the order stays: `visible` puts what was called not
    useful last."""
    return sorted(insights, key=lambda each: (-RANK[each.severity], -each.created_at_ms))


def get_system_insights(backend: Backend, query: schemas.insights.InsightsQuery) -> Response:
    now_ms = backend.wall_ms()
    matching = [
        each
        for each in by_weight(_asked_for(backend, query.status, now_ms))
        if RANK[each.severity] >= RANK[query.min_severity]
        and (query.categories is None or each.category in query.categories)
    ]
    return json_response(
        {
            "total_insights": len(matching),
            "insights": [marked_frame(each, backend.control.marks, now_ms) for each in matching[: query.limit]],
            "summary": _summary(matching),
            "severity_distribution": _counts(SEVERITIES, [each.severity for each in matching]),
            "categories": _counts(CATEGORIES, [each.category for each in matching]),
            "generated_at": now_ms / 1000,
        }
    )


async def generate_insights(backend: Backend) -> Response:
    await read_nothing()
    now_ms = backend.wall_ms()
    message = Sweep()
    found: Sequence[Insight] | None = None
    with trio.move_on_after(SWEEP_WITHIN_S):
        try:
            await backend.insight_mailbox.put(message)
            found = await message.reply.wait()
        except trio.ClosedResourceError as error:
            raise Problem(503, "The service is shutting down", headers={"Retry-After": "5"}) from error
        except QuarantinedError as error:
            raise Problem(500, "The insight generator failed three times and gave this sweep up") from error
    if found is None:
        raise Problem(
            503,
            f"The insight generator did not finish within {SWEEP_WITHIN_S:g} s",
            headers={"Retry-After": "30"},
        )
    count = "no insight" if not found else f"{len(found)} insight{'s' if len(found) > 1 else ''}"
    return json_response(
        {
            "success": True,
            "message": f"The sweep is done: {count}",
            "total_insights": len(found),
            "insights": [marked_frame(each, backend.control.marks, now_ms) for each in by_weight(found)],
            "generated_at": now_ms / 1000,
        }
    )


def _asked_for(backend: Backend, status: str, now_ms: int) -> Sequence[Insight]:
    marks = backend.control.marks
    if status == "open":
        return marks.visible(now_ms)
    everything = backend.book.insights()
    return [each for each in everything if status in ("all", marks.status(each, now_ms))]


def _summary(insights: Sequence[Insight]) -> dict[str, Any]:
    count = len(insights)
    return {
        "total_count": count,
        "avg_confidence": round(sum(each.confidence for each in insights) / count, 4) if count else 0.0,
        "avg_impact": round(sum(each.impact_score for each in insights) / count, 4) if count else 0.0,
        "top_categories": [name for name, _ in Counter(each.category for each in insights).most_common()],
        "action_required": sum(each.severity in ACTION_REQUIRED for each in insights),
    }


def _counts(names: Sequence[str], seen: Sequence[str]) -> dict[str, int]:
    counter = Counter(seen)
    return {name: counter[name] for name in names}


EXAMPLE: Final = {
    "insight_id": "limit-refrigerator-temperature-1",
    "title": "Refrigerator is too warm",
    "description": "Refrigerator temperature is 9.4 °C, above its limit of 8 °C for 25 minutes.",
    "category": "reliability",
    "severity": "high",
    "confidence": 0.95,
    "impact_score": 0.8,
    "created_at": 1760000000.0,
    "updated_at": 1760000600.0,
    "expires_at": None,
    "recommendations": ["Check that the door is closed and the cooling runs."],
    "actions": [],
    "evidence": {"metric": "fridge.temperature", "value": 9.4, "expected_high": 8.0},
    "supporting_data": {},
    "status": "new",
    "metric": "fridge.temperature",
    "first_seen": 1759998500.0,
    "last_seen": 1760000600.0,
    "snoozed_until": None,
    "marked_at": None,
    "marked_by": None,
    "not_useful": 0,
    "effects": ["Fan on 14:02, Refrigerator temperature -3.0 °C in 12 min"],
}

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/insights",
        handler=get_system_insights,
        summary="Open insights",
        description=(
            "What the service would tell a person now, most severe first, then newest. Resolved and "
            "expired ones are left out, and those somebody has snoozed or dismissed: `status` asks for others. "
            "Summary and counts are of all that match, also beyond `limit`."
        ),
        tag="Insights",
        query=lambda: schemas.insights.InsightsQuery,
        answers=lambda: {
            200: Answer(
                "The insights",
                schemas.insights.SystemInsightsResponse,
                example={
                    "total_insights": 1,
                    "insights": [EXAMPLE],
                    "summary": {
                        "total_count": 1,
                        "avg_confidence": 0.95,
                        "avg_impact": 0.8,
                        "top_categories": ["reliability"],
                        "action_required": 1,
                    },
                    "severity_distribution": {"low": 0, "medium": 0, "high": 1, "critical": 0},
                    "categories": {"performance": 0, "reliability": 1, "efficiency": 0, "cost": 0},
                    "generated_at": 1760000900.0,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={404: "Analytics dashboard disabled", 422: "limit: must be less than or equal to 200"},
            ),
        },
        gated=True,
    ),
    Route(
        method="POST",
        path="/api/analytics/insights/generate",
        handler=generate_insights,
        summary="Look for insights now",
        description=(
            "Runs the periodic sweep at once and answers when it is done, with the insights that it raised or changed."
        ),
        tag="Insights",
        answers=lambda: {
            200: Answer(
                "What the sweep found",
                schemas.insights.GenerateResponse,
                example={
                    "success": True,
                    "message": "The sweep is done: 1 insight",
                    "total_insights": 1,
                    "insights": [EXAMPLE],
                    "generated_at": 1760000900.0,
                },
            ),
            **problems(400, 404, 408, 413, 415, 422, 500, 503, details={404: "Analytics dashboard disabled"}),
        },
        gated=True,
    ),
)
