"""Chunks: runs come back as they were, damage is noticed, many short series share one blob cheaply."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from storage.chunk import BUCKETS, SAMPLES, Chunk, ChunkError, Run, Thinned, decode, directory, encode, flat, seal
from storage.column import QUICK, TIGHT
from storage.grid import sum_up
from storage.models import Window

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SAMPLES_OF_A_RUN = st.dictionaries(st.integers(0, 2**51), FLOATS, min_size=1, max_size=40)


def run(metric_id: int, samples: dict[int, float]) -> Run:
    times = np.array(sorted(samples), dtype=np.int64)
    return Run(metric_id, Window(times, np.array([samples[time] for time in times.tolist()])))


def thinned(metric_id: int, step_ms: int = 60_000, size: int = 500) -> Run:
    rng = np.random.default_rng(metric_id)
    window = Window(1_790_000_000_123 + np.cumsum(rng.integers(1, 20_000, size)), np.round(rng.normal(0, 5, size), 2))
    return Run(metric_id, Thinned(int(window.times[0]), int(window.times[-1]), sum_up(window, step_ms)))


@given(
    st.lists(st.tuples(st.integers(1, 2**40), SAMPLES_OF_A_RUN), min_size=1, max_size=6),
    st.sampled_from([QUICK, TIGHT]),
)
def test_runs_of_samples_come_back_bit_for_bit(content: list[tuple[int, dict[int, float]]], level: int) -> None:
    runs = [run(metric_id, samples) for metric_id, samples in content]
    chunk = encode(runs, level)
    assert chunk.codec == SAMPLES
    assert chunk.count == sum(len(samples) for _, samples in content)
    assert chunk.start_ms == min(min(samples) for _, samples in content)
    assert chunk.end_ms == max(max(samples) for _, samples in content)
    back = decode(chunk)
    assert [each.metric_id for each in back] == [metric_id for metric_id, _ in content]
    for before, after in zip(runs, back, strict=True):
        assert after.data.times.tobytes() == before.data.times.tobytes()
        assert after.data.values.tobytes() == before.data.values.tobytes()
        assert not after.data.times.flags.writeable
        assert not after.data.values.flags.writeable


def test_one_metric_alone_and_several() -> None:
    one = encode([run(7, {1: 1.0, 2: 2.0})], TIGHT)
    several = encode([run(7, {1: 1.0}), run(9, {5: 2.0}), run(7, {8: 3.0})], TIGHT)
    assert one.metric_id == 7
    assert (several.metric_id, several.last_metric_id) == (7, 9)
    assert [each.data.times.tolist() for each in decode(several, only=7)] == [[1], [8]]
    assert decode(several, only=8) == []
    ids, items = directory(several)
    assert (ids.tolist(), items.tolist()) == ([7, 9, 7], [1, 1, 1])
    assert [column.tolist() for column in flat(several)] == [[7, 9, 7], [1, 5, 8], [1.0, 2.0, 3.0]]
    with pytest.raises(ChunkError, match="buckets"):
        flat(encode([thinned(1)], TIGHT))


def test_buckets_keep_everything_but_the_last_digits_of_the_mean() -> None:
    runs = [thinned(1), thinned(2)]
    chunk = encode(runs, TIGHT)
    assert chunk.codec == BUCKETS
    assert chunk.count == 1_000
    for before, after in zip(runs, decode(chunk), strict=True):
        assert (after.data.first_ms, after.data.last_ms) == (before.data.first_ms, before.data.last_ms)
        assert after.first_ms == before.data.buckets.starts[0] < before.data.first_ms
        old, new = before.data.buckets, after.data.buckets
        for name in ("starts", "count", "minimum", "maximum"):
            assert getattr(new, name).tolist() == getattr(old, name).tolist()
        off = np.abs(new.total - old.total) / old.count
        assert (off <= (old.maximum - old.minimum) / 8190 * 1.0001 + 1e-12).all()


def test_the_mean_of_huge_and_of_equal_values() -> None:
    huge = run(1, {0: -1.7e308, 1: 1.7e308, 60_000: 0.1, 60_001: 0.1})
    buckets = sum_up(huge.data, 60_000)
    back = decode(encode([Run(1, Thinned(0, 60_001, buckets))], TIGHT))[0].data.buckets
    assert np.isfinite(back.total).all()
    assert back.total[1] == pytest.approx(0.2, abs=1e-15)


def test_many_short_series_share_one_blob_cheaply() -> None:
    rng = np.random.default_rng(1)
    runs = [
        run(index, {1_790_000_000_000 + int(n) * 1000: round(rng.normal(), 2) for n in range(9)})
        for index in range(500)
    ]
    assert len(encode(runs, TIGHT).data) / (500 * 9) < 2.5


@pytest.mark.parametrize("at", [0, 1, 4, 8, 12, 40, 100, -1])
def test_a_flipped_bit_is_noticed(at: int) -> None:
    chunk = encode([thinned(1), thinned(2)], TIGHT)
    data = bytearray(chunk.data)
    data[at] ^= 16
    with pytest.raises(ChunkError, match="checksum"):
        decode(replace(chunk, data=bytes(data)))


@pytest.mark.parametrize("change", [{"start_ms": 5}, {"end_ms": 7}, {"count": 3}, {"codec": 2}, {"metric_id": -1}])
def test_wrong_numbers_beside_the_blob_are_noticed(change: dict[str, int]) -> None:
    with pytest.raises(ChunkError, match="checksum"):
        decode(replace(encode([run(7, {1: 1.0, 6: 2.0})], TIGHT), **change))


def resealed(chunk: Chunk, data: bytes) -> Chunk:
    changed = replace(chunk, data=data)
    return replace(changed, crc=seal(changed))


def test_a_newer_format_and_a_cut_are_said_in_words() -> None:
    chunk = encode([run(7, {1: 1.0, 6: 2.0})], TIGHT)
    with pytest.raises(ChunkError, match="version 2"):
        decode(resealed(chunk, b"\x02" + chunk.data[1:]))
    for cut in (0, 5, 14, 30):
        with pytest.raises(ChunkError):
            decode(resealed(chunk, chunk.data[:cut]))
    several = encode([run(7, {1: 1.0}), run(8, {1: 1.0})], TIGHT)
    with pytest.raises(ChunkError, match="directory"):
        decode(resealed(several, several.data[:20]))
