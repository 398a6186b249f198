"""Probes: alive, ready, healthy, and figures for Prometheus."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from quart.testing import QuartClient

from actors.health import ActorState
from gateway.backend import Backend


async def test_alive_and_ready(client: QuartClient, backend: Backend) -> None:
    assert await (await client.get("/livez")).get_data() == b'{"status":"ok"}'
    assert await (await client.get("/readyz")).get_data() == b'{"status":"ready"}'
    backend.ready = False
    response = await client.get("/readyz")
    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    ("state", "status", "verdict"),
    [("running", 200, "pass"), ("backing_off", 200, "warn"), ("stopped", 503, "fail")],
)
async def test_health(client: QuartClient, backend: Backend, state: ActorState, status: int, verdict: str) -> None:
    backend.board.note_child("recorder", backend.record_mailbox)
    backend.board.note_state("recorder", state)
    backend.board.note_error("recorder", "OSError: x")
    response = await client.get("/healthz")
    assert (response.status_code, response.mimetype) == (status, "application/health+json")
    document = json.loads(await response.get_data())
    assert document["status"] == verdict
    (check,) = document["checks"]["actor:recorder"]
    assert (check["status"], check["state"], check["restarts"]) == (verdict, state, 0)
    assert check["mailbox"]["capacity"] == 2
    assert document["notes"] == ([] if state == "running" else [f"recorder is {state}: OSError: x"])


async def test_trouble_with_the_disk_is_a_warning(client: QuartClient, backend: Backend) -> None:
    backend.board.note_child("recorder")
    backend.board.note_state("recorder", "running")
    backend.progress.set_state("degraded", "the disk is full")
    document = json.loads(await (await client.get("/healthz")).get_data())
    assert document["status"] == "warn"
    assert document["notes"] == ["persistence is degraded: the disk is full"]
    assert document["checks"]["persistence:state"][0]["status"] == "warn"


async def test_figures(client: QuartClient, backend: Backend, fill: Callable[..., None], now_ms: int) -> None:
    fill("a", [1, 2, 3])
    backend.board.note_child("recorder", backend.record_mailbox)
    backend.board.note_state("recorder", "running")
    backend.progress.committed(now_ms)
    response = await client.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    text = (await response.get_data()).decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r'coachiq_analytics_\w+(\{(\w+="[^"]*",?)+\})? -?[0-9.e+]+', line), line
    assert "coachiq_analytics_memory_samples 3" in lines
    assert "coachiq_analytics_ready 1" in lines
    assert 'coachiq_analytics_persistence_state{state="off"} 1' in lines
    assert 'coachiq_analytics_actor_state{actor="recorder",state="running"} 1' in lines
    assert 'coachiq_analytics_mailbox_capacity{actor="recorder"} 2' in lines
    assert any(line.startswith("coachiq_analytics_process_resident_memory_bytes ") for line in lines)
    names = [line.split("{")[0].split(" ")[0] for line in lines]
    described = re.findall(r"# TYPE (\w+) (?:gauge|counter)\n", text)
    assert list(dict.fromkeys(names)) == described
