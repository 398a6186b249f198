"""The grid against the plainest way to sum up."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage.grid import HOUR_MS, STEPS_MS, as_series, coarser, combined, means, step_for, sum_up
from storage.models import Buckets, Window

SAMPLES = st.dictionaries(st.integers(0, 500), st.integers(-50, 50), max_size=60)


def window(samples: dict[int, int]) -> Window:
    times = sorted(samples)
    return Window(np.array(times, np.int64), np.array([samples[time] for time in times], np.float64))


def plain(samples: dict[int, int], step: int) -> dict[int, tuple[int, int, int, int]]:
    cells: dict[int, list[int]] = {}
    for time, value in samples.items():
        cells.setdefault(time // step * step, []).append(value)
    return {start: (len(cell), sum(cell), min(cell), max(cell)) for start, cell in sorted(cells.items())}


def as_dict(buckets: Buckets) -> dict[int, tuple[float, ...]]:
    columns = (buckets.count, buckets.total, buckets.minimum, buckets.maximum)
    return dict(zip(buckets.starts.tolist(), zip(*(c.tolist() for c in columns), strict=True), strict=True))


def test_steps_fit_into_each_other_and_into_a_day() -> None:
    assert all(longer % shorter == 0 for shorter, longer in pairwise((*STEPS_MS, 24 * HOUR_MS)))
    assert [step_for(hours * HOUR_MS, 700) for hours in (1, 2, 24, 48, 168, 720)] == [
        10_000, 60_000, 300_000, 300_000, 900_000, HOUR_MS,
    ]  # fmt: skip


@given(SAMPLES, st.integers(1, 100))
def test_sum_up(samples: dict[int, int], step: int) -> None:
    buckets = sum_up(window(samples), step)
    assert as_dict(buckets) == plain(samples, step)
    assert (np.diff(buckets.starts) > 0).all()


@given(SAMPLES, st.integers(1, 100), st.lists(st.integers(0, 500), max_size=3))
def test_parts_combined_are_the_whole(samples: dict[int, int], step: int, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 501]
    parts = [
        sum_up(window({time: value for time, value in samples.items() if first <= time < end}), step)
        for first, end in pairwise(edges)
    ]
    assert as_dict(combined(parts[::-1], step)) == plain(samples, step)


def test_nothing_combined_is_nothing() -> None:
    assert len(combined([], 10)) == 0


def test_a_sum_beyond_the_largest_number_stays_finite() -> None:
    huge = np.finfo(np.float64).max
    buckets = sum_up(Window(np.array([1, 2]), np.array([huge, huge])), 10)
    assert buckets.total.tolist() == [huge]


def test_a_coarser_grid_is_the_sum_of_the_fine_one():
    times = np.arange(0, 7_200_000, 7_000)
    window = Window(times, np.sin(times / 1e6))
    coarse, direct = coarser(sum_up(window, 60_000), 3_600_000), sum_up(window, 3_600_000)
    assert coarse.starts.tolist() == direct.starts.tolist()
    assert coarse.count.tolist() == direct.count.tolist()
    assert np.allclose(coarse.total, direct.total)
    assert coarse.maximum.tolist() == direct.maximum.tolist()
    assert len(coarser(sum_up(Window(times[:0], window.values[:0]), 60_000), 3_600_000)) == 0


def lone(total: float, low: float, high: float, count: int) -> Buckets:
    return Buckets(1_000, np.array([0]), np.array([count]), np.array([total]), np.array([low]), np.array([high]))


def test_a_mean_stands_at_the_middle_of_its_bucket() -> None:
    assert means(lone(6.0, 1.0, 3.0, 3)).tolist() == [2.0]
    times, values = as_series(lone(6.0, 1.0, 3.0, 3))
    assert (times.tolist(), values.tolist()) == ([500], [2.0])


def test_means_of_sums_beyond_a_double_stay_within_what_was_measured() -> None:
    assert means(lone(1.797e308, 1.7e308, 1.7e308, 100)).tolist() == [1.7e308]
    assert means(lone(float("nan"), -1.7e308, 1.7e308, 2)).tolist() == [0.0]


def test_sums_past_both_ends_warn_nobody() -> None:
    values = np.tile([1e308, -1e308, 1.7e308, 1.7e308, -1.7e308, -1.7e308, -1.7e308], 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        buckets = sum_up(Window(np.arange(len(values), dtype=np.int64), values), 60_000)
        assert np.isfinite(buckets.total).all()
        assert np.isfinite(means(combined([buckets, buckets], 60_000))).all()
