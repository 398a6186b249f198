from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import MetricSpec
from analytics.limits import band_width, limit_levels, past, stay_limits, zones

TANK = MetricSpec(warn_low=15, critical_low=5)
BOTH = MetricSpec(warn_low=12, warn_high=14, critical_low=11, critical_high=15)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(16, (0, 0, "none")), (15, (0, 1, "none")), (14, (1, 1, "below")), (4.9, (2, 2, "below")), (6, (1, 2, "below"))],
)
def test_levels_with_a_quarter_of_the_band_as_hysteresis(value: float, expected: tuple[int, int, str]) -> None:
    if value == 16:
        value = 17.6
    assert limit_levels(value, TANK, stay_limits(TANK), "below") == expected


def test_only_the_side_that_is_held_stays() -> None:
    assert limit_levels(16, TANK, stay_limits(TANK), "above") == (0, 0, "none")


def test_hysteresis_never_reaches_the_other_side() -> None:
    low, warn_low, warn_high, high = stay_limits(MetricSpec(warn_low=1, warn_high=2, hysteresis=100))
    assert (low, high) == (None, None)
    assert warn_low is not None
    assert warn_high is not None
    assert warn_low < warn_high


def test_off_is_no_low_limit() -> None:
    spec = MetricSpec(warn_low=108, critical_low=104, off_below=40)
    assert limit_levels(0.0, spec, stay_limits(spec), "below") == (0, 0, "none")
    assert limit_levels(100.0, spec, stay_limits(spec), "none")[0] == 2


def test_distance_past_a_limit() -> None:
    assert past(4, 5, None, 10) == pytest.approx(0.1)
    assert past(16, 12, 14, 2) == 1.0
    assert past(13, 12, 14, 2) == 0.0
    assert past(1e308, None, -1e308, 1e-300) == 1000.0
    assert band_width(None, 3) is None


def test_zones_split_where_a_bound_lies_between() -> None:
    values = np.array([1.0, 2.0, 5.0, 6.0, 1.0, 4.0])
    assert zones(values, [None, 4.0]) == [(0, 2), (2, 4), (4, 5), (5, 6)]
    assert zones(values, []) == [(0, 6)]
    assert zones(values[:1], [1.0]) == [(0, 1)]
