"""Switching at run time, with dependencies, and the persister's word on persistence."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from quart.testing import QuartClient

from actors.messages import QuarantinedError, SwitchPersistence
from gateway.backend import Backend

PATH = "/api/analytics/features"


async def put(client: QuartClient, flag: str, body: Any) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await client.put(f"{PATH}/{flag}", data=data, headers={"Content-Type": "application/json"})
    return response.status_code, json.loads(await response.get_data())


async def test_the_flags(client: QuartClient) -> None:
    answer = json.loads(await (await client.get(PATH)).get_data())["features"]
    assert answer["analytics_dashboard_enhanced"] == {
        "enabled": True,
        "depends_on": ["analytics_dashboard"],
        "description": None,
    }
    assert answer["persistence"]["description"] == "Keeps samples on disk."


async def test_the_dashboard_off_and_on_again(client: QuartClient) -> None:
    status, answer = await put(client, "analytics_dashboard", {"enabled": False})
    assert (status, answer["changed"]) == (
        200,
        {"analytics_dashboard": False, "analytics_dashboard_enhanced": False},
    )
    for path in ("trends", "insights", "metrics", "metrics/a/data", "status", "health"):
        response = await client.get(f"/api/analytics/{path}")
        assert response.status_code == 404
        assert json.loads(await response.get_data())["detail"] == "Analytics dashboard disabled"
    response = await client.post("/api/analytics/metrics", data=b"{}")
    assert response.status_code == 404
    status, answer = await put(client, "analytics_dashboard_enhanced", {"enabled": True})
    assert status == 409
    assert "depends on analytics_dashboard" in answer["detail"]
    assert (await put(client, "analytics_dashboard", {"enabled": True}))[0] == 200
    assert (await client.get("/api/analytics/status")).status_code == 200


async def test_what_was_so_already_changes_nothing(client: QuartClient) -> None:
    status, answer = await put(client, "persistence", {"enabled": False})
    assert (status, answer["changed"], answer["message"]) == (200, {}, "persistence is off")


async def test_an_unknown_flag(client: QuartClient) -> None:
    status, answer = await put(client, "persistance", {"enabled": True})
    assert (status, answer["detail"]) == (404, "No feature is called persistance")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"enabled": "yes"}, 422),
        ({"enabled": 1}, 422),
        ({}, 422),
        ({"enabled": True, "x": 1}, 422),
        ([], 422),
        (b"{", 400),
        (b"[" * 100_000, 400),
    ],
)
async def test_bad_bodies(client: QuartClient, backend: Backend, body: Any, status: int) -> None:
    got, answer = await put(client, "persistence", body)
    assert (got, isinstance(answer["detail"], str)) == (status, True)
    assert not backend.flags.enabled("persistence")


@pytest.mark.parametrize(
    ("state", "reason", "message"),
    [
        ("on", None, "persistence is on"),
        ("degraded", "no room", "persistence is on, but not everything can be written yet: no room"),
    ],
)
async def test_persistence_is_answered_by_the_persister(
    client: QuartClient, backend: Backend, state: Any, reason: str | None, message: str
) -> None:
    async def switch(sent: object) -> None:
        await trio.lowlevel.checkpoint()
        assert isinstance(sent, SwitchPersistence)
        assert sent.enabled
        backend.progress.set_state(state, reason)
        sent.reply.set(None)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(backend.persist_mailbox.handle_next, switch)
        status, answer = await put(client, "persistence", {"enabled": True})
    assert (status, answer["message"], answer["changed"]) == (200, message, {"persistence": True})


@pytest.mark.parametrize("trouble", ["late", "quarantined", "closed"])
async def test_a_persister_in_trouble(
    client: QuartClient, backend: Backend, autojump_clock: trio.testing.MockClock, trouble: str
) -> None:
    async def fail(sent: object) -> None:
        await trio.lowlevel.checkpoint()
        assert isinstance(sent, SwitchPersistence)
        sent.reply.fail(QuarantinedError("x"))

    async with trio.open_nursery() as nursery:
        if trouble == "quarantined":
            nursery.start_soon(backend.persist_mailbox.handle_next, fail)
        if trouble == "closed":
            backend.persist_mailbox.close()
        status, _ = await put(client, "persistence", {"enabled": True})
    assert status == (500 if trouble == "quarantined" else 503)
    assert backend.control.store.persisted  # settings go where history will
