"""What moves with what, and what a day usually looks like, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from quart.testing import QuartClient

from analytics.local_time import LocalTime
from gateway.backend import Backend
from storage.memory import MemoryTier

Fill = Callable[..., None]
HOUR_MS = 3_600_000


@pytest.fixture
def backend(backend: Backend) -> Backend:
    """One that remembers weeks."""
    backend.memory = MemoryTier(retention_ms=60 * 24 * HOUR_MS, max_series=50)
    backend.history._memory = backend.memory
    return backend


async def ask(client: QuartClient, path: str) -> dict[str, Any]:
    response = await client.get(f"/api/analytics/{path}")
    answer: dict[str, Any] = json.loads(await response.get_data())
    assert response.status_code == 200, answer
    return answer


async def test_what_moves_together_stands_together(client: QuartClient, fill: Fill) -> None:
    random = np.random.default_rng(7)
    one, other = random.normal(size=(2, 400))
    fill("a", one, step_ms=HOUR_MS)
    fill("b", other, step_ms=HOUR_MS)
    fill("c", 3 * one + 0.2 * random.normal(size=400), step_ms=HOUR_MS)
    fill("d", -other + 0.2 * random.normal(size=400), step_ms=HOUR_MS)
    fill("light.e", one > 0, step_ms=HOUR_MS)
    answer = await ask(client, "correlations?time_window_hours=400")
    names = [each["metric"] for each in answer["metrics"]]
    assert sorted(names) == ["a", "b", "c", "d"]  # states take no part
    assert abs(names.index("a") - names.index("c")) == abs(names.index("b") - names.index("d")) == 1
    found = {frozenset((names[cell["a"]], names[cell["b"]])): cell for cell in answer["cells"]}
    assert set(found) == {frozenset("ac"), frozenset("bd")}
    assert all(cell["a"] < cell["b"] for cell in answer["cells"])
    assert found[frozenset("ac")]["coefficient"] > 0.9
    assert found[frozenset("bd")]["coefficient"] < -0.9
    assert "moves closely against" in found[frozenset("bd")]["text"]


async def test_who_leads_is_told_the_right_way_round(client: QuartClient, fill: Fill) -> None:
    walk = np.random.default_rng(3).normal(size=500)
    fill("z", walk[2:], step_ms=HOUR_MS)
    fill("a", walk[:-2], step_ms=HOUR_MS)  # two hours behind z
    answer = await ask(client, "correlations?time_window_hours=498")
    (cell,) = answer["cells"]
    names = [each["metric"] for each in answer["metrics"]]
    leader = names[cell["a"]] if cell["lag_seconds"] > 0 else names[cell["b"]]
    assert (leader, abs(cell["lag_seconds"])) == ("z", 7200.0)
    assert cell["text"] == "Z moves closely with A; Z leads by about 2.0 h"


async def test_a_day_on_the_readers_clock(client: QuartClient, fill: Fill, now_ms: int) -> None:
    hours = np.arange(24 * 20) + now_ms // HOUR_MS - 24 * 20 + 1
    values = np.where(hours % 24 == 13, 100.0, 10.0) + np.random.default_rng(1).normal(size=len(hours))
    fill("battery.house.voltage", values, step_ms=HOUR_MS, end_ms=int(hours[-1]) * HOUR_MS)
    answer = await ask(client, "cycles?metric=battery.house.voltage&days=14&utc_offset_minutes=120")
    assert answer["days"] == 14
    assert max(answer["hours"], key=lambda each: each["middle"])["hour"] == 15
    assert answer["hours"][15]["low"] < answer["hours"][15]["middle"] < answer["hours"][15]["high"]
    assert all(row[15] > 90 for row in answer["week"])
    assert answer["strength"] > 0.5
    assert "highest around 15:30" in answer["text"]  # the middle of the hour
    now_hour = (now_ms // HOUR_MS + 2) % 24
    assert [each["today"] is not None for each in answer["hours"]] == [hour <= now_hour for hour in range(24)]


async def test_a_day_on_the_coachs_clock_keeps_its_hours_when_the_clocks_change(
    client: QuartClient, backend: Backend, fill: Fill, now_ms: int
) -> None:
    backend.local_time = LocalTime(ZoneInfo("Australia/Sydney"))  # summer time began four days ago
    hours = np.arange(24 * 20) + now_ms // HOUR_MS - 24 * 20 + 1
    values = np.where(backend.local_time.wall(hours * HOUR_MS) // HOUR_MS % 24 == 7, 100.0, 10.0)
    fill("a", values, step_ms=HOUR_MS, end_ms=int(hours[-1]) * HOUR_MS)
    answer = await ask(client, "cycles?metric=a&days=18&clock=coach&utc_offset_minutes=120")
    assert (answer["time_zone"], answer["utc_offset_minutes"]) == ("Australia/Sydney", 660)
    assert [hour for hour, each in enumerate(answer["hours"]) if each["middle"] > 50] == [7]
    assert answer["hours"][7]["low"] > 99
    now_hour = (now_ms // HOUR_MS + 11) % 24
    assert [each["today"] is not None for each in answer["hours"]] == [hour <= now_hour for hour in range(24)]


async def test_too_little_to_tell(client: QuartClient, fill: Fill) -> None:
    fill("battery.house.voltage", [1.0, 2.0])
    answer = await ask(client, "cycles?metric=battery.house.voltage")
    assert (answer["days"], answer["strength"]) == (0, None)
    assert "has been seen on no day before today: too few" in answer["text"]
    assert answer["week"] == [[None] * 24] * 7


@pytest.mark.parametrize(("hours", "days"), [(24, "one day"), (48, "2 days")])
async def test_some_hours_of_a_day_are_no_whole_day(client: QuartClient, fill: Fill, hours: int, days: str) -> None:
    fill("a", np.ones(hours), step_ms=HOUR_MS)
    answer = await ask(client, "cycles?metric=a")
    assert answer["text"] == f"A has been seen on {days} before today: too few to tell a daily pattern."


async def test_noise_has_no_pattern(client: QuartClient, fill: Fill) -> None:
    fill("a", np.random.default_rng(5).normal(size=24 * 20), step_ms=HOUR_MS)
    answer = await ask(client, "cycles?metric=a&days=19")
    assert answer["strength"] < 0.25
    assert "no clear daily pattern" in answer["text"]


@pytest.mark.parametrize(("query", "status"), [("", 422), ("?metric=nobody", 404), ("?metric=a&days=1", 422)])
async def test_what_cannot_be_answered(client: QuartClient, query: str, status: int) -> None:
    response = await client.get(f"/api/analytics/cycles{query}")
    assert response.status_code == status
