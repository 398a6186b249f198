"""/status and /health say how the service is, in each state of its parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio
from quart.testing import QuartClient

from actors.health import ActorState
from analytics.records import Insight
from gateway.backend import Backend
from storage.archive import ArchiveError
from storage.keeper import SalvageState
from storage.models import ArchiveStatus

ACTORS = ("recorder", "persister", "insight_generator", "pattern_analyzer")


@pytest.fixture
def running(backend: Backend) -> Backend:
    for name in ACTORS:
        backend.board.note_child(name, backend.record_mailbox if name == "recorder" else None)
        backend.board.note_state(name, "running")
    return backend


async def ask(client: QuartClient, path: str) -> dict[str, Any]:
    response = await client.get(f"/api/analytics/{path}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_status_of_a_sound_service(
    client: QuartClient, running: Backend, fill: Callable[..., None], insight: Callable[..., Insight]
) -> None:
    fill("a", [1, 2])
    running.book.upsert_insight(insight())
    answer = await ask(client, "status")
    assert answer["service_status"] == "operational"
    assert (answer["metrics_tracked"], answer["insights_cached"], answer["patterns_detected"]) == (1, 1, 0)
    assert answer["persistence"] == {
        "written_bytes": None,  # off: what the kernel counts is no file of ours
        "written_bytes_per_day": None,
        "enabled": False,
        "state": "off",
        "reason": None,
        "backlog": 0,
        "last_commit": None,
        "size_bytes": None,
        "budget_bytes": None,
        "raw_since": None,
        "damaged": 0,
        "salvage": None,
    }
    assert answer["background_tasks"] == {"insight_generation": True, "pattern_analysis": True}
    assert (answer["data_retention_hours"], answer["insight_generation_interval"]) == (2.0, 900.0)
    assert answer["uptime_seconds"] == 60.0


async def test_a_clock_that_is_set_does_not_change_how_long_it_runs_and_what_it_writes_a_day(
    client: QuartClient, running: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer without a battery for its clock starts in 1970, and has the time a minute later."""
    monkeypatch.setattr("gateway.rest.storage.written_bytes", lambda: 1_000)
    running.progress.set_state("on")
    running.uptime_s = lambda: 3_600.0
    now_ms = running.wall_ms()
    for wall_ms in (now_ms, now_ms + 50 * 365 * 86_400_000, 0):
        running.wall_ms = lambda wall_ms=wall_ms: wall_ms  # type: ignore[misc]
        answer = await ask(client, "status")
        assert answer["uptime_seconds"] == 3_600.0
        assert answer["persistence"]["written_bytes_per_day"] == 24_000.0


async def test_without_the_enhanced_flag_nothing_looks_for_patterns_by_itself(
    client: QuartClient, running: Backend
) -> None:
    assert "pattern_detection" in (await ask(client, "status"))["capabilities"]
    running.flags.set("analytics_dashboard_enhanced", False)
    answer = await ask(client, "status")
    assert answer["background_tasks"] == {"insight_generation": True, "pattern_analysis": False}
    assert "pattern_detection" not in answer["capabilities"]
    assert answer["service_status"] == "operational"


async def test_health_of_a_sound_service(client: QuartClient, running: Backend) -> None:
    answer = await ask(client, "health")
    assert answer["status"] == "healthy"
    assert set(answer["components"].values()) == {"healthy"}
    assert answer["actors"]["recorder"]["mailbox"]["depth"] == 0
    assert answer["actors"]["persister"]["mailbox"] is None


@pytest.mark.parametrize(
    ("actor", "state", "status", "health"),
    [
        ("pattern_analyzer", "parked", "degraded", "limited"),
        ("insight_generator", "backing_off", "degraded", "degraded"),
        ("persister", "starting", "degraded", "degraded"),
        ("recorder", "stopped", "down", "error"),
        ("recorder", "stuck", "down", "error"),
        ("recorder", "starting", "degraded", "degraded"),
    ],
)
async def test_an_actor_in_trouble(
    client: QuartClient, running: Backend, actor: str, state: ActorState, status: str, health: str
) -> None:
    running.board.note_state(actor, state)
    running.board.note_error(actor, "ValueError: x")
    assert (await ask(client, "status"))["service_status"] == status
    answer = await ask(client, "health")
    assert answer["status"] == health
    assert answer["actors"][actor]["state"] == state
    assert answer["actors"][actor]["last_error"] == "ValueError: x"
    assert answer["actors"][actor]["last_error_at"] == running.wall_ms() / 1000


async def test_a_service_that_is_not_ready_is_down(client: QuartClient, running: Backend) -> None:
    running.ready = False
    assert (await ask(client, "status"))["service_status"] == "down"


class Archive:
    """As much of an archive as status asks for."""

    def __init__(self, error: ArchiveError | None = None) -> None:
        self._error = error

    async def status(self) -> ArchiveStatus:
        await trio.lowlevel.checkpoint()
        if self._error is not None:
            raise self._error
        return ArchiveStatus(4096, None, None, budget_bytes=100_000_000, raw_from_ms=1_759_000_000_500, damaged=2)


async def test_persistence_on(client: QuartClient, running: Backend, now_ms: int) -> None:
    running.flags.set("persistence", True)
    running.progress.set_state("on")
    running.progress.recorded(4, seq=3)
    running.progress.recorded(6, seq=4)
    running.progress.advance(3)
    running.progress.committed(now_ms)
    running.history.archive = Archive()  # type: ignore[assignment]  # a stand-in
    persistence = (await ask(client, "status"))["persistence"]
    assert persistence["enabled"]
    assert (persistence["state"], persistence["backlog"], persistence["size_bytes"]) == ("on", 6, 4096)
    assert persistence["last_commit"] == now_ms / 1000
    assert (persistence["budget_bytes"], persistence["raw_since"]) == (100_000_000, 1_759_000_000.5)
    assert persistence["damaged"] == 2


async def test_persistence_in_trouble(client: QuartClient, running: Backend) -> None:
    running.progress.set_state("degraded", "the disk is full")
    running.history.archive = Archive(ArchiveError("full", "x"))  # type: ignore[assignment]  # a stand-in
    answer = await ask(client, "status")
    assert answer["service_status"] == "degraded"
    assert (answer["persistence"]["reason"], answer["persistence"]["size_bytes"]) == ("the disk is full", None)
    answer = await ask(client, "health")
    assert (answer["status"], answer["components"]["data_storage"]) == ("degraded", "degraded")


async def test_what_is_saved_out_of_a_damaged_file_shows(client: QuartClient, running: Backend) -> None:
    state = SalvageState("analytics.db.damaged-1", "disk image is malformed", fraction=0.25, stored=17)
    running.progress.salvage = lambda: state
    answer = await ask(client, "status")
    assert answer["service_status"] == "degraded"
    assert answer["persistence"]["salvage"] == {
        "file": "analytics.db.damaged-1",
        "reason": "disk image is malformed",
        "running": True,
        "fraction": 0.25,
        "stored": 17,
    }
    health = await ask(client, "health")
    assert (health["status"], health["components"]["data_storage"]) == ("degraded", "degraded")
    document = json.loads(await (await client.get("/healthz")).get_data())
    assert document["status"] == "warn"
    assert any("analytics.db.damaged-1" in note and "25%" in note for note in document["notes"])
    state.running = False
    assert (await ask(client, "status"))["service_status"] == "operational"
    assert (await ask(client, "status"))["persistence"]["salvage"]["stored"] == 17
