from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from analytics.baseline import CAPACITY, SPACING_MS, Baseline
from analytics.condition import Condition

Noise = Callable[[str, int], np.ndarray]
START = 1_700_000_000_000


def feed(baseline: Baseline, values: np.ndarray, *, start_ms: int = START, step_ms: int = SPACING_MS) -> int:
    for index, value in enumerate(values.tolist()):
        at = start_ms + index * step_ms
        if at >= baseline.keep_at_ms:
            baseline.keep(at, value)
    return start_ms + len(values) * step_ms


def test_no_band_before_sixty_samples_and_ten_minutes(noise: Noise) -> None:
    baseline = Baseline()
    feed(baseline, noise("white", 59), step_ms=60_000)
    assert not baseline.ready
    baseline = Baseline()
    feed(baseline, noise("white", 5_000), step_ms=100)  # 8 minutes
    assert not baseline.ready
    feed(baseline, noise("white", 100), start_ms=START + 600_000)
    assert baseline.ready


def test_the_band_holds_noise_and_not_a_jump(noise: Noise) -> None:
    baseline = Baseline()
    feed(baseline, 20 + noise("white", 300))
    assert baseline.low < 14
    assert 26 < baseline.high < 45
    assert baseline.low < baseline.inner_low < baseline.median < baseline.inner_high < baseline.high


@pytest.mark.parametrize("values", [np.full(300, 7.0), np.tile([0.0, 1.0], 150), np.array([0.0] * 299 + [5.0])])
def test_what_lies_still_or_switches_has_no_band(values: np.ndarray) -> None:
    baseline = Baseline()
    feed(baseline, values)
    assert not baseline.ready
    assert (baseline.low, baseline.high) == (-math.inf, math.inf)


def test_unless_the_catalogue_says_what_matters() -> None:
    baseline = Baseline(min_deviation=2.0)
    feed(baseline, np.full(300, 7.0))
    assert baseline.low <= 5.0
    assert 9.0 <= baseline.high <= 10.0


def test_what_was_normal_before_stays_in_the_band(noise: Noise) -> None:
    baseline = Baseline()
    at = feed(baseline, np.repeat([0.0, 100.0, 0.0], 300) + noise("white", 900))
    assert baseline.high > 100
    feed(baseline, noise("white", 20 * 86_400_000 // 600_000), start_ms=at, step_ms=600_000)  # three weeks
    assert baseline.high < 60


def test_a_level_it_was_told_of_is_known(noise: Noise) -> None:
    baseline = Baseline()
    baseline.stayed_at(500.0)
    feed(baseline, noise("white", 300))
    assert baseline.high > 500
    baseline.restart()
    assert not baseline.ready
    feed(baseline, noise("white", 300))
    assert baseline.high > 500


def test_large_parts_keep_one_sample_of_each_slot(noise: Noise) -> None:
    one, many = Baseline(), Baseline()
    values = 20 + noise("white", 40_000)
    feed(one, values, step_ms=100)
    assert many.keep_many(START + np.arange(40_000) * 100, values)
    assert len(many) == len(one) == CAPACITY
    assert many.high == pytest.approx(one.high, rel=0.2)
    assert not many.keep_many(START + np.arange(10), values[:10])


def test_numbers_at_the_edge_of_doubles_have_no_band(noise: Noise) -> None:
    baseline = Baseline()
    feed(baseline, noise("white", 300) * 1e300)
    assert not baseline.ready


def test_back_well_inside_is_back(noise: Noise) -> None:
    baseline = Baseline()
    feed(baseline, noise("white", 300))
    held = Condition(need=1, hold_ms=0)
    held.step(1, 1, "above", baseline.high + 1, 0, 0, 1)
    assert baseline.levels(baseline.high + 1, "both", held) == (1, 1, "above")
    assert baseline.levels(0.9 * baseline.high, "both", held) == (0, 1, "above")
    assert baseline.levels(baseline.median, "both", held) == (0, 0, "none")
    assert baseline.levels(baseline.low - 1, "both", held) == (1, 0, "below")
    assert baseline.levels(baseline.high + 1, "below", held) == (0, 0, "none")
