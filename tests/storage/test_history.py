"""The history: both tiers as one, against a plain dict, and without the archive."""

from __future__ import annotations

import numpy as np
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.archive import ArchiveError
from storage.grid import sum_up
from storage.history import History, merged_windows
from storage.memory import MemoryTier
from storage.models import Buckets, SeriesPart, Window
from tests.fakes.memory_archive import MemoryArchive

NOW_MS = 100_000


def part(name: str, times: list[int], values: list[float] | None = None) -> SeriesPart:
    values = values if values is not None else [float(time) for time in times]
    return SeriesPart(name, np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))


def as_dict(window: Window | None) -> dict[int, float]:
    return {} if window is None else dict(zip(window.times.tolist(), window.values.tolist(), strict=True))


def rows(buckets: Buckets | None) -> list[tuple[float, ...]]:
    if buckets is None:
        return []
    columns = (buckets.starts, buckets.count, buckets.total, buckets.minimum, buckets.maximum)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def plain(samples: dict[int, float], start: int, end: int, step: int) -> list[tuple[float, ...]]:
    inside = sorted((time, value) for time, value in samples.items() if start <= time < end)
    window = Window(np.array([t for t, _ in inside], np.int64), np.array([v for _, v in inside], np.float64))
    return rows(sum_up(window, step))


@pytest.fixture
def memory() -> MemoryTier:
    return MemoryTier(retention_ms=1_000, block_samples=4)


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


@pytest.fixture
def history(memory: MemoryTier, archive: MemoryArchive) -> History:
    history = History(memory, lambda: NOW_MS)
    history.archive = archive
    return history


async def test_memory_alone_is_complete(memory: MemoryTier, history: History) -> None:
    history.archive = None
    memory.append(part("a", [1, 2]), seq=1, now_ms=NOW_MS)
    found = await history.window(["a", "b"], 0, NOW_MS)
    assert (found.complete, found.reason) == (True, None)
    assert {name: as_dict(window) for name, window in found.windows.items()} == {"a": {1: 1.0, 2: 2.0}}
    assert rows((await history.buckets(["a"], 0, 10, 10)).buckets["a"]) == [(0, 2, 3, 1, 2)]
    assert await history.names() == ["a"]
    assert {name: (each.time_ms, each.value) for name, each in history.latest().items()} == {"a": (2, 2.0)}


async def test_both_tiers_without_duplicates_and_memory_wins(
    memory: MemoryTier, archive: MemoryArchive, history: History
) -> None:
    await archive.append([part("a", [1, 2, 3], [10, 20, 30]), part("old", [5])])
    memory.append(part("a", [3, 4], [31, 40]), seq=1, now_ms=NOW_MS)
    found = await history.window(["a", "old"], 0, NOW_MS)
    assert as_dict(found.windows["a"]) == {1: 10, 2: 20, 3: 31, 4: 40}
    assert as_dict(found.windows["old"]) == {5: 5}
    assert rows((await history.buckets(["a"], 0, 10, 10)).buckets["a"]) == [(0, 4, 101, 10, 40)]
    assert await history.names() == ["a", "old"]


async def test_a_limit_takes_the_newest_of_both(memory: MemoryTier, archive: MemoryArchive, history: History) -> None:
    await archive.append([part("a", [1, 2, 3])])
    memory.append(part("a", [3, 4]), seq=1, now_ms=NOW_MS)
    found = await history.window(["a"], 0, NOW_MS, limit=3)
    assert sorted(as_dict(found.windows["a"])) == [2, 3, 4]


async def test_an_archive_in_trouble_leaves_memory_and_says_so(
    memory: MemoryTier, archive: MemoryArchive, history: History
) -> None:
    memory.append(part("a", [3, 4]), seq=1, now_ms=NOW_MS)
    archive.trouble = ArchiveError("busy", "locked")
    windows = await history.window(["a"], 0, NOW_MS)
    buckets = await history.buckets(["a"], 0, NOW_MS, 10)
    assert (windows.complete, windows.reason) == (buckets.complete, buckets.reason) == (False, "locked")
    assert as_dict(windows.windows["a"]) == {3: 3, 4: 4}
    assert rows(buckets.buckets["a"]) == [(0, 2, 7, 3, 4)]
    assert await history.names() == ["a"]


async def test_the_archive_is_not_asked_for_what_memory_has(
    memory: MemoryTier, archive: MemoryArchive, history: History
) -> None:
    memory.append(part("a", [50, 60]), seq=1, now_ms=NOW_MS)
    memory.mark_restored(40)
    archive.trouble = ArchiveError("busy", "locked")
    assert (await history.window(["a"], 40, 100)).complete
    assert (await history.buckets(["a"], 40, 100, 10)).complete
    assert not (await history.window(["a"], 39, 100)).complete
    assert not (await history.buckets(["a"], 39, 100, 10)).complete


async def test_a_late_sample_not_stored_yet_is_counted_in_the_past(
    memory: MemoryTier, archive: MemoryArchive, history: History
) -> None:
    await archive.append([part("a", [5_000, 15_000, 86_400_000 * 3])])
    memory.mark_restored(86_400_000 * 9)
    memory.append(part("a", [6_000, 15_000, 86_400_000 * 2], [1, 2, 3]), seq=1, now_ms=86_400_000 * 10)
    found = (await history.buckets(["a"], 0, 86_400_000 * 10, 10_000)).buckets["a"]
    assert rows(found) == [
        (0, 2, 5_001, 1, 5_000),
        (10_000, 1, 2, 2, 2),
        (86_400_000 * 2, 1, 3, 3, 3),
        (86_400_000 * 3, 1, 86_400_000 * 3, 86_400_000 * 3, 86_400_000 * 3),
    ]


async def test_reading_many_metrics_of_memory_lets_others_in(memory: MemoryTier, history: History) -> None:
    history.archive = None
    others = 0

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await trio.lowlevel.checkpoint()

    for index in range(20):
        memory.append(part(f"m{index}", [1]), seq=index + 1, now_ms=NOW_MS)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await history.window(memory.names(), 0, 10)
        await history.buckets(memory.names(), 0, 10, 10)
        nursery.cancel_scope.cancel()
    assert others >= 20


def test_merged_windows_are_read_only() -> None:
    one = Window(np.array([1, 2]), np.array([1.0, 2.0]))
    two = Window(np.array([2, 3]), np.array([20.0, 30.0]))
    both = merged_windows(one, two)
    assert as_dict(both) == {1: 1.0, 2: 20.0, 3: 30.0}
    assert not both.times.flags.writeable
    assert merged_windows(None, one) is one


TIMES = st.lists(st.integers(0, 3_000), min_size=1, max_size=30)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), TIMES),
        st.tuples(st.just("store"), st.just([1])),
        st.tuples(st.just("evict"), st.just([1])),
        st.tuples(st.just("restart"), st.integers(0, 3_000).map(lambda start: [start])),
    ),
    max_size=14,
)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, 2_000), st.integers(1, 3_000), st.integers(1, 700))
def test_against_a_plain_dict(steps: list[tuple[str, list[int]]], start: int, length: int, step_ms: int) -> None:
    """Whatever was appended, stored, dropped for age or lost with the process: reads show what any tier has."""
    trio.run(replay, steps, start, start + length, step_ms)


async def replay(steps: list[tuple[str, list[int]]], start: int, end: int, step_ms: int) -> None:
    archive = MemoryArchive()
    memory = MemoryTier(retention_ms=1_000, block_samples=4)
    seq = stored = 0
    now_ms = 3_000
    everything: dict[int, float] = {}
    for kind, numbers in steps:
        now_ms += 400
        if kind == "append":
            seq += 1
            values = [float(seq)] * len(numbers)
            memory.append(part("a", numbers, values), seq=seq, now_ms=now_ms)
            everything.update(dict.fromkeys(numbers, float(seq)))
        elif kind == "store":
            parts, stored = memory.since(stored, 10_000)
            await archive.append(parts)
        elif kind == "evict" and stored == seq:  # or it would be lost, which no reader can help
            memory.evict(now_ms + 700, stored)
        elif kind == "restart" and stored == seq:
            memory = MemoryTier(retention_ms=1_000, block_samples=4)
            seq = stored = 0
            for name, window in (await archive.window(["a"], numbers[0], 2**50)).items():
                memory.restore(name, window)
            memory.mark_restored(numbers[0])
    history = History(memory, lambda: now_ms)
    history.archive = archive
    expected = {time: value for time, value in everything.items() if start <= time < end}
    assert as_dict((await history.window(["a"], start, end)).windows.get("a")) == expected
    assert rows((await history.buckets(["a"], start, end, step_ms)).buckets.get("a")) == plain(
        expected, start, end, step_ms
    )


def test_the_last_plausible_value() -> None:
    memory = MemoryTier(retention_ms=86_400_000)
    history = History(memory, lambda: NOW_MS, lambda name: (0.0, 100.0))
    assert history.last_plausible("tank") is None
    memory.append(part("tank", [1_000, 2_000, 3_000], [999.0, 999.0, -999.0]), seq=1, now_ms=NOW_MS)
    assert history.last_plausible("tank") is None
    memory.append(part("tank", [500, 1_500], [100.0, 9.0]), seq=2, now_ms=NOW_MS)
    assert history.last_plausible("tank") == 9.0
    memory.append(part("tank", [4_000], [100.0]), seq=3, now_ms=NOW_MS)
    assert history.last_plausible("tank") == 100.0
