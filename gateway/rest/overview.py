"""GET /api/analytics/overview: the coach at a glance, for the first page of a dashboard."""

from __future__ import annotations

from typing import Final

from quart import Response

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..glance import glance, power_flow
from ..routes import Route, json_response

FRESH_MS: Final = 300_000  # a source that was silent for longer gives no power
SIMULATED: Final = "simulated_coach"  # the child of `demo`


def get_overview(backend: Backend) -> Response:
    now_ms = backend.wall_ms()
    infos = list(backend.memory.infos())
    specs = {info.name: backend.catalogue.spec(info.name) for info in infos}
    fresh = {
        info.name: info.latest.value
        for info in infos
        if info.latest is not None and now_ms - info.latest.time_ms <= FRESH_MS
    }
    # The most severe of a metric comes first, and has the last word. What recovers is back within its limit.
    firing = (frame for frame in reversed(backend.control.alarms.active()) if frame["state"] == "firing")
    alerts = {frame["metric"]: frame["severity"] for frame in firing}
    oldest = min((info.first_ms for info in infos if info.first_ms is not None), default=None)
    return json_response(
        {
            "groups": glance(infos, specs, now_ms, alerts),
            "power": power_flow(fresh, specs),
            "total_metrics": len(infos),
            "first_timestamp": None if oldest is None else oldest / 1000,
            "simulated": SIMULATED in backend.board.snapshot(),
            "generated_at": now_ms / 1000,
        }
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/overview",
        handler=get_overview,
        summary="The coach at a glance",
        description=(
            "The latest value of the metrics that people look at first, grouped and in reading order by the roles of "
            "the catalogue, each with its limits and how old it may be; and the power flow by role. Cheap: from "
            "memory alone."
        ),
        tag="Dashboard",
        answers=lambda: {
            200: Answer(
                "The glance",
                schemas.dashboard.OverviewResponse,
                example={
                    "groups": [
                        {
                            "group": "tanks",
                            "title": "Tanks",
                            "tiles": [
                                {
                                    "metric": "tank.fresh.level",
                                    "title": "Fresh water",
                                    "role": "fresh_tank",
                                    "unit": "%",
                                    "kind": "gauge",
                                    "value": 62.5,
                                    "timestamp": 1760000000.0,
                                    "stale_after_seconds": None,
                                    "level": "ok",
                                    "low": 15.0,
                                    "high": None,
                                    "critical_low": 5.0,
                                    "critical_high": None,
                                }
                            ],
                        }
                    ],
                    "power": [
                        {
                            "node": "solar",
                            "title": "Solar",
                            "watts": 420.0,
                            "metrics": ["solar.power"],
                            "text": "giving",
                        }
                    ],
                    "total_metrics": 61,
                    "first_timestamp": 1759992800.0,
                    "simulated": False,
                    "generated_at": 1760000000.0,
                },
            ),
            **problems(404, 500, details={404: "Analytics dashboard disabled"}),
        },
        gated=True,
    ),
)
