"""kill -9 of the whole service while an action is on its way, and a start on the same files: nothing is sent twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.fakes.misbehaving_core import MisbehavingCore

pytestmark = pytest.mark.system

ACTIONS = "/api/analytics/actions"
FAN = "refrigerator_fan"
KEY = {"Idempotency-Key": "press-0001"}


def advised(service: Any) -> str:
    """A warm refrigerator, for half an hour; returns the id of the button for its fan."""
    now = time.time()
    times = [now - age for age in range(1800, 0, -10)]
    series = [{"metric_name": "fridge.temperature", "timestamps": times, "values": [9.0] * len(times)}]
    assert service.post("/api/analytics/metrics/batch", {"series": series}).status == 200

    def button() -> str | None:
        found = service.get(f"{ACTIONS}/recommendations").json["recommendations"]
        return found[0]["recommendation_id"] if found else None

    id_: str = service.wait_for(button)
    return id_


def press(service: Any, recommendation_id: str) -> Any:
    return service.request("POST", ACTIONS, {"recommendation_id": recommendation_id}, KEY)


@pytest.mark.parametrize(
    ("phase", "how", "expected", "effects"),
    [
        ("confirmed", "sound", "expired", 0),
        ("sending", "never", "reconciled", 1),  # done, and never answered
        ("unknown", "timeout", "reconciled", 1),
        ("succeeded", "sound", "succeeded", 1),
    ],
)
async def test_killed_and_started_again(
    start: Callable[..., Any], tmp_path: Path, phase: str, how: str, expected: str, effects: int
) -> None:
    core = MisbehavingCore(misbehave=lambda: how, states={FAN: False}, kinds={FAN: "fan"})

    def scenario() -> None:
        environ = {"DB_PATH": str(tmp_path / "analytics.db"), "PERSISTENCE": "true", "CORE_URL": core.url}
        first = start(**environ)
        button = advised(first)
        answer = press(first, button)
        assert (answer.status, answer.json["persisted"]) == (202, True)
        where = f"{ACTIONS}/{answer.json['action_id']}"
        if phase == "unknown":  # and stays so, for its state can't be read
            first.wait_for(lambda: core.received)
            core.reads_fail = True
        first.wait_for(lambda: first.get(where).json["state"] == phase)
        first.kill()
        core.reads_fail = False

        second = start(**environ)
        over = ("succeeded", "reconciled", "expired")
        second.wait_for(lambda: second.get(where).json["state"] in over)
        assert second.get(where).json["state"] == expected
        replay = press(second, button)
        assert (replay.status, replay.json["action_id"]) == (200, answer.json["action_id"])
        audit = second.get(f"{ACTIONS}/audit").json
        assert audit["verified"] is True
        assert second.terminate() == 0

    async with trio.open_nursery() as nursery:
        await nursery.start(core.run)
        await trio.to_thread.run_sync(scenario)
        nursery.cancel_scope.cancel()
    assert len(core.received) == len(core.effects) == effects
