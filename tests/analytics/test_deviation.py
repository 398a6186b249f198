from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.catalogue import MetricSpec
from analytics.deviation import (
    anomaly_count,
    anomaly_score,
    baseline_deviation,
    expected_band,
    expected_range,
    stretches,
)

Noise = Callable[[str, int], np.ndarray]


@pytest.mark.parametrize("kind", ["white", "ar0.9", "walk"])
@pytest.mark.parametrize("count", [12, 24, 168, 720])
def test_noise_has_no_anomalies(noise: Noise, kind: str, count: int) -> None:
    assert sum(anomaly_count(baseline_deviation(noise(kind, count))) for _ in range(60)) <= 1


@pytest.mark.parametrize("kind", ["t3", "lognormal"])
def test_heavy_tails_raise_their_own_bar(noise: Noise, kind: str) -> None:
    assert sum(anomaly_count(baseline_deviation(noise(kind, 168))) for _ in range(60)) <= 20


HABITS = {
    "day and night": np.maximum(0, np.sin(np.arange(168) / 24 * 2 * np.pi)) * 300,
    "a tank that is emptied": 100 - (np.arange(168) % 50) * 2.0,
    "a compressor": np.where(np.arange(168) % 20 < 4, 60.0, 2.0) + np.sin(np.arange(168) * 7.0),
    "on and off": (np.arange(168) % 31 == 0) * 1.0,
    "a steady rise": np.arange(168.0),
    "a new level": (np.arange(168) > 90) * 10.0 + np.sin(np.arange(168) * 7.0),
}


@pytest.mark.parametrize("name", HABITS)
def test_habits_are_no_anomalies(name: str) -> None:
    assert anomaly_count(baseline_deviation(HABITS[name])) == 0


@pytest.mark.parametrize("size", [12, 30, 1e6, -15])
def test_a_spike_is_one_anomaly_with_its_peak(noise: Noise, size: float) -> None:
    values = noise("white", 168)
    values[99:102] += np.array([0.7, 1.0, 0.7]) * size
    found = stretches(baseline_deviation(values))
    assert [stretch.peak for stretch in found] == [100]
    low, high = expected_range(values, 100)
    assert not low <= values[100] <= high
    assert low <= np.median(values) <= high


def test_two_spikes_of_different_size_are_both_found(noise: Noise) -> None:
    values = noise("white", 300)
    values[50] += 40
    values[200] -= 15
    assert [stretch.peak for stretch in stretches(baseline_deviation(values))] == [50, 200]


def test_the_catalogue_says_what_counts(noise: Noise) -> None:
    values = noise("white", 168)
    values[100] += 30
    deviations = baseline_deviation(values)
    assert stretches(deviations, MetricSpec(bad_direction="above"))
    assert not stretches(deviations, MetricSpec(bad_direction="below"))
    assert not stretches(deviations, MetricSpec(bad_direction="none"))
    assert not stretches(deviations, MetricSpec(kind="counter"))
    assert not stretches(baseline_deviation(values, MetricSpec(min_deviation=50)), MetricSpec())
    assert not baseline_deviation(values, MetricSpec(kind="state")).any()


def test_scores_are_one_half_where_a_point_becomes_an_anomaly() -> None:
    scores = anomaly_score(np.array([0.0, 6.0, -6.0, 1000.0]))
    assert scores.tolist()[:3] == [0.0, 0.5, 0.5]
    assert 0.99 < scores[3] < 1.0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=60))
def test_any_finite_series_has_finite_deviations(values: list[float]) -> None:
    array = np.array(values)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        deviations = baseline_deviation(array)
        for stretch in stretches(deviations):
            assert stretch.first <= stretch.peak <= stretch.last
            assert all(map(math.isfinite, expected_range(array, stretch.peak)))
    assert len(deviations) == len(values)
    assert np.isfinite(deviations).all()
    assert np.isfinite(anomaly_score(deviations)).all()


def test_few_points_and_still_series_are_not_judged() -> None:
    assert not baseline_deviation(np.array([1.0, 2, 3, 99])).any()
    assert not baseline_deviation(np.full(50, 7.0)).any()
    assert len(baseline_deviation(np.array([]))) == 0


def test_the_band_of_all_points_is_the_range_of_each() -> None:
    values = 20 + np.sin(np.arange(100.0)) + np.arange(100.0) / 50
    values[40] = 50
    band = expected_band(values)
    assert band is not None
    for at in (0, 40, 57, 99):
        assert (band[0][at], band[1][at]) == pytest.approx(expected_range(values, at))
    judged = np.abs(baseline_deviation(values)) >= 6
    assert ((values < band[0]) | (values > band[1])).tolist() == judged.tolist()


@pytest.mark.parametrize("values", [np.arange(5.0), np.ones(50), np.arange(50.0) % 2])
def test_what_is_not_judged_has_no_band(values: np.ndarray) -> None:
    assert expected_band(values) is None
