"""GET /storage: what lies on disk adds up, whatever state the archive is in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from gateway.backend import Backend
from storage.budget import Budget
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive

HOUR_MS = 3_600_000


@pytest.fixture
async def archive(backend: Backend, tmp_path: Path, now_ms: int) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=Budget(700_000))
    backend.history.archive = archive
    backend.progress.set_state("on")
    yield archive
    await archive.aclose()


def noise(name: str, last_ms: int, samples: int, step_ms: int) -> SeriesPart:
    times = last_ms - np.arange(samples, dtype=np.int64)[::-1] * step_ms
    return SeriesPart(name, times, np.round(np.random.default_rng(samples).normal(13, 2, samples), 3))


async def ask(client: QuartClient, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/api/analytics/storage{query}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_with_persistence_off_there_is_nothing(client: QuartClient) -> None:
    answer = await ask(client)
    assert (answer["persistence"], answer["complete"], answer["file"], answer["metrics"]) == ("off", True, None, [])


async def test_everything_is_counted_wherever_it_lies(client: QuartClient, archive: SqliteArchive, now_ms: int) -> None:
    await archive.append([noise("fast", now_ms - HOUR_MS, 10_000, 1_000)])  # chunks
    await archive.append([noise("slow", now_ms - HOUR_MS, 300, 60_000), noise("other", now_ms - HOUR_MS, 200, 60_000)])
    await archive.compact(1)  # a pack
    await archive.append([noise("fast", now_ms, 150, 1_000)])  # the journal
    await archive.append([noise("slow", now_ms, 3, 60_000)])  # rows
    answer = await ask(client)
    found = {metric["name"]: metric for metric in answer["metrics"]}
    assert {name: metric["samples"] for name, metric in found.items()} == {"fast": 10_150, "slow": 303, "other": 200}
    assert answer["total_samples"] == 10_653
    assert sum(metric["share"] for metric in found.values()) == pytest.approx(1, abs=0.01)
    assert answer["metrics"][0]["name"] == "fast"
    assert found["fast"]["bytes"] / 10_150 == pytest.approx(found["fast"]["bytes_per_sample"], rel=0.01)
    assert 0 < sum(metric["bytes"] for metric in found.values()) < answer["file"]["used_bytes"]
    assert answer["unpacked_samples"] == 150
    (span,) = found["fast"]["resolutions"]
    assert (span["resolution"], span["end"]) == ("raw", now_ms / 1000)
    assert span["start"] == (now_ms - HOUR_MS - 9_999_000) / 1000
    assert answer["raw_since"] == (now_ms - HOUR_MS - 299 * 60_000) / 1000
    assert found["fast"]["bytes_per_day"] > found["slow"]["bytes_per_day"] > 0
    assert answer["days_until_thinning"] is None or answer["days_until_thinning"] > 0
    assert len((await ask(client, "?limit=1"))["metrics"]) == 1


async def test_what_was_thinned_shows_its_resolution(client: QuartClient, archive: SqliteArchive, now_ms: int) -> None:
    for hours in range(720, 0, -6):
        await archive.append([noise("a", now_ms - hours * HOUR_MS, 21_600, 1_000)])
        while await archive.thin():
            pass
    (metric,) = (await ask(client))["metrics"]
    spans = metric["resolutions"]
    assert [span["resolution"] for span in spans] == ["1h", "1m", "raw"]
    assert metric["samples"] == 120 * 21_600
    assert spans[0]["end"] < spans[1]["end"] < spans[2]["end"]
    answer = await ask(client)
    assert spans[1]["end"] < answer["raw_since"] < spans[2]["end"]
    assert answer["file"]["size_bytes"] <= answer["file"]["budget_bytes"] == 700_000


async def test_an_archive_that_does_not_answer_is_said_so(client: QuartClient, archive: SqliteArchive) -> None:
    await archive.aclose()
    answer = await ask(client)
    assert (answer["complete"], answer["incomplete_reason"]) == (False, "the archive is closed")
    assert answer["metrics"] == []


async def test_raw_pages_lead_through_what_was_thinned(
    client: QuartClient, archive: SqliteArchive, now_ms: int
) -> None:
    for hours in range(240, 0, -6):
        await archive.append([noise("a", now_ms - hours * HOUR_MS, 21_600, 1_000)])
        while await archive.thin():
            pass
    stored = (await archive.window(["a"], 0, 2**50))["a"].times.tolist()
    assert len(stored) < 40 * 21_600
    start_s, found = 0.0, []
    for _ in range(100):
        path = f"/api/analytics/metrics/a/data?resolution=raw&start={start_s}&end={now_ms / 1000}&max_points=10000"
        answer = json.loads(await (await client.get(path)).get_data())
        found += [round(point["timestamp"] * 1000) for point in answer["data_points"]]
        if answer["next_start"] is None:
            break
        start_s = answer["next_start"]
    assert found == stored
