"""What memory still holds and the archive has already thinned: counted once, whichever tier it is read from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from storage.budget import Budget
from storage.history import History
from storage.memory import MemoryTier
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
T0_MS = 1_790_000_000_000 // DAY_MS * DAY_MS
DAYS = 10
NOW_MS = T0_MS + DAYS * DAY_MS
A_DAY = DAY_MS // 1_000


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=Budget(1_600_000))
    yield archive
    await archive.aclose()


@pytest.fixture
async def history(archive: SqliteArchive) -> History:
    """Ten days at once, by a second: all in memory, minutes and hours of most of it in the archive."""
    memory = MemoryTier(retention_ms=30 * DAY_MS, budget_bytes=100_000_000)
    rng = np.random.default_rng(3)
    for quarter in range(4 * DAYS):
        times = T0_MS + quarter * DAY_MS // 4 + np.arange(A_DAY // 4, dtype=np.int64) * 1_000 + 137
        part = SeriesPart("a", times, np.round(rng.normal(13, 2, A_DAY // 4), 3))
        memory.append(part, seq=quarter + 1, now_ms=NOW_MS)
        await archive.append([part])
        while await archive.thin():
            pass
    history = History(memory, lambda: NOW_MS)
    history.archive = archive
    return history


async def test_buckets_count_each_sample_once(history: History, archive: SqliteArchive) -> None:
    assert await archive.thinned("a", T0_MS, NOW_MS)
    days = (await history.buckets(["a"], T0_MS, NOW_MS, DAY_MS)).buckets["a"]
    assert days.count.tolist() == [A_DAY] * DAYS
    part_of_a_day = (await history.buckets(["a"], T0_MS + DAY_MS // 3, T0_MS + DAY_MS // 2, HOUR_MS)).buckets["a"]
    assert part_of_a_day.count.tolist() == [3_600] * 4


async def test_a_window_has_samples_or_what_is_left_of_them_and_not_both(
    history: History, archive: SqliteArchive
) -> None:
    spans = await archive.thinned("a", T0_MS, NOW_MS)
    whole = (await history.window(["a"], T0_MS, NOW_MS)).windows["a"]
    stored = (await archive.window(["a"], T0_MS, NOW_MS))["a"]
    for first_ms, last_ms in spans:
        inside, there = ((w.times >= first_ms) & (w.times < last_ms) for w in (whole, stored))
        assert whole.times[inside].tolist() == stored.times[there].tolist()
    apart = sum(last_ms - first_ms for first_ms, last_ms in spans)
    assert 0 < apart < DAYS * DAY_MS
    assert len(whole) < DAYS * A_DAY


async def test_a_sample_that_comes_late_for_such_a_span_does_not_count_the_rest_again(history: History) -> None:
    memory = history._memory
    memory.append(SeriesPart("a", np.array([T0_MS + 500]), np.array([13.0])), seq=4 * DAYS + 1, now_ms=NOW_MS)
    days = (await history.buckets(["a"], T0_MS, NOW_MS, DAY_MS)).buckets["a"]
    assert days.count.tolist() == [A_DAY] * DAYS
