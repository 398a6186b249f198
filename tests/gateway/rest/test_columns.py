"""All samples of one metric as columns: the same as the rows of /data, bit for bit, a part at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from gateway.backend import Backend
from gateway.rest import series
from storage.models import SeriesPart
from tests.fakes.memory_archive import MemoryArchive

Fill = Callable[..., None]


async def ask(client: QuartClient, path: str) -> dict[str, Any]:
    response = await client.get(f"/api/analytics/metrics/{path}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_the_same_samples_as_rows(client: QuartClient, fill: Fill) -> None:
    fill("a", [0.1, 1 / 3, 123456789.123456, -0.0, 5])
    columns, rows = await ask(client, "a/columns"), await ask(client, "a/data?resolution=raw")
    assert columns["timestamps"] == [point["timestamp"] for point in rows["data_points"]]
    values = np.array([point["value"] for point in rows["data_points"]])
    assert np.array(columns["values"], dtype=np.float64).tobytes() == values.tobytes()
    for name in ("metric_name", "unit", "resolution", "next_start", "complete", "incomplete_reason"):
        assert columns[name] == rows[name]
    assert "counts" not in columns


async def test_buckets(client: QuartClient, fill: Fill) -> None:
    fill("a", np.arange(7200) / 7)
    columns, rows = await ask(client, "a/columns?resolution=5m"), await ask(client, "a/data?resolution=5m")
    members = {"timestamps": "timestamp", "values": "value", "minimums": "min", "maximums": "max", "counts": "count"}
    for name, member in members.items():
        assert columns[name] == [point[member] for point in rows["data_points"]]


async def test_a_part_at_a_time(client: QuartClient, fill: Fill) -> None:
    fill("a", np.arange(250))
    found: list[float] = []
    link: str | None = "/api/analytics/metrics/a/columns?limit=100"
    while link is not None:
        response = await client.get(link)
        part = json.loads(await response.get_data())
        assert len(part["values"]) <= 100
        found += part["values"]
        header = response.headers.get("Link")
        assert (header is None) == (part["next_start"] is None)
        link = None if header is None else header.removesuffix('>; rel="next"').removeprefix("<")
    assert found == list(range(250))


async def test_buckets_a_part_at_a_time(client: QuartClient, fill: Fill) -> None:
    fill("a", np.arange(120), step_ms=60_000)
    found: list[float] = []
    start: float | None = 0.0
    while start is not None:
        part = await ask(client, f"a/columns?resolution=1m&limit=50&start={start}")
        assert len(part["values"]) <= 50
        found += part["values"]
        start = part["next_start"]
    assert found == list(range(120))


async def test_an_archive_read_in_pieces(
    client: QuartClient, backend: Backend, now_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "READ_AT_ONCE", 10)
    archive = MemoryArchive()
    times = now_ms - 3_600_000 + np.arange(95, dtype=np.int64) * 1_000
    await archive.append([SeriesPart("a", times, np.arange(95.0))])
    backend.history.archive = archive
    part = await ask(client, "a/columns?limit=40")
    assert (part["values"], part["next_start"]) == (list(range(40)), times[40] / 1000)
    assert (await ask(client, "a/columns"))["values"] == list(range(95))


async def test_no_such_metric_and_a_bad_span(client: QuartClient, fill: Fill) -> None:
    assert (await client.get("/api/analytics/metrics/b/columns")).status_code == 404
    fill("a", [1])
    response = await client.get("/api/analytics/metrics/a/columns?start=5&end=5")
    assert response.status_code == 422
    assert (await client.get("/api/analytics/metrics/a/columns?limit=300001")).status_code == 422
    empty = await ask(client, "a/columns?start=5&end=6")
    assert (empty["timestamps"], empty["values"]) == ([], [])
