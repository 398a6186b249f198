"""Each function of the KPI language against what one works out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.kpi_functions import FUNCTIONS, Reading

MIN_MS = 60_000


def reading(*samples: tuple[float, float], end_min: float = 60, count: int = 1) -> Reading:
    """Samples as (minute, value)."""
    times = np.array([round(minute * MIN_MS) for minute, _ in samples], dtype=np.int64)
    values = np.array([value for _, value in samples], dtype=float)
    counts = np.full(len(samples), count, dtype=np.int64)
    return Reading(times, values, values - 0.5, values + 0.5, counts, 0, round(end_min * MIN_MS))


SOME = reading((0, 10), (30, 20), (45, 12))


@pytest.mark.parametrize(
    ("function", "limit", "expected"),
    [
        ("avg", None, 14.0),
        ("min", None, 9.5),
        ("max", None, 20.5),
        ("sum", None, 42.0),
        ("count", None, 3.0),
        ("first", None, 10.0),
        ("last", None, 12.0),
        ("delta", None, 2.0),
        ("increase", None, 10.0),
        ("decrease", None, 8.0),
        ("rate", None, 2 / 0.75),
        ("p95", None, 20.0),
        ("integral", None, 10 * 0.5 + 20 * 0.25 + 12 * 0.25),
        ("time_above", 11, 0.5),
        ("time_above", 12, 0.25),
        ("time_below", 12, 0.5),
        ("share_above", 11, 50.0),
        ("share_below", 11, 50.0),
    ],
)
def test_of_some_samples(function: str, limit: float | None, expected: float) -> None:
    assert FUNCTIONS[function].compute(SOME, limit) == pytest.approx(expected)


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name not in ("sum", "count")])
def test_of_none(function: str) -> None:
    assert FUNCTIONS[function].compute(reading(), 1.0) is None


@pytest.mark.parametrize("function", ["delta", "increase", "decrease", "rate"])
def test_one_sample_makes_no_change(function: str) -> None:
    assert FUNCTIONS[function].compute(reading((0, 1)), None) is None


def test_what_lies_in_a_long_gap_counts_for_nothing() -> None:
    gap = reading((0, 10), (300, 10), end_min=330)
    assert FUNCTIONS["integral"].compute(gap, None) == pytest.approx(10 * 1.5)
    assert FUNCTIONS["time_above"].compute(gap, 5) == pytest.approx(1.5)


def test_buckets_weigh_by_their_samples() -> None:
    times = np.array([0, MIN_MS], dtype=np.int64)
    values = np.array([1.0, 4.0])
    buckets = Reading(times, values, values, values, np.array([3, 1]), 0, 2 * MIN_MS)
    assert FUNCTIONS["avg"].compute(buckets, None) == pytest.approx(7 / 4)
    assert FUNCTIONS["count"].compute(buckets, None) == 4
