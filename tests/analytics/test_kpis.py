from __future__ import annotations

import json
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.kpis import data_quality, summarise, summarise_buckets

HOUR = 3_600_000


def test_a_window_and_the_one_before() -> None:
    times = np.arange(48) * HOUR
    values = np.concatenate((np.full(24, 10.0), np.arange(24.0) + 10))
    found = summarise(times, values, 24 * HOUR, 48 * HOUR)
    assert found is not None
    assert (found.count, found.min, found.max, found.sum, found.avg) == (24, 10, 33, 516, 21.5)
    assert (found.p50, found.p95) == (21.5, pytest.approx(31.85))
    assert (found.previous, found.change_percent, found.trend_direction) == (10, 115.0, "up")


def test_without_a_window_before_there_is_no_change() -> None:
    found = summarise(np.arange(5) * HOUR, np.ones(5), 0, 5 * HOUR)
    assert found is not None
    assert (found.previous, found.change_percent, found.trend_direction) == (None, None, "stable")
    assert summarise(np.arange(5) * HOUR, np.ones(5), 90 * HOUR, 99 * HOUR) is None
    assert summarise(np.zeros(0, dtype=np.int64), np.ones(0), 0, HOUR) is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_any_finite_window_is_safe_for_json(values: list[float]) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = summarise(np.arange(len(values)) * HOUR, np.array(values), len(values) // 2 * HOUR, len(values) * HOUR)
    assert found is not None
    json.dumps(found.as_json(), allow_nan=False)
    assert found.min <= found.avg <= found.max
    assert found.min <= found.p50 <= found.p95 <= found.max


def test_buckets_say_the_same(rng: np.random.Generator) -> None:
    times = np.sort(rng.integers(0, 48 * HOUR, 4_000))
    values = rng.normal(50, 5, 4_000) + times / HOUR
    starts, first, counts = np.unique(times // HOUR * HOUR, return_index=True, return_counts=True)
    exact = summarise(times, values, 24 * HOUR, 48 * HOUR)
    found = summarise_buckets(
        starts, counts, np.add.reduceat(values, first), np.minimum.reduceat(values, first),
        np.maximum.reduceat(values, first), 24 * HOUR, 48 * HOUR,
    )  # fmt: skip
    assert exact is not None
    assert found is not None
    assert (found.count, found.min, found.max, found.trend_direction) == (exact.count, exact.min, exact.max, "up")
    assert found.avg == pytest.approx(exact.avg)
    assert found.previous == pytest.approx(exact.previous)
    assert found.change_percent == pytest.approx(exact.change_percent)
    assert found.p50 == pytest.approx(statistics.median(values[times >= 24 * HOUR]), rel=0.05)
    nothing = np.zeros(0)
    assert summarise_buckets(nothing.astype(int), nothing.astype(int), nothing, nothing, nothing, 0, HOUR) is None


def test_data_quality() -> None:
    times = np.arange(24) * HOUR
    assert data_quality(times, 0, 24 * HOUR) == "good"
    assert data_quality(times, 23 * HOUR, 47 * HOUR) == "limited"  # one sample
    assert data_quality(times[:12], 0, 240 * HOUR) == "limited"  # a twentieth of the window
    assert data_quality(times, 50 * HOUR, 60 * HOUR) == "no_data"
    assert data_quality(times[:0], 0, HOUR) == "no_data"
