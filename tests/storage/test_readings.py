"""Counters: what was counted per hour is the same wherever buckets begin, end and are cut short."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.rates import rates
from storage.archive import ArchiveError
from storage.grid import sum_up
from storage.history import History
from storage.memory import MemoryTier
from storage.models import SeriesPart, Window
from storage.readings import Readings, at_ends, last_of_each, last_readings
from tests.fakes.memory_archive import MemoryArchive

HOUR = 3_600_000
MINUTE = 60_000
NOW = 1_790_000_000_000 // HOUR * HOUR + 17 * MINUTE
STEP = 15 * MINUTE
ANYTHING = (None, None)


def counted(gap_ms: float = MINUTE, hours: int = 24) -> Window:
    """One an hour, until now."""
    times = NOW - (np.arange(int(hours * HOUR / gap_ms))[::-1] * gap_ms).astype(np.int64)
    return Window(times, (times - NOW) / HOUR + 1_000)


def without(window: Window, first_ms: int, end_ms: int) -> Window:
    keep = (window.times < NOW + first_ms) | (window.times >= NOW + end_ms)
    return Window(window.times[keep], window.values[keep])


@pytest.mark.parametrize("gap_ms", [MINUTE, 60_300, 7 * MINUTE, 20 * MINUTE])
def test_a_steady_count_is_a_steady_rate_at_any_cadence(gap_ms: float) -> None:
    window = without(counted(gap_ms), -9 * HOUR, -7 * HOUR + 5 * MINUTE)
    times, values = last_of_each(window, STEP, ANYTHING)
    assert rates(times, values)[1] == pytest.approx(1.0)
    assert (np.diff(times) * 2 >= STEP).all()
    assert len(times) >= 21 * HOUR // max(STEP, int(gap_ms)) - 2


def test_what_is_implausible_was_not_read() -> None:
    window = counted()
    values = window.values.copy()
    values[100:140] = 1e9
    found = last_of_each(Window(window.times, values), STEP, (0.0, 1e6))
    assert rates(*found)[1] == pytest.approx(1.0)
    assert len(last_of_each(Window(window.times, values), STEP, (None, -1.0))[0]) == 0


def test_at_the_end_of_buckets_the_same_is_nearly_known() -> None:
    times, values = at_ends(sum_up(without(counted(), -9 * HOUR, -7 * HOUR + 5 * MINUTE), STEP))
    assert rates(times, values)[1] == pytest.approx(1.0)
    assert len(times) == pytest.approx(22 * 4, abs=2)
    assert len(at_ends(sum_up(Window(times[:0], values[:0]), STEP))[0]) == 0


async def read(history: History, most: int = 10_000) -> Readings:
    start_ms = NOW - 24 * HOUR
    found = await history.buckets(["run_time"], start_ms - start_ms % STEP, NOW + 1, STEP)
    return await last_readings(history, found.buckets, start_ms - start_ms % STEP, NOW + 1, most=most)


async def test_samples_are_read_where_they_are_few() -> None:
    memory = MemoryTier(retention_ms=48 * HOUR)
    window = counted()
    memory.append(SeriesPart("run_time", window.times, window.values), seq=1, now_ms=NOW)
    history = History(memory, lambda: NOW)
    few, many = await read(history), await read(history, most=100)
    assert (len(few.read["run_time"]), dict(many.read)) == (24 * 60, {})
    for found in (few, many):
        assert rates(*found.series["run_time"])[1] == pytest.approx(1.0)
    assert int(few.series["run_time"][0][-1]) == NOW - NOW % STEP - MINUTE  # the two minutes since say little


async def test_an_archive_in_trouble_is_said() -> None:
    memory = MemoryTier(retention_ms=48 * HOUR)
    window = counted()
    memory.append(SeriesPart("run_time", window.times, window.values), seq=1, now_ms=NOW)
    history = History(memory, lambda: NOW)
    found = await history.buckets(["run_time"], NOW - HOUR, NOW + 1, STEP)
    archive = MemoryArchive()
    archive.trouble = ArchiveError("unavailable", "the disk is gone")
    history.archive = archive
    again = await last_readings(history, found.buckets, NOW - HOUR, NOW + 1)
    assert again.reason == "the disk is gone"
    assert len(again.series["run_time"][0]) == 4
