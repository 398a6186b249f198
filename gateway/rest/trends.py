"""GET /api/analytics/trends: each metric's course over a window by buckets, and where it is heading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from quart import Response

from actors.frames import alert_type, marked_frame
from analytics.kpis import GOOD_SAMPLES
from analytics.records import Insight

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..charge import charge
from ..compute import in_thread
from ..names import choose
from ..routes import Route, json_response
from ..steps import STEP_MS, count_of
from .insights import ACTION_REQUIRED, by_weight
from .insights import EXAMPLE as INSIGHT_EXAMPLE
from .metric_trend import ask, fine_step_ms, key_insights, trends

HOUR_MS: Final = 3_600_000
MAX_METRICS: Final = 500
MAX_POINTS: Final = 50_000  # metrics times points of one answer, before it is known how many points there are
INSIGHTS: Final = 10


async def get_performance_trends(backend: Backend, query: schemas.trends.TrendsQuery) -> Response:
    now_ms = backend.wall_ms()
    step_ms = STEP_MS[query.resolution]
    span_ms = query.time_window_hours * HOUR_MS
    limit = max(1, min(MAX_METRICS, MAX_POINTS // count_of(now_ms - span_ms, now_ms + 1, step_ms)))
    chosen = await choose(backend, query.metrics, limit)
    start_ms = now_ms - span_ms
    fine_ms = fine_step_ms(span_ms)
    read = await backend.history.buckets(chosen.names, start_ms, now_ms + 1, min(step_ms, fine_ms))
    charge(backend, read.buckets.values())
    asked = [ask(backend, name, read.buckets.get(name), (step_ms, fine_ms), start_ms, now_ms) for name in chosen.names]
    metrics: dict[str, dict[str, Any]] = await in_thread(trends, asked)
    insights = [
        each
        for each in by_weight(backend.control.marks.visible(now_ms))
        if query.metrics is None or each.metric in query.metrics
    ]
    directions = [metric["trend_direction"] for metric in metrics.values()]
    return json_response(
        {
            "time_window_hours": query.time_window_hours,
            "resolution": query.resolution,
            "metrics": metrics,
            "summary": {
                "trending_up": directions.count("up"),
                "trending_down": directions.count("down"),
                "stable": sum(
                    metric["trend_direction"] == "stable" and metric["data_quality"] != "no_data"
                    for metric in metrics.values()
                ),
                "total_anomalies": sum(metric["anomaly_count"] for metric in metrics.values()),
                "total_metrics": chosen.total,
                "key_insights": key_insights(asked, metrics, insights),
            },
            "alerts": [
                *_thresholds(backend, query.metrics),
                *(_alert(each) for each in insights if each.severity in ACTION_REQUIRED),
            ],
            "insights": [marked_frame(each, backend.control.marks, now_ms) for each in insights[:INSIGHTS]],
            "generated_at": now_ms / 1000,
            "truncated": chosen.truncated,
            "complete": read.complete,
            "incomplete_reason": read.reason,
        }
    )


def _alert(insight: Insight) -> dict[str, Any]:
    return {
        "type": alert_type(insight),
        "severity": insight.severity,
        "message": f"{insight.title}: {insight.description}",
        "recommendation": insight.recommendations[0] if insight.recommendations else "",
        "metric": insight.metric,
    }


def _thresholds(backend: Backend, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """Thresholds that fire."""
    return [
        {
            "type": frame["type"],
            "severity": frame["severity"],
            "message": frame["message"],
            "recommendation": frame["recommendation"] or "",
            "metric": frame["metric"],
        }
        for frame in backend.control.alarms.active()
        if names is None or frame["metric"] in names
    ]


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/trends",
        handler=get_performance_trends,
        summary="Trends of metrics over a window",
        description=f"""Buckets on multiples of `resolution` since 1970 (days are UTC days); empty ones are
left out, the first and the last may be partial. Direction and change come from a robust line or a lasting step,
with a test of significance that knows that neighbours depend on each other, over a finer grid (or the samples,
where they are few), whatever the resolution: noise and a daily swing are `stable`. `change_percent` is from the first
to the last level of that line or step, and 0 for what is stable.
`baseline_deviation` is a robust z score against the window itself and its surroundings,
`anomaly_score` the same in 0..1. `data_quality` is good with {GOOD_SAMPLES} samples or more that leave no gaps (by the
metric's own habit) over half of the time since its first one in the window, else limited.

An answer holds at most {MAX_METRICS} metrics, and at most {MAX_POINTS} of metrics times points: so a finer
resolution or a longer window holds fewer metrics. Without `metrics`, those with an open insight come first,
then those in memory, by name; `truncated` says that some were left out, `summary.total_metrics` how many
there are. A metric asked for that nobody has recorded is answered with `data_quality` no_data.""",
        tag="Analysis",
        query=lambda: schemas.trends.TrendsQuery,
        answers=lambda: {
            200: Answer(
                "The trends",
                schemas.trends.PerformanceTrendsResponse,
                example={
                    "time_window_hours": 24,
                    "resolution": "1h",
                    "metrics": {
                        "tank.fresh.level": {
                            "trend_direction": "down",
                            "change_percent": -18.2,
                            "anomaly_count": 0,
                            "data_quality": "good",
                            "current_value": 51.0,
                            "unit": "%",
                            "data_points": [
                                {
                                    "timestamp": 1759996800.0,
                                    "value": 62.4,
                                    "min": 61.5,
                                    "max": 63.0,
                                    "count": 12,
                                    "baseline_deviation": 0.4,
                                    "anomaly_score": 0.0044,
                                }
                            ],
                        }
                    },
                    "summary": {
                        "trending_up": 0,
                        "trending_down": 1,
                        "stable": 0,
                        "total_anomalies": 0,
                        "total_metrics": 1,
                        "key_insights": ["Fresh water went down by 18.2 %"],
                    },
                    "alerts": [
                        {
                            "type": "limit",
                            "severity": "high",
                            "message": "Refrigerator is too warm: 9.4 °C",
                            "recommendation": "Check that the door is closed.",
                            "metric": "fridge.temperature",
                        }
                    ],
                    "insights": [INSIGHT_EXAMPLE],
                    "generated_at": 1760000000.0,
                    "truncated": False,
                    "complete": True,
                    "incomplete_reason": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={
                    404: "Analytics dashboard disabled",
                    422: "resolution: must be '1m', '5m', '15m', '1h', '6h' or '1d'",
                },
            ),
        },
        gated=True,
    ),
)
