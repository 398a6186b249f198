from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rates import increases, rates

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([1, 3, 3, 10], [2, 0, 7]),
        ([100, 110, 4, 9], [10, 4, 5]),  # began anew: 4 since
        ([100, 110, 0, 112], [10, 0, 2]),  # a bad sample in between
        ([5, -3, 2], [0, 5]),
        ([7], []),
        ([], []),
        ([1e308, -1e308, 1e308], [0, 0]),
    ],
)
def test_increases(readings: list[float], expected: list[float]) -> None:
    assert increases(np.array(readings, dtype=np.float64)).tolist() == expected


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=40))
def test_nothing_is_counted_down(readings: list[float]) -> None:
    found = increases(np.array(readings))
    assert len(found) == len(readings) - 1
    assert (found >= 0).all()


def test_a_steady_count_is_a_steady_rate_across_a_restart_and_a_gap() -> None:
    times = np.array([0, 1, 2, 3, 10, 11]) * HOUR
    at, found = rates(times, np.array([50.0, 52, 54, 2, 16, 18]))
    assert found.tolist() == [2, 2, 2, 2, 2]
    assert at.tolist() == [HOUR // 2, 3 * HOUR // 2, 5 * HOUR // 2, 6 * HOUR + HOUR // 2, 10 * HOUR + HOUR // 2]


def test_two_readings_at_one_time_count_once() -> None:
    at, found = rates(np.array([0, HOUR, HOUR, 2 * HOUR]), np.array([1.0, 2, 3, 5]))
    assert found.tolist() == [2, 2]
    assert len(at) == 2
