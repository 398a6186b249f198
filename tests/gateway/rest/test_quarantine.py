"""Samples in quarantine over HTTP: kept, flagged, out of statistics, repaired by one call."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import trio
from quart.testing import QuartClient

from analytics.catalogue_text import parse_catalogue
from gateway.backend import Backend
from storage.memory import MemoryTier
from storage.models import SeriesPart
from tests.gateway.rest.conftest import NOW_MS, Recorder, make_backend

NAME = "fridge.temperature"


@pytest.fixture
def backend() -> Backend:
    memory = MemoryTier(retention_ms=7_200_000, max_series=50)
    catalogue = parse_catalogue({"metrics": [{"pattern": NAME, "unit": "°C", "plausible": [-30, 60]}]})
    flags = {"analytics_dashboard": {"enabled": True}, "persistence": {"enabled": False}}
    values = np.linspace(2.0, 6.0, 60)
    values[20], values[40] = -127.0, 500.0
    times = NOW_MS - 3_600_000 + 60_000 * np.arange(60, dtype=np.int64)
    memory.append(SeriesPart(NAME, times, values), seq=1, now_ms=NOW_MS)
    memory.append(SeriesPart("free", times, values), seq=2, now_ms=NOW_MS)
    return make_backend(lambda: NOW_MS, flags, catalogue=catalogue, memory=memory, ready=True)


async def ask(client: QuartClient, path: str) -> dict[str, Any]:
    response = await client.get(f"/api/analytics/{path}")
    answer: dict[str, Any] = json.loads(await response.get_data())
    assert response.status_code == 200, answer
    return answer


async def repair(backend: Backend, client: QuartClient, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Recorder(backend).run)
        response = await client.post("/api/analytics/quarantine/repair", json=body)
        nursery.cancel_scope.cancel()
    return response.status_code, json.loads(await response.get_data())


async def test_what_cannot_be_true_is_listed_and_counts_for_nothing(client: QuartClient) -> None:
    answer = await ask(client, "quarantine")
    (metric,) = answer["metrics"]
    assert metric["metric_name"] == NAME
    assert [point["value"] for point in metric["points"]] == [-127.0, 500.0]
    assert (metric["plausible_low"], metric["plausible_high"]) == (-30.0, 60.0)
    trends = await ask(client, f"trends?metrics={NAME}&time_window_hours=2&resolution=5m")
    points = trends["metrics"][NAME]["data_points"]
    assert all(2.0 <= point["min"] <= point["max"] <= 6.0 for point in points)
    raw = await ask(client, f"metrics/{NAME}/data?resolution=raw")
    assert sum(point["value"] in (-127.0, 500.0) for point in raw["data_points"]) == 2  # kept


async def test_one_call_repairs_and_says_what_had_been_there(backend: Backend, client: QuartClient) -> None:
    status, answer = await repair(backend, client, {"metric_name": NAME})
    assert (status, answer["found"], answer["repaired"]) == (200, 2, 2)
    assert [point["was"] for point in answer["points"]] == [-127.0, 500.0]
    assert all(2.0 < point["now"] < 6.0 for point in answer["points"])
    assert (await ask(client, "quarantine"))["total"] == 0


async def test_a_unit_that_had_changed_is_scaled_back(backend: Backend, client: QuartClient) -> None:
    status, answer = await repair(backend, client, {"metric_name": NAME, "method": "scale", "factor": 0.01})
    assert (status, answer["found"], answer["repaired"]) == (200, 2, 2)
    assert [point["now"] for point in answer["points"]] == [-1.27, 5.0]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"metric_name": "nobody"}, 404, "nobody"),
        ({"metric_name": "free"}, 409, "free"),
        ({"metric_name": NAME, "method": "scale"}, 422, "factor"),
        ({"metric_name": NAME, "method": "scale", "factor": 0}, 422, "factor: is needed"),
        ({"metric_name": NAME, "start": 5, "end": 4}, 422, "start: must not lie after end"),
        ({"metric_name": NAME, "start": 9e9}, 422, "start: must not lie after end"),
        ({"metric_name": NAME, "factor": 2}, 422, "factor"),
    ],
)
async def test_refusals_name_what_is_wrong(
    backend: Backend, client: QuartClient, body: dict[str, Any], status: int, words: str
) -> None:
    got, answer = await repair(backend, client, body)
    assert got == status
    assert words in answer["detail"]
