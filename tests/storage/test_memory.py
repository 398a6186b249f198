"""The memory tier: its rules one by one, and all of them against a plain dict."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.memory import MemoryTier
from storage.models import Appended, Latest, SeriesPart, Window

HOUR_MS = 3_600_000
NOW_MS = 1_790_000_000_000


def part(name: str, times: list[int], values: list[float] | None = None, metadata: str | None = None) -> SeriesPart:
    values = values if values is not None else [float(time) for time in times]
    return SeriesPart(name, np.array(times, dtype=np.int64), np.array(values, dtype=np.float64), metadata)


def kept(memory: MemoryTier, name: str, start_ms: int = 0, end_ms: int = 2**60) -> dict[int, float]:
    window = memory.window(name, start_ms, end_ms)
    return dict(zip(window.times.tolist(), window.values.tolist(), strict=True))


def consistent(memory: MemoryTier) -> None:
    """What the tier says of itself adds up."""
    status, infos = memory.status(), memory.infos()
    assert status.bytes == sum(info.bytes for info in infos)
    assert status.samples == sum(info.samples for info in infos)
    for info in infos:
        window = memory.window(info.name, 0, 2**60)
        assert len(window) == info.samples
        assert (np.diff(window.times) > 0).all()
        if len(window):
            assert (info.first_ms, info.last_ms) == (window.times[0], window.times[-1])


@pytest.fixture
def memory() -> MemoryTier:
    return MemoryTier(retention_ms=2 * HOUR_MS)


class TestTaking:
    def test_samples_in_order(self, memory: MemoryTier) -> None:
        for seq in range(1, 2_001):
            assert memory.append(part("a", [seq * 1_000]), seq=seq, now_ms=NOW_MS) == Appended(1, 0)
        assert kept(memory, "a") == {seq * 1_000: seq * 1_000.0 for seq in range(1, 2_001)}
        assert memory.last_seq == 2_000
        consistent(memory)

    @pytest.mark.parametrize("size", [3, 40, 10_000])
    def test_bad_samples_are_refused_one_by_one(self, memory: MemoryTier, size: int) -> None:
        times = [NOW_MS + index for index in range(size)]
        values = [1.0] * size
        values[1] = nan
        values[2] = -inf
        done = memory.append(part("a", times, values), seq=1, now_ms=NOW_MS)
        assert done == Appended(size - 2, 0, ((1, "value is not a finite number"), (2, "value is not a finite number")))
        assert len(kept(memory, "a")) == size - 2
        consistent(memory)

    def test_future_and_prehistoric_samples_are_refused(self, memory: MemoryTier) -> None:
        done = memory.append(part("a", [NOW_MS + 300_000, NOW_MS + 300_001, -1, 0]), seq=1, now_ms=NOW_MS)
        assert done.accepted == 2
        assert [index for index, _ in done.rejected] == [1, 2]
        assert memory.append(part("a", [NOW_MS + 300_001]), seq=2, now_ms=NOW_MS).rejected
        assert memory.append(part("a", [-1]), seq=3, now_ms=NOW_MS).rejected
        assert sorted(kept(memory, "a")) == [0, NOW_MS + 300_000]

    def test_a_part_of_nothing(self, memory: MemoryTier) -> None:
        assert memory.append(part("a", []), seq=1, now_ms=NOW_MS) == Appended(0, 0)
        assert memory.names() == []
        memory.append(part("a", [1]), seq=2, now_ms=NOW_MS)
        assert memory.append(part("a", []), seq=3, now_ms=NOW_MS) == Appended(0, 0)

    def test_only_bad_samples_make_no_metric(self, memory: MemoryTier) -> None:
        memory.append(part("a", [1], [nan]), seq=1, now_ms=NOW_MS)
        assert memory.names() == []
        assert memory.status().bytes == 0

    def test_the_last_of_equal_times_wins_and_is_counted(self, memory: MemoryTier) -> None:
        assert memory.append(part("a", [5, 5, 6], [1, 2, 3]), seq=1, now_ms=NOW_MS) == Appended(2, 1)
        assert memory.append(part("a", [6], [4]), seq=2, now_ms=NOW_MS) == Appended(0, 1)
        assert kept(memory, "a") == {5: 2.0, 6: 4.0}
        assert memory.info("a").received == 2  # type: ignore[union-attr]

    def test_late_samples_find_their_place_in_sealed_blocks(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, block_samples=16)
        memory.append(part("a", list(range(0, 2_000, 2))), seq=1, now_ms=NOW_MS)
        late = [1_999, 501, 3, 500, 10_001, 7]
        assert memory.append(part("a", late), seq=2, now_ms=NOW_MS) == Appended(5, 1)
        assert sorted(kept(memory, "a")) == sorted({*range(0, 2_000, 2), *late})
        consistent(memory)

    def test_no_more_metrics_than_the_cap(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, max_series=2)
        for name in ("a", "b"):
            assert not memory.append(part(name, [1]), seq=1, now_ms=NOW_MS).full
        done = memory.append(part("c", [1, 2]), seq=2, now_ms=NOW_MS)
        assert done.full
        assert [index for index, _ in done.rejected] == [0, 1]
        assert memory.append(part("a", [2]), seq=3, now_ms=NOW_MS) == Appended(1, 0)
        assert memory.names() == ["a", "b"]

    def test_a_metric_without_samples_makes_room_for_a_new_one(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, max_series=2)
        memory.append(part("a", [NOW_MS]), seq=1, now_ms=NOW_MS)
        memory.append(part("b", [NOW_MS + 2 * HOUR_MS]), seq=2, now_ms=NOW_MS + 2 * HOUR_MS)
        memory.evict(NOW_MS + 2 * HOUR_MS, None)
        assert memory.names() == ["a", "b"]  # its latest value is still worth something
        assert not memory.append(part("c", [NOW_MS]), seq=3, now_ms=NOW_MS + 2 * HOUR_MS).full
        assert memory.names() == ["b", "c"]
        assert memory.append(part("d", [NOW_MS]), seq=4, now_ms=NOW_MS + 2 * HOUR_MS).full
        consistent(memory)

    def test_a_small_budget_carries_few_metrics(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, budget_bytes=40_960)
        for index in range(20):
            memory.append(part(f"m{index}", [1]), seq=index + 1, now_ms=NOW_MS)
        assert len(memory.names()) == 10


class TestLatest:
    def test_the_newest_by_time(self, memory: MemoryTier) -> None:
        memory.append(part("a", [NOW_MS, NOW_MS + 5, NOW_MS + 1]), seq=1, now_ms=NOW_MS)
        memory.append(part("a", [NOW_MS - HOUR_MS], [0.0]), seq=2, now_ms=NOW_MS)  # a late one does not replace it
        assert memory.latest_of("a") == Latest(NOW_MS + 5, NOW_MS + 5.0, 1)
        assert memory.latest() == {"a": Latest(NOW_MS + 5, NOW_MS + 5.0, 1)}
        assert memory.latest_of("b") is None

    @pytest.mark.parametrize("size", [1, 20])
    def test_after_the_clock_was_set_back_the_last_to_arrive(self, memory: MemoryTier, size: int) -> None:
        memory.append(part("a", [NOW_MS]), seq=1, now_ms=NOW_MS)
        back_ms = NOW_MS - HOUR_MS
        times = [back_ms - size + 1 + index for index in range(size)]
        memory.append(part("a", times), seq=2, now_ms=back_ms)
        assert memory.latest_of("a") == Latest(back_ms, float(back_ms), 2)

    def test_it_outlives_the_samples(self, memory: MemoryTier) -> None:
        memory.append(part("a", [NOW_MS]), seq=1, now_ms=NOW_MS)
        assert memory.evict(NOW_MS + 3 * HOUR_MS, None) == 1
        assert memory.latest_of("a") == Latest(NOW_MS, float(NOW_MS), 1)
        info = memory.info("a")
        assert info is not None
        assert (info.samples, info.received, info.first_ms, info.last_ms) == (0, 1, None, None)
        memory.append(part("a", [NOW_MS + 1]), seq=2, now_ms=NOW_MS)
        assert kept(memory, "a") == {NOW_MS + 1: NOW_MS + 1.0}
        consistent(memory)


class TestWindow:
    def test_a_span_holds_its_start_and_not_its_end(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, block_samples=4)
        memory.append(part("a", list(range(11))), seq=1, now_ms=NOW_MS)
        memory.append(part("a", [11, 12]), seq=2, now_ms=NOW_MS)
        assert sorted(kept(memory, "a", 3, 12)) == list(range(3, 12))
        assert kept(memory, "a", 13, 20) == {}
        assert kept(memory, "a", 5, 5) == {}
        assert kept(memory, "unknown") == {}

    def test_what_was_handed_out_never_changes(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, block_samples=32)
        memory.append(part("a", list(range(0, 100, 2))), seq=1, now_ms=NOW_MS)
        memory.append(part("a", list(range(100, 120, 2))), seq=2, now_ms=NOW_MS)
        before = [memory.window("a", start, end) for start, end in ((0, 200), (0, 50), (104, 110))]
        copies = [(window.times.copy(), window.values.copy()) for window in before]
        memory.append(part("a", list(range(200)), [-1.0] * 200), seq=3, now_ms=NOW_MS)
        memory.evict(NOW_MS, None)
        for window, (times, values) in zip(before, copies, strict=True):
            assert window.times.tolist() == times.tolist()
            assert window.values.tolist() == values.tolist()
            assert not window.times.flags.writeable
            assert not window.values.flags.writeable

    def test_the_senders_arrays_are_not_kept(self, memory: MemoryTier) -> None:
        for size in (1, 20, 10_000):
            given_part = part(f"a{size}", list(range(size)))
            memory.append(given_part, seq=1, now_ms=NOW_MS)
            given_part.values[:] = 99.0
            assert kept(memory, f"a{size}")[0] == 0.0


class TestSince:
    def test_everything_after_a_sequence_number(self, memory: MemoryTier) -> None:
        memory.append(part("a", [1, 2]), seq=1, now_ms=NOW_MS)
        memory.append(part("b", [1], metadata='{"unit":"V"}'), seq=2, now_ms=NOW_MS)
        memory.append(part("a", [3]), seq=3, now_ms=NOW_MS)
        parts, up_to = memory.since(1, 100)
        assert up_to == 3
        assert {p.name: (p.times.tolist(), p.metadata) for p in parts} == {"a": ([3], None), "b": ([1], '{"unit":"V"}')}
        assert memory.since(3, 100) == ([], 3)
        assert memory.since(0, 100)[1] == 3

    def test_unchanged_metadata_comes_once(self, memory: MemoryTier) -> None:
        for seq in range(1, 5):
            memory.append(part("a", [seq], metadata="{}" if seq < 4 else '{"x":1}'), seq=seq, now_ms=NOW_MS)
        assert [p.metadata for p in memory.since(0, 100)[0]] == ['{"x":1}']
        assert [p.metadata for p in memory.since(3, 100)[0]] == ['{"x":1}']
        memory.append(part("a", [9], metadata='{"x":1}'), seq=5, now_ms=NOW_MS)
        assert [p.metadata for p in memory.since(4, 100)[0]] == [None]

    def test_a_limit_cuts_between_batches_and_lets_one_through(self, memory: MemoryTier) -> None:
        for seq, size in ((1, 3), (2, 3), (3, 50), (4, 1)):
            memory.append(part("a", [seq * 100 + index for index in range(size)]), seq=seq, now_ms=NOW_MS)
        progress = []
        seq = 0
        while seq < memory.last_seq:
            parts, seq = memory.since(seq, 10)
            progress.append((seq, sum(map(len, parts))))
        assert progress == [(2, 6), (3, 50), (4, 1)]

    def test_a_sequence_number_without_samples_is_passed(self, memory: MemoryTier) -> None:
        memory.append(part("a", [1], [nan]), seq=7, now_ms=NOW_MS)
        assert memory.since(0, 10) == ([], 7)

    def test_restored_samples_are_not_in_it(self, memory: MemoryTier) -> None:
        memory.restore("a", Window(np.array([1, 2]), np.array([1.0, 2.0])))
        memory.append(part("a", [3]), seq=1, now_ms=NOW_MS)
        ((only,), up_to) = memory.since(0, 10)
        assert (only.times.tolist(), up_to) == ([3], 1)


class TestRestore:
    def test_kept_samples_stay_as_they_are(self, memory: MemoryTier) -> None:
        memory.append(part("a", [5, 6], [50, 60]), seq=1, now_ms=NOW_MS)
        memory.restore("a", Window(np.array([1, 5, 9]), np.array([1.0, 5.0, 9.0])), '{"unit":"V"}')
        assert kept(memory, "a") == {1: 1.0, 5: 50.0, 6: 60.0, 9: 9.0}
        assert memory.latest_of("a") == Latest(6, 60.0, 1)
        assert memory.info("a").metadata == '{"unit":"V"}'  # type: ignore[union-attr]
        assert memory.last_seq == 1
        consistent(memory)

    def test_into_an_empty_tier(self, memory: MemoryTier) -> None:
        times = np.arange(NOW_MS, NOW_MS + 10_000)
        memory.restore("a", Window(times, times.astype(np.float64)))
        assert len(kept(memory, "a")) == 10_000
        assert memory.latest_of("a") == Latest(NOW_MS + 9_999, NOW_MS + 9_999.0, 0)
        consistent(memory)

    def test_where_memory_is_known_to_suffice(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, block_samples=4)
        memory.append(part("a", [NOW_MS + index for index in range(8)]), seq=1, now_ms=NOW_MS)
        assert memory.complete_from_ms("a") is None
        memory.mark_restored(NOW_MS - HOUR_MS)
        assert memory.complete_from_ms("a") == NOW_MS - HOUR_MS
        assert memory.complete_from_ms("unknown") is None
        memory.append(part("a", [NOW_MS + HOUR_MS]), seq=2, now_ms=NOW_MS + HOUR_MS)
        memory.evict(NOW_MS + HOUR_MS + 60_000, None)
        assert memory.complete_from_ms("a") == NOW_MS + 8


class TestLettingGo:
    def test_by_age(self, memory: MemoryTier) -> None:
        for minute in range(180):
            now_ms = NOW_MS + minute * 60_000
            memory.append(part("a", [now_ms]), seq=minute + 1, now_ms=now_ms)
        gone = memory.evict(NOW_MS + 180 * 60_000, None)
        assert gone == 60
        assert min(kept(memory, "a")) == NOW_MS + 60 * 60_000
        assert memory.status().evicted == 60
        assert memory.status().lost_unpersisted == 0
        consistent(memory)

    def test_by_age_whole_blocks(self) -> None:
        memory = MemoryTier(retention_ms=HOUR_MS, block_samples=16)
        memory.append(part("a", [NOW_MS + index * 1_000 for index in range(100)]), seq=1, now_ms=NOW_MS + 100_000)
        assert memory.evict(NOW_MS + HOUR_MS + 99_000, None) == 0  # not yet an hour since it arrived
        assert memory.evict(NOW_MS + HOUR_MS + 120_000, None) == 100
        consistent(memory)

    def test_a_backfill_lives_for_the_retention_after_it_arrived(self, memory: MemoryTier) -> None:
        memory.append(part("a", [NOW_MS - 30 * 24 * HOUR_MS]), seq=1, now_ms=NOW_MS)
        assert memory.evict(NOW_MS + HOUR_MS, None) == 0
        assert memory.evict(NOW_MS + 3 * HOUR_MS, None) == 1

    def test_a_clock_that_was_years_ahead_for_a_while_drops_nothing(self, memory: MemoryTier) -> None:
        years_ms = 5 * 365 * 24 * HOUR_MS
        memory.append(part("a", [NOW_MS]), seq=1, now_ms=NOW_MS)
        memory.append(part("a", [NOW_MS + 1]), seq=2, now_ms=NOW_MS + years_ms)
        memory.append(part("a", [NOW_MS + 2]), seq=3, now_ms=NOW_MS + 2)
        assert memory.evict(NOW_MS + 3, None) == 0
        assert memory.evict(NOW_MS + 3 * HOUR_MS, None) == 3

    def test_the_budget_holds_at_every_append_and_the_oldest_go(self) -> None:
        memory = MemoryTier(retention_ms=100 * HOUR_MS, budget_bytes=200_000, block_samples=64)
        rng = np.random.default_rng(1)
        for seq in range(1, 400):
            times = [NOW_MS + seq * 100_000 + index for index in range(100)]
            memory.append(part(f"m{seq % 3}", times, rng.normal(size=100).tolist()), seq=seq, now_ms=times[-1])
            assert memory.status().bytes <= 200_000
        assert memory.status().evicted > 10_000
        consistent(memory)
        firsts = [info.first_ms for info in memory.infos()]
        assert min(firsts) > NOW_MS + 200 * 100_000  # type: ignore[type-var]

    def test_many_metrics_in_a_small_budget(self) -> None:
        memory = MemoryTier(retention_ms=100 * HOUR_MS, budget_bytes=1 << 20)
        for seq in range(1, 300):
            for index in range(250):
                memory.append(part(f"m{index}", [NOW_MS + seq], [seq * 0.37 + index]), seq=seq, now_ms=NOW_MS + seq)
            assert memory.status().bytes <= 1 << 20
        consistent(memory)
        assert all(info.samples for info in memory.infos())

    def test_what_an_archive_has_goes_first_and_losses_are_counted(self) -> None:
        memory = MemoryTier(retention_ms=100 * HOUR_MS, budget_bytes=26_000, block_samples=64)
        rng = np.random.default_rng(1)
        memory.append(part("old", list(range(1_000)), rng.normal(size=1_000).tolist()), seq=2, now_ms=NOW_MS)
        memory.append(part("new", list(range(5_000, 5_500)), rng.normal(size=500).tolist()), seq=1, now_ms=NOW_MS)
        memory.evict(NOW_MS, 1)
        memory.append(part("more", list(range(9_000, 10_000)), rng.normal(size=1_000).tolist()), seq=3, now_ms=NOW_MS)
        memory.append(
            part("evenmore", list(range(9_000, 10_000)), rng.normal(size=1_000).tolist()), seq=4, now_ms=NOW_MS
        )
        assert kept(memory, "new") == {}  # persisted: gone before the older ones that are not
        assert memory.status().lost_unpersisted == memory.status().evicted - 500


def traced(make: Callable[[], MemoryTier]) -> tuple[int, MemoryTier]:
    gc.collect()
    tracemalloc.start()
    try:
        memory = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], memory
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("series", "batches", "size"), [(500, 1, 1), (200, 12, 5), (20, 8, 400), (3, 3, 20_000)])
def test_every_byte_is_counted(series: int, batches: int, size: int) -> None:
    def make() -> MemoryTier:
        memory = MemoryTier(retention_ms=HOUR_MS, budget_bytes=1 << 20)
        rng = np.random.default_rng(1)
        for batch in range(batches):
            for index in range(series):
                times = NOW_MS + (batch * size + np.arange(size)) * 1_000 + rng.integers(-30, 31, size)
                values = np.round(rng.normal(12, 0.1, size), 2)
                memory.append(SeriesPart(f"metric.{index}", times, values), seq=batch + 1, now_ms=int(times[-1]))
        return memory

    real, memory = traced(make)
    assert memory.status().bytes == pytest.approx(real, rel=0.2)


@dataclass
class Model:
    """The same in the plainest form."""

    samples: dict[str, dict[int, float]] = field(default_factory=dict)
    stored: dict[str, dict[int, float]] = field(default_factory=dict)

    def take(self, name: str, times: list[int], values: list[float]) -> int:
        kept = self.samples.setdefault(name, {})
        duplicates = 0
        for time_ms, value in zip(times, values, strict=True):
            duplicates += time_ms in kept
            kept[time_ms] = value
        return duplicates


TIMES = st.one_of(
    st.lists(st.integers(0, 3_000), min_size=1, max_size=30),
    st.tuples(st.integers(0, 3_000), st.integers(1, 120)).map(lambda run: list(range(run[0], run[0] + run[1]))),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from("ab"), TIMES),
        st.tuples(st.just("store"), st.integers(1, 200), st.none()),
        st.tuples(st.just("evict"), st.integers(0, 4_000), st.none()),
        st.tuples(st.just("restore"), st.sampled_from("abc"), TIMES),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([4, 20, 512]), st.integers(0, 3_000), st.integers(0, 3_000))
def test_against_a_plain_dict(steps: list[tuple[str, object, object]], block: int, start: int, end: int) -> None:
    memory = MemoryTier(retention_ms=1_000, block_samples=block)
    model = Model()
    seq = progress = 0
    for step in steps:
        match step:
            case ("append", str(name), list(times)):
                seq += 1
                values = [seq + index / 1_000 for index in range(len(times))]
                done = memory.append(part(name, times, values), seq=seq, now_ms=5_000)
                duplicates = model.take(name, times, values)
                assert done == Appended(len(times) - duplicates, duplicates)
            case ("store", int(limit), _):
                parts, progress = memory.since(progress, limit)
                for p in parts:
                    model.stored.setdefault(p.name, {}).update(zip(p.times.tolist(), p.values.tolist(), strict=True))
            case ("restore", str(name), list(times)):
                times = sorted(set(times))
                memory.restore(name, Window(np.array(times), np.array(times) * 1.0))
                kept_samples = model.samples.setdefault(name, {})
                for time_ms in times:
                    kept_samples.setdefault(time_ms, float(time_ms))
                    model.stored.setdefault(name, {}).setdefault(time_ms, float(time_ms))
            case ("evict", int(horizon), _):
                memory.evict(horizon, None)  # all arrived at 5,000, so restored samples alone may go
                for name, samples in model.samples.items():
                    left = kept(memory, name)
                    assert left.items() <= samples.items()
                    assert all(samples[t] == t and t < horizon - 1_000 for t in samples.keys() - left.keys())
                    model.samples[name] = left
        for name, samples in model.samples.items():
            assert kept(memory, name) == samples
            assert kept(memory, name, start, end) == {t: v for t, v in samples.items() if start <= t < end}
    consistent(memory)
    while progress < memory.last_seq:
        parts, progress = memory.since(progress, 50)
        for p in parts:
            model.stored.setdefault(p.name, {}).update(zip(p.times.tolist(), p.values.tolist(), strict=True))
    for name, samples in model.samples.items():
        assert samples.items() <= model.stored.get(name, {}).items()
