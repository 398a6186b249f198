"""GET /api/analytics/status and /health below it: how the service is, for CoachIQ's core and dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import trio
from msgspec import to_builtins
from msgspec.structs import asdict
from quart import Response

from actors.health import ActorHealth
from storage.archive import ArchiveError
from storage.models import ArchiveStatus

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..routes import Route, json_response
from ..version import VERSION
from .storage import wear

DAY_MS: Final = 86_400_000
CAPABILITIES: Final = (
    "performance_trends",
    "system_insights",
    "historical_analysis",
    "metrics_aggregation",
    "custom_metrics",
    "batch_ingest",
    "pattern_detection",
    "anomaly_detection",
    "live_updates",
)
ENHANCED: Final = frozenset({"pattern_detection"})  # only with the flag analytics_dashboard_enhanced
_COMPONENTS: Final = {
    "metric_collection": "recorder",
    "insight_generation": "insight_generator",
    "pattern_analysis": "pattern_analyzer",
}
_STATES: Final = {
    "running": "healthy",
    "starting": "degraded",
    "degraded": "degraded",
    "backing_off": "degraded",
    "parked": "limited",
    "stuck": "error",
    "stopped": "stopped",
}


async def get_analytics_status(backend: Backend) -> Response:
    now_ms = backend.wall_ms()
    actors = backend.board.snapshot()
    memory = backend.memory.status()
    settings = backend.settings
    enhanced = backend.flags.enabled("analytics_dashboard_enhanced")
    return json_response(
        {
            "service_status": service_status(backend, actors),
            "metrics_tracked": memory.series,
            "insights_cached": len(backend.book.insights()),
            "patterns_detected": len(backend.book.patterns()),
            "feature_enabled": backend.flags.enabled("analytics_dashboard"),
            "persistence": await persistence_status(backend),
            "memory": {
                "samples": memory.samples,
                "bytes": memory.bytes,
                "budget_bytes": memory.budget_bytes,
                "evicted": memory.evicted,
                "lost_unpersisted": memory.lost_unpersisted,
            },
            "notification_budget": asdict(backend.budget.status(now_ms)),
            "data_retention_hours": settings.memory_retention_hours,
            "insight_generation_interval": settings.insight_generation_interval_s,
            "pattern_analysis_interval": settings.pattern_analysis_interval_s,
            "background_tasks": {
                "insight_generation": _runs(actors.get("insight_generator")),
                "pattern_analysis": enhanced and _runs(actors.get("pattern_analyzer")),
            },
            "capabilities": [name for name in CAPABILITIES if enhanced or name not in ENHANCED],
            "uptime_seconds": round(backend.uptime_s(), 3),
            "version": VERSION,
        }
    )


def get_analytics_health(backend: Backend) -> Response:
    now_ms = backend.wall_ms()
    actors = backend.board.snapshot()
    components = {name: _component(actors.get(actor)) for name, actor in _COMPONENTS.items()}
    components["data_storage"] = "degraded" if _storage_degraded(backend) else "healthy"
    return json_response(
        {
            "status": _overall(components, actors),
            "service_running": backend.ready,
            "components": components,
            "data_quality": {
                "metrics_available": backend.memory.status().series,
                "insights_recent": sum(insight.created_at_ms >= now_ms - DAY_MS for insight in backend.book.insights()),
                "patterns_detected": len(backend.book.patterns()),
            },
            "actors": {name: actor_json(health) for name, health in actors.items()},
        }
    )


def service_status(backend: Backend, actors: Mapping[str, ActorHealth]) -> str:
    """operational, degraded (something works less well, data still comes in), or down."""
    recorder = _component(actors.get("recorder"))
    if not backend.ready or recorder in ("error", "stopped"):
        return "down"
    states = [_component(health) for health in actors.values()]
    if _storage_degraded(backend) or any(state != "healthy" for state in states):
        return "degraded"
    return "operational"


async def persistence_status(backend: Backend) -> dict[str, Any]:
    """What the persister says, and the file's size when it can be asked."""
    await trio.lowlevel.checkpoint()
    progress = backend.progress
    salvage = progress.salvage()
    status: ArchiveStatus | None = None
    if backend.history.archive is not None:
        try:
            status = await backend.history.archive.status()
        except ArchiveError:
            status = None  # the disk is in trouble: state and reason say so already
    return {
        "enabled": backend.flags.enabled("persistence"),
        "state": progress.state,
        "reason": progress.reason,
        "backlog": progress.backlog,
        "last_commit": None if progress.last_commit_ms is None else progress.last_commit_ms / 1000,
        "size_bytes": None if status is None else status.size_bytes,
        "budget_bytes": None if status is None else status.budget_bytes,
        "raw_since": None if status is None or status.raw_from_ms is None else status.raw_from_ms / 1000,
        "damaged": 0 if status is None else status.damaged,
        "salvage": None if salvage is None else asdict(salvage),
        **wear(backend),
    }


def _storage_degraded(backend: Backend) -> bool:
    """The disk is in trouble, or what a damaged file held is not all back yet."""
    salvage = backend.progress.salvage()
    return backend.progress.state == "degraded" or (salvage is not None and salvage.running)


def actor_json(health: ActorHealth) -> dict[str, Any]:
    """One actor as health answers show it."""
    shown: dict[str, Any] = to_builtins(health)
    del shown["name"]
    error_ms = shown.pop("last_error_ms")
    shown["last_error_at"] = None if error_ms is None else error_ms / 1000
    mailbox = shown["mailbox"]
    if mailbox is not None and mailbox["in_flight_age_s"] is not None:
        mailbox["in_flight_age_s"] = round(mailbox["in_flight_age_s"], 3)
    return shown


def _component(health: ActorHealth | None) -> str:
    return "stopped" if health is None else _STATES[health.state]


def _runs(health: ActorHealth | None) -> bool:
    return health is not None and health.state in ("running", "degraded")


def _overall(components: Mapping[str, str], actors: Mapping[str, ActorHealth]) -> str:
    if components["metric_collection"] in ("error", "stopped"):
        return "error"
    if any(state in ("limited", "stopped", "error") for state in components.values()):
        return "limited"
    if any(_component(health) != "healthy" for health in actors.values()) or "degraded" in components.values():
        return "degraded"
    return "healthy"


_STATUS_EXAMPLE: Final = {
    "service_status": "operational",
    "metrics_tracked": 61,
    "insights_cached": 3,
    "patterns_detected": 8,
    "feature_enabled": True,
    "persistence": {
        "enabled": True,
        "state": "on",
        "reason": None,
        "backlog": 12,
        "last_commit": 1760000000.0,
        "size_bytes": 52428800,
        "budget_bytes": 100000000,
        "raw_since": 1757408000.0,
        "damaged": 0,
        "salvage": None,
        "written_bytes": 12582912,
        "written_bytes_per_day": 210000000.0,
    },
    "memory": {
        "samples": 439200,
        "bytes": 7340032,
        "budget_bytes": 33554432,
        "evicted": 0,
        "lost_unpersisted": 0,
    },
    "notification_budget": {
        "per_week": 5.0,
        "spent": 1,
        "remaining": 4.0,
        "held_back": 0,
        "achieved_per_week": 0.75,
        "raised": 0.1,
    },
    "data_retention_hours": 2.0,
    "insight_generation_interval": 900.0,
    "pattern_analysis_interval": 1800.0,
    "background_tasks": {"insight_generation": True, "pattern_analysis": True},
    "capabilities": list(CAPABILITIES),
    "uptime_seconds": 86400.0,
    "version": VERSION,
}
_ACTOR_EXAMPLE: Final = {
    "state": "running",
    "restarts": 0,
    "last_error": None,
    "last_error_at": None,
    "degraded_reason": None,
    "mailbox": {
        "depth": 0,
        "peak": 4,
        "capacity": 64,
        "handled": 1200,
        "dropped": 0,
        "conflated": 0,
        "quarantined": 0,
        "failures": 0,
        "waiting_puts": 0,
        "in_flight_age_s": None,
        "closed": False,
    },
}
_OFF: Final = {404: "Analytics dashboard disabled"}

ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/status",
        handler=get_analytics_status,
        summary="State and configuration",
        description=(
            "`degraded`: data still comes in and is served, something works less well; "
            "`persistence.reason` or /api/analytics/health says what."
        ),
        tag="Service",
        answers=lambda: {
            200: Answer("The status", schemas.status.AnalyticsStatusResponse, example=_STATUS_EXAMPLE),
            **problems(404, 500, details=_OFF),
        },
        gated=True,
    ),
    Route(
        method="GET",
        path="/api/analytics/health",
        handler=get_analytics_health,
        summary="Health of the parts",
        description=(
            "`limited`: an analyser is down, data still comes in. `error`: no data comes in. Answers 200 "
            "whatever the state; for probes there are /livez, /readyz and /healthz."
        ),
        tag="Service",
        answers=lambda: {
            200: Answer(
                "The health",
                schemas.status.AnalyticsHealthResponse,
                example={
                    "status": "healthy",
                    "service_running": True,
                    "components": {
                        "metric_collection": "healthy",
                        "insight_generation": "healthy",
                        "pattern_analysis": "healthy",
                        "data_storage": "healthy",
                    },
                    "data_quality": {"metrics_available": 61, "insights_recent": 3, "patterns_detected": 8},
                    "actors": {"recorder": _ACTOR_EXAMPLE},
                },
            ),
            **problems(404, 500, details=_OFF),
        },
        gated=True,
    ),
)
