"""The coach at a glance over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from quart.testing import QuartClient

from actors.health import HealthBoard
from analytics.threshold import AlertState, Phase, Threshold
from gateway.backend import Backend

NOW_MS = 1_760_000_000_000


async def test_an_empty_service(client: QuartClient) -> None:
    answer = json.loads(await (await client.get("/api/analytics/overview")).get_data())
    assert answer == {
        "groups": [],
        "power": [],
        "total_metrics": 0,
        "first_timestamp": None,
        "simulated": False,
        "generated_at": 1_760_000_000.0,
    }


async def test_tiles_with_their_limits(client: QuartClient, fill: Callable[..., None]) -> None:
    fill("battery.house.voltage", [13.0, 11.0])
    answer = json.loads(await (await client.get("/api/analytics/overview")).get_data())
    (group,) = answer["groups"]
    assert group["group"] == "other"  # this catalogue gives the battery no role
    (tile,) = group["tiles"]
    assert (tile["title"], tile["unit"], tile["value"], tile["level"]) == ("House battery", "V", 11.0, "warning")
    assert (tile["low"], tile["high"], tile["timestamp"]) == (12.0, 14.8, answer["generated_at"])
    assert answer["first_timestamp"] == answer["generated_at"] - 1


@pytest.mark.parametrize(("state", "level"), [("firing", "warning"), ("recovering", "ok")])
async def test_what_an_alert_recovers_from_is_back_within_its_limits(
    client: QuartClient, backend: Backend, fill: Callable[..., None], state: Phase, level: str
) -> None:
    fill("battery.house.voltage", [13.0])
    known = Threshold(
        threshold_id="t", name="t", metric="battery.house.voltage", role=None, condition="above", low=None, high=12.9
    )
    alarms = backend.control.alarms
    alarms.replace([known], NOW_MS)
    alarms.watch.restore({("t", "battery.house.voltage"): AlertState(state, NOW_MS, "above", fired_ms=NOW_MS)}, NOW_MS)
    answer = json.loads(await (await client.get("/api/analytics/overview")).get_data())
    assert answer["groups"][0]["tiles"][0]["level"] == level


async def test_a_simulated_coach_is_called_one(client: QuartClient, backend: Backend) -> None:
    board: HealthBoard = backend.board
    board.note_child("simulated_coach")
    answer = json.loads(await (await client.get("/api/analytics/overview")).get_data())
    assert answer["simulated"] is True
