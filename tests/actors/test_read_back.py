"""Reading back: the last hours, whatever the clock says of them."""

from __future__ import annotations

import numpy as np
import pytest

from actors.read_back import AT_ONCE, read_back
from storage.memory import MemoryTier
from storage.models import SeriesPart
from tests.fakes.memory_archive import MemoryArchive

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
MINUTES = np.arange(-3 * 24 * 60, 1, dtype=np.int64) * 60_000  # three days up to now
YEARS_MS = 10 * 365 * 24 * HOUR_MS


@pytest.fixture
async def archive() -> MemoryArchive:
    archive = MemoryArchive()
    for name, last_ms in (("a", NOW_MS), ("b", NOW_MS - HOUR_MS)):
        await archive.append([SeriesPart(name, last_ms + MINUTES, np.zeros(len(MINUTES)))])
    return archive


async def restored(archive: MemoryArchive, now_ms: int) -> MemoryTier:
    memory = MemoryTier(retention_ms=2 * HOUR_MS)
    await read_back(archive, memory, now_ms, 2 * HOUR_MS)
    return memory


async def test_the_last_hours(archive):
    memory = await restored(archive, NOW_MS)
    assert [memory.info(name).samples for name in "ab"] == [121, 61]
    assert memory.complete_from_ms("a") == NOW_MS - 2 * HOUR_MS


async def test_after_months_in_storage_there_is_nothing_new(archive):
    assert (await restored(archive, NOW_MS + YEARS_MS)).names() == []


async def test_a_computer_that_starts_in_1970_reads_hours_and_not_everything(archive):
    memory = await restored(archive, 60_000)
    assert [memory.info(name).samples for name in "ab"] == [121, 61]
    assert memory.complete_from_ms("a") == NOW_MS - 2 * HOUR_MS  # what lies before is asked of the archive


async def test_what_a_clock_that_was_ahead_left_behind_takes_nothing_of_the_present(archive):
    stray_ms = NOW_MS + YEARS_MS
    await archive.append([SeriesPart("b", np.array([stray_ms - HOUR_MS, stray_ms]), np.zeros(2))])
    memory = await restored(archive, NOW_MS)
    assert [memory.info(name).samples for name in "ab"] == [121, 63]
    assert memory.complete_from_ms("a") == stray_ms - 2 * HOUR_MS


async def test_metrics_beyond_those_read_at_once(archive):
    names = [f"m{number:03}" for number in range(2 * AT_ONCE)]
    await archive.append([SeriesPart(name, np.array([NOW_MS]), np.zeros(1)) for name in names])
    assert (await restored(archive, NOW_MS)).names() == ["a", "b", *names]
