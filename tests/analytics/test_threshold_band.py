"""The quiet band of one metric: as narrow as its narrowest threshold, and what was passed over counts for the peak."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analytics.threshold import INITIAL, NEVER_MS, Threshold, advance
from analytics.threshold_band import Band


def threshold(**members: object) -> Threshold:
    given = {"threshold_id": "t", "name": "n", "metric": "m", "role": None, "condition": "above", "low": None}
    return Threshold(**{**given, "high": 10.0, **members})


def band(*thresholds: Threshold) -> Band:
    made = Band("m", (), [], heard_ms=0)
    made.take_over(thresholds, [INITIAL] * len(thresholds))
    return made


def test_it_is_as_narrow_as_its_narrowest_threshold() -> None:
    made = band(threshold(), threshold(high=8.0), threshold(condition="below", low=2.0, high=None))
    assert (made.low, made.high, made.until_ms) == (2.0, 8.0, NEVER_MS)
    assert band().high == math.inf


def test_only_a_silence_that_means_something_is_minded() -> None:
    assert band(threshold()).missing_after_ms == NEVER_MS
    made = band(threshold(missing="alert", missing_after_s=30), threshold(missing="resolve", missing_after_s=20))
    assert made.missing_after_ms == 20_000


def test_what_was_passed_over_counts_for_the_peak() -> None:
    made = band(threshold())
    made.states[0] = advance(threshold(), INITIAL, 11.0, 0)
    made.narrow()
    assert made.pass_over(14.0, 1)
    assert made.pass_over(12.0, 2)
    assert not made.pass_over(9.0, 3)
    assert made.state(0).peak == 14.0


@pytest.mark.parametrize(
    ("times", "values", "quiet"),
    [
        ([1, 2, 3], [1.0, 9.0, 2.0], True),
        ([1, 2, 3], [1.0, 11.0, 2.0], False),
        ([1, 3, 2], [1.0, 9.0, 2.0], False),  # out of order: one by one
    ],
)
def test_many_at_once(times: list[int], values: list[float], quiet: bool) -> None:
    made = band(threshold())
    assert made.pass_over_all(np.array(times), np.array(values)) is quiet
    assert (made.last_ms, made.last_value) == ((3, 2.0) if quiet else (None, 0.0))


def test_many_that_begin_before_the_last_one_are_not_quiet() -> None:
    made = band(threshold())
    made.last_ms = 5
    assert not made.pass_over_all(np.array([4, 6]), np.array([1.0, 1.0]))
