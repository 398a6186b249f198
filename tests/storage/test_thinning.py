"""Thinning: counts and extremes add up to the sample, the budget holds, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from actors.housekeeper import PACK_SAMPLES
from storage.archive import ArchiveError
from storage.budget import Budget
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
T0_MS = 1_790_000_000_000 // DAY_MS * DAY_MS
BUDGET = Budget(1_600_000)


def noise(name: str, first: int, samples: int, step_ms: int = 1_000) -> SeriesPart:
    rng = np.random.default_rng(first)
    times = T0_MS + (first + np.arange(samples, dtype=np.int64)) * step_ms
    return SeriesPart(name, times, np.round(rng.normal(13, 2, samples), 3))


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=BUDGET)
    yield archive
    await archive.aclose()


async def thin_out(archive: SqliteArchive) -> int:
    steps = 0
    while await archive.thin():
        steps += 1
        assert steps < 5_000, "thinning finds no end"
    return steps


async def days_of(archive: SqliteArchive, name: str) -> tuple[list[int], list[float], list[float]]:
    buckets = (await archive.buckets([name], 0, 2**50, DAY_MS))[name]
    return buckets.count.tolist(), buckets.minimum.tolist(), buckets.maximum.tolist()


async def test_nothing_is_thinned_while_there_is_room(archive: SqliteArchive) -> None:
    await archive.append([noise("a", 0, 20_000)])
    assert await archive.thin() == 0
    assert len((await archive.window(["a"], 0, 2**50))["a"]) == 20_000


async def test_what_is_thinned_still_adds_up(archive: SqliteArchive) -> None:
    whole = [noise("a", first, 21_600) for first in range(0, 864_000, 21_600)]
    for part in whole:
        await archive.append([part])
        await thin_out(archive)
        status = await archive.status()
        assert status.size_bytes <= BUDGET.total
    times = np.concatenate([part.times for part in whole])
    values = np.concatenate([part.values for part in whole])
    count, low, high = await days_of(archive, "a")
    assert count == [86_400] * 10
    for day in range(10):
        inside = (times - T0_MS) // DAY_MS == day
        assert (low[day], high[day]) == (values[inside].min(), values[inside].max())
    means = (await archive.buckets(["a"], 0, 2**50, HOUR_MS))["a"]
    hours = (times - T0_MS) // HOUR_MS
    right = np.bincount(hours, values) / np.bincount(hours)
    span = means.maximum - means.minimum
    assert (np.abs(means.total / means.count - right) <= span / 1_000).all()
    raw = (await archive.window(["a"], T0_MS + 9 * DAY_MS, 2**50))["a"]
    assert raw.values[-10_000:].tolist() == values[-10_000:].tolist()
    oldest = (await archive.window(["a"], 0, T0_MS + HOUR_MS))["a"]
    assert len(oldest) in (1, 60)  # hours, or still minutes: means in place of samples


async def test_samples_sent_again_after_thinning_are_not_counted_twice(archive: SqliteArchive) -> None:
    parts = [noise("a", first, 21_600) for first in range(0, 864_000, 21_600)]
    for part in parts:
        await archive.append([part])
        await thin_out(archive)
    before = await days_of(archive, "a")
    await archive.append([parts[0]])
    assert await days_of(archive, "a") == before
    await archive.append([SeriesPart("a", part.times[:300], part.values[:300]) for part in parts[:3]])
    assert await days_of(archive, "a") == before
    while await archive.compact(1):
        pass
    assert await days_of(archive, "a") == before


async def test_a_metric_that_seldom_speaks_keeps_its_samples(archive: SqliteArchive) -> None:
    await archive.append([noise("door", 0, 200, 30 * 60_000)])
    await archive.compact(1)
    for first in range(0, 400_000, 21_600):
        await archive.append([noise("a", first, 21_600)])
        await thin_out(archive)
    door = (await archive.window(["door"], 0, 2**50))["door"]
    assert door.values.tolist() == noise("door", 0, 200, 30 * 60_000).values.tolist()


async def test_a_file_filled_by_what_was_never_packed_has_room_again(archive: SqliteArchive) -> None:
    """Long before as many samples wait as are packed at once elsewhere."""
    rng = np.random.default_rng(1)
    kept = 0

    async def append(parts: int) -> None:
        nonlocal kept
        for _ in range(parts):
            times = T0_MS + (kept + np.arange(1_000, dtype=np.int64)) * 1_000
            await archive.append([SeriesPart("a", times, rng.normal(0, 1, 1_000))])
            kept += 1_000

    with pytest.raises(ArchiveError, match="full"):
        await append(PACK_SAMPLES // 1_000)
    await thin_out(archive)
    await append(5)
    assert sum((await days_of(archive, "a"))[0]) == kept


async def test_the_oldest_goes_at_last_and_the_newest_stays(tmp_path: Path) -> None:
    archive = await open_sqlite_archive(tmp_path / "small.db", budget=Budget(900_000))
    for first in range(0, 6_000_000, 21_600):
        await archive.append([noise("a", first, 21_600)])
        await thin_out(archive)
    newest = (await archive.window(["a"], 0, 2**50, limit=1))["a"]
    assert newest.times[0] > T0_MS + 5_900_000 * 1_000
    assert (await archive.status()).size_bytes <= 900_000
    await archive.aclose()


async def test_a_sample_a_second_keeps_thirty_days_though_raw_does_not_fit(tmp_path: Path) -> None:
    """As 200 metrics in 100 MB, with a hundredth of both: the newest hours as they came, minutes and hours before."""
    budget = Budget(1_000_000)
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=budget)
    for hour in range(0, 30 * 24, 6):
        first = hour * 3_600
        at = first + np.arange(21_600)
        rng = np.random.default_rng(first)
        current = np.round(rng.normal(13, 2, len(at)), 2)
        temperature = np.round(20 + 5 * np.sin(at / 13_750) + rng.normal(0, 0.1, len(at)), 1)
        times = T0_MS + at.astype(np.int64) * 1_000
        await archive.append([SeriesPart("current", times, current), SeriesPart("temperature", times, temperature)])
        await thin_out(archive)
        assert (await archive.status()).size_bytes <= budget.total
    end_ms = T0_MS + 30 * DAY_MS
    raw_from_ms = (await archive.status()).raw_from_ms
    assert raw_from_ms is not None
    assert raw_from_ms == (await archive.usage()).raw_from_ms
    assert HOUR_MS < end_ms - raw_from_ms < 29 * DAY_MS
    for name in ("current", "temperature"):
        count, low, high = await days_of(archive, name)
        assert count == [86_400] * 30  # not one sample is missing from the counts
        assert (np.array(low) < np.array(high)).all()
        hours = (await archive.buckets([name], 0, 2**50, HOUR_MS))[name]
        assert hours.count.tolist() == [3_600] * 720
        raw = (await archive.window([name], raw_from_ms, 2**50))[name]  # and what is said of raw is so
        assert raw.times.tolist() == list(range(-(-raw_from_ms // 1_000) * 1_000, end_ms, 1_000))
    await archive.aclose()
