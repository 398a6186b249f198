"""Usage: every sample and every byte is counted once, at the resolution it has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from storage.budget import Budget
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive

DAY_MS = 86_400_000
T0_MS = 1_790_000_000_000 // DAY_MS * DAY_MS


def noise(name: str, first: int, samples: int) -> SeriesPart:
    rng = np.random.default_rng(first)
    times = T0_MS + (first + np.arange(samples, dtype=np.int64)) * 1_000
    return SeriesPart(name, times, np.round(rng.normal(13, 2, samples), 3))


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=Budget(1_000_000))
    yield archive
    await archive.aclose()


async def pack(archive: SqliteArchive) -> None:
    while await archive.compact(1):
        pass


async def test_nothing_is_nothing(archive: SqliteArchive) -> None:
    use = await archive.usage()
    assert (use.metrics, use.journal_samples, use.damaged, use.raw_from_ms) == ((), 0, (), None)
    assert use.bytes_per_day == 0
    assert use.days_until_thinning(Budget(1_000_000), 30) is None
    assert use.days_until_thinning(None, 30) is None


async def test_what_waits_counts_before_it_is_packed_and_after(archive: SqliteArchive) -> None:
    for first in range(0, 6_000, 1_000):
        await archive.append([noise("a", first, 1_000)])
    await archive.append([noise("b", first, 1_000) for first in (0, 1_000)])
    waiting = await archive.usage()
    assert waiting.journal_samples == 8_000
    assert {each.name: each.samples for each in waiting.metrics} == {"a": 6_000, "b": 2_000}
    await pack(archive)
    packed = await archive.usage()
    assert packed.journal_samples == 0
    assert {each.name: each.samples for each in packed.metrics} == {"a": 6_000, "b": 2_000}
    assert [each.name for each in packed.metrics] == ["a", "b"]  # most bytes first
    assert packed.raw_from_ms == T0_MS
    blobs = await archive._read(lambda rows, _: rows("SELECT sum(length(data)) FROM analytics_chunks")[0][0])
    assert sum(each.bytes for each in packed.metrics) == pytest.approx(blobs)


async def test_a_rate_takes_ten_minutes_of_samples(archive: SqliteArchive) -> None:
    await archive.append([noise("a", 0, 500)])
    (short,) = (await archive.usage()).metrics
    assert short.bytes_per_day is None
    await archive.append([noise("a", 500, 500)])
    (long,) = (await archive.usage()).metrics
    assert long.bytes_per_day == pytest.approx(long.bytes * DAY_MS / 999_000)


async def test_few_samples_do_not_make_a_rate(archive: SqliteArchive) -> None:
    times = T0_MS + 600_000 * np.arange(10, dtype=np.int64)
    await archive.append([SeriesPart("a", times[:9], np.arange(9.0))])
    assert (await archive.usage()).metrics[0].bytes_per_day is None
    await archive.append([SeriesPart("a", times[9:], np.array([9.0]))])
    assert (await archive.usage()).metrics[0].bytes_per_day is not None


async def test_thinned_spans_come_first_and_counts_stay(archive: SqliteArchive) -> None:
    for first in range(0, 864_000, 21_600):
        await archive.append([noise("a", first, 21_600)])
        while await archive.thin():
            pass
    use = await archive.usage()
    (metric,) = use.metrics
    assert metric.samples == 864_000
    steps = [span.step_ms for span in metric.spans]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == 0
    assert len(steps) > 1
    assert use.raw_from_ms is not None
    assert metric.spans[0].first_ms <= T0_MS + 3_600_000
    assert use.raw_from_ms <= metric.spans[-1].first_ms
    assert use.days_until_thinning(Budget(1_000_000), 30) is not None
