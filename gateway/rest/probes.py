"""/livez, /readyz, /healthz and /metrics: for supervisors, load balancers and scrapers. Never gated."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from quart import Response

from actors.health import ActorHealth

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..problems import Problem
from ..prometheus import MEDIA_TYPE, Family, one, render
from ..routes import Route, json_response
from ..version import VERSION
from .status import actor_json, persistence_status, service_status

HEALTH_JSON: Final = "application/health+json"
_VERDICTS: Final = {"operational": "pass", "degraded": "warn", "down": "fail"}
_CHECKS: Final = {"running": "pass", "stopped": "fail", "stuck": "fail"}
_ACTOR_STATES: Final = ("starting", "running", "degraded", "backing_off", "parked", "stopped", "stuck")
_PERSISTENCE_STATES: Final = ("off", "starting", "on", "degraded")


LIVE: Final = {"status": "ok"}
READY: Final = {"status": "ready"}


def get_livez(backend: Backend) -> Response:
    return json_response(LIVE)


def get_readyz(backend: Backend) -> Response:
    if not backend.ready:
        raise Problem(503, "Not ready", headers={"Retry-After": "1"})
    return json_response(READY)


async def get_healthz(backend: Backend) -> Response:
    actors = backend.board.snapshot()
    verdict = _VERDICTS[service_status(backend, actors)]
    memory = backend.memory.status()
    persistence = await persistence_status(backend)
    checks: dict[str, list[dict[str, Any]]] = {
        f"actor:{name}": [
            {
                "componentId": name,
                "componentType": "component",
                "status": _CHECKS.get(health.state, "warn"),
                **actor_json(health),
            }
        ]
        for name, health in actors.items()
    }
    checks["memory:utilization"] = [
        {
            "componentType": "datastore",
            "status": "pass",
            "observedValue": memory.bytes,
            "observedUnit": "bytes",
            "limit": memory.budget_bytes,
        }
    ]
    checks["persistence:state"] = [
        {
            "componentType": "datastore",
            "status": "warn" if persistence["state"] == "degraded" else "pass",
            "observedValue": persistence["state"],
            **persistence,
        }
    ]
    document = {
        "status": verdict,
        "version": VERSION.split(".")[0],
        "releaseId": VERSION,
        "serviceId": "coachiq-analytics",
        "description": "Embedded analytics for an RV",
        "notes": _notes(actors, persistence),
        "checks": checks,
    }
    return json_response(document, 503 if verdict == "fail" else 200, HEALTH_JSON)


def get_prometheus_metrics(backend: Backend) -> Response:
    return Response(render(_families(backend)), content_type=MEDIA_TYPE)


def _notes(actors: Mapping[str, ActorHealth], persistence: Mapping[str, Any]) -> list[str]:
    notes = [
        f"{name} is {health.state}" + (f": {why}" if (why := health.degraded_reason or health.last_error) else "")
        for name, health in actors.items()
        if health.state != "running"
    ]
    salvage = persistence["salvage"]
    if salvage is not None and salvage["running"]:
        notes.append(f"what {salvage['file']} holds is being saved: {salvage['fraction']:.0%} ({salvage['reason']})")
    if persistence["state"] == "degraded":
        notes.append(f"persistence is degraded: {persistence['reason']}")
    return notes


def _families(backend: Backend) -> Iterator[Family]:
    now_ms = backend.wall_ms()
    progress = backend.progress
    memory = backend.memory.status()
    yield Family("build_info", "gauge", "The running version", (({"version": VERSION}, 1),))
    yield one("ready", "gauge", "1: new work is welcome", backend.ready)
    yield one("uptime_seconds", "gauge", "Since the start", backend.uptime_s())
    yield one("process_resident_memory_bytes", "gauge", "Resident memory of the process", _resident_bytes())
    yield one("process_cpu_seconds_total", "counter", "CPU time of the process", time.process_time())
    yield one("memory_series", "gauge", "Metrics in memory", memory.series)
    yield one("memory_samples", "gauge", "Samples in memory", memory.samples)
    yield one("memory_bytes", "gauge", "Bytes of the samples in memory", memory.bytes)
    yield one("memory_budget_bytes", "gauge", "Bound of memory_bytes", memory.budget_bytes)
    yield one("memory_evicted_total", "counter", "Samples dropped for age or budget", memory.evicted)
    yield one(
        "memory_lost_unpersisted_total",
        "counter",
        "Samples dropped before they were on disk, persistence being on",
        memory.lost_unpersisted,
    )
    yield Family(
        "persistence_state",
        "gauge",
        "1 for the present state",
        tuple(({"state": state}, state == progress.state) for state in _PERSISTENCE_STATES),
    )
    yield one("persistence_backlog_samples", "gauge", "Samples recorded and not yet on disk", progress.backlog)
    yield one(
        "persistence_last_commit_timestamp_seconds",
        "gauge",
        "Unix time of the last commit",
        None if progress.last_commit_ms is None else progress.last_commit_ms / 1000,
    )
    yield Family(
        "open_insights",
        "gauge",
        "Open insights by severity",
        tuple(
            (
                {"severity": severity},
                sum(each.severity == severity for each in backend.book.open_insights(now_ms)),
            )
            for severity in ("low", "medium", "high", "critical")
        ),
    )
    told = backend.hub.statistics()
    yield one("websocket_clients", "gauge", "Dashboards that are connected", told.clients)
    yield one("frames_encoded_total", "counter", "WebSocket frames made, each once", told.encoded)
    yield one("frames_delivered_total", "counter", "WebSocket frames taken by clients", told.delivered)
    yield one("frames_lost_total", "counter", "WebSocket frames dropped for slow clients", told.lost)
    if backend.core is not None:
        heard = backend.core.statistics
        yield one("core_link_up", "gauge", "1: connected to CoachIQ's core", backend.core.is_connected)
        for member in ("connections", "frames", "readings", "malformed", "dropped"):
            yield one(f"core_link_{member}_total", "counter", f"The link to the core: {member}", getattr(heard, member))
    yield from _actor_families(backend.board.snapshot())


def _actor_families(actors: Mapping[str, ActorHealth]) -> Iterator[Family]:
    yield Family(
        "actor_state",
        "gauge",
        "1 for the present state of each actor",
        tuple(
            ({"actor": name, "state": state}, state == health.state)
            for name, health in actors.items()
            for state in _ACTOR_STATES
        ),
    )
    yield Family(
        "actor_restarts_total",
        "counter",
        "Restarts after a crash",
        tuple(({"actor": name}, health.restarts) for name, health in actors.items()),
    )
    boxes = {name: health.mailbox for name, health in actors.items() if health.mailbox is not None}
    for member, kind, text in (
        ("depth", "gauge", "Messages not yet handled"),
        ("peak", "gauge", "Most messages ever waiting"),
        ("capacity", "gauge", "Bound of the queue"),
        ("handled", "counter", "Messages handled"),
        ("dropped", "counter", "Messages dropped, oldest first"),
        ("conflated", "counter", "Messages merged with a waiting one"),
        ("quarantined", "counter", "Messages put aside after crashing their actor"),
    ):
        yield Family(
            f"mailbox_{member}" + ("_total" if kind == "counter" else ""),
            "counter" if kind == "counter" else "gauge",
            text,
            tuple(({"actor": name}, getattr(box, member)) for name, box in boxes.items()),
        )
    yield Family(
        "mailbox_in_flight_age_seconds",
        "gauge",
        "Age of the message being handled, 0 when there is none",
        tuple(({"actor": name}, round(box.in_flight_age_s or 0.0, 3)) for name, box in boxes.items()),
    )


def _resident_bytes() -> int | None:
    """None where the kernel does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


ROUTES: Final = (
    Route(
        method="GET",
        path="/livez",
        handler=get_livez,
        summary="Is the process alive",
        description="200 as long as it can answer at all.",
        tag="Probes",
        answers=lambda: {200: Answer("Alive", schemas.status.ProbeResponse, example={"status": "ok"}), **problems(500)},
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=get_readyz,
        summary="Is new work welcome",
        description="503 while it starts or stops.",
        tag="Probes",
        answers=lambda: {
            200: Answer("Ready", schemas.status.ProbeResponse, example={"status": "ready"}),
            **problems(500, 503, details={503: "Not ready"}),
        },
    ),
    Route(
        method="GET",
        path="/healthz",
        handler=get_healthz,
        summary="Health of every actor",
        description=(
            "As draft-inadarei-api-health-check has it. `warn` answers 200: something works less well, see `notes`."
        ),
        tag="Probes",
        answers=lambda: {
            200: Answer(
                "pass or warn",
                schemas.status.HealthDocument,
                HEALTH_JSON,
                {
                    "status": "pass",
                    "version": "0",
                    "releaseId": "0.1.0",
                    "serviceId": "coachiq-analytics",
                    "description": "Embedded analytics for an RV",
                    "notes": [],
                    "checks": {"actor:recorder": [{"componentId": "recorder", "status": "pass", "state": "running"}]},
                },
            ),
            503: Answer("fail: no data comes in", schemas.status.HealthDocument, HEALTH_JSON),
            **problems(500),
        },
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=get_prometheus_metrics,
        summary="Figures of the service itself, for Prometheus",
        description="Text format 0.0.4, prefix `coachiq_analytics_`. The coach's own metrics are not in it.",
        tag="Probes",
        answers=lambda: {200: Answer("The figures", media_type="text/plain"), **problems(500)},
    ),
)
