"""The backlog: whole batches, complete, within the limit, however the runs overlap."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.backlog import collect, earliest_late
from storage.series import Series

BATCHES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 30)),  # series, size
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(BATCHES, st.sampled_from([4, 16, 1_000]), st.integers(0, 60), st.integers(1, 120))
def test_complete_up_to_where_it_says(
    batches: list[tuple[int, int]], seal_at: int, after: int, max_samples: int
) -> None:
    series = [Series(name, 0) for name in "abc"]
    sizes: dict[int, int] = {}
    times: dict[int, set[tuple[str, int]]] = {}
    for seq, (index, size) in enumerate(batches, 1):
        new = np.arange(seq * 100, seq * 100 + size)
        series[index].append_sorted(new, new * 1.0, seq, seal_at)
        sizes[seq] = size
        times[seq] = {(series[index].name, time) for time in new.tolist()}
    last = len(batches)
    parts, up_to = collect([s for s in series if s.last_seq > after], after, max_samples, last)
    found = [(part.name, time) for part in parts for time in part.times.tolist()]
    expected = {pair for seq in range(after + 1, up_to + 1) for pair in times.get(seq, ())}
    assert len(found) == len(expected)
    assert set(found) == expected
    if after < last:
        assert up_to > after
        assert len(found) <= max(max_samples, sizes[after + 1])
        if up_to < last:  # not one batch fewer than fits
            assert len(found) + sizes[up_to + 1] > max_samples


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 200), min_size=1, max_size=20, unique=True), min_size=1, max_size=12),
    st.sampled_from([4, 16, 1_000]),
    st.integers(0, 12),
    st.integers(0, 200),
)
def test_the_earliest_of_what_came_late(batches: list[list[int]], seal_at: int, after: int, before: int) -> None:
    series = Series("a", 0)
    kept: dict[int, int] = {}
    for seq, times in enumerate(batches, 1):
        new = np.array(sorted(times), dtype=np.int64)
        series.insert(new, new * 1.0, seq, seal_at)
        kept.update(dict.fromkeys(times, seq))
    late = [time for time, seq in kept.items() if seq > after and time < before]
    assert earliest_late(series, after, before) == min(late, default=None)
