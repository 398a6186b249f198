from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import trend
from analytics.trend import direction

HOUR = 3_600_000
Noise = Callable[[str, int], np.ndarray]


def hourly(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * HOUR


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=25))
def test_theil_sen_against_brute_force(values: list[float]) -> None:
    positions = np.arange(len(values), dtype=float)
    slopes = [(values[j] - values[i]) / (j - i) for i, j in itertools.combinations(range(len(values)), 2)]
    assert trend.theil_sen(positions, np.array(values)) == pytest.approx(statistics.median(slopes), abs=1e-6)


@pytest.mark.parametrize(("sign", "expected"), [(1, "up"), (-1, "down")])
def test_a_clear_line_of_a_day(sign: int, expected: str, rng: np.random.Generator) -> None:
    values = 50 + sign * np.arange(24.0)
    found = direction(hourly(24), values)
    assert found.direction == expected
    assert found.slope_per_hour == pytest.approx(sign)
    assert found.change_percent == pytest.approx(sign * 46.0)
    assert direction(hourly(24), values + rng.normal(0, 1.5, 24)).direction == expected


def test_a_bend_that_rises_all_the_way_is_a_trend() -> None:
    assert direction(hourly(24), np.exp(np.arange(24) / 8.0)).direction == "up"
    assert direction(hourly(100), 100 * np.exp(-np.arange(100) / 40.0)).direction == "down"


@pytest.mark.parametrize(
    ("kind", "count", "allowed"),
    [("white", 12, 0.03), ("white", 24, 0.02), ("white", 200, 0.02), ("t3", 100, 0.02), ("lognormal", 100, 0.02),
     ("ar0.5", 100, 0.02), ("ar0.9", 100, 0.03), ("ar0.95", 24, 0.12), ("ar0.95", 300, 0.03), ("walk", 24, 0.18),
     ("walk", 60, 0.06), ("walk", 250, 0.05), ("walk", 700, 0.05)],
)  # fmt: skip
def test_noise_rarely_has_a_trend(noise: Noise, kind: str, count: int, allowed: float) -> None:
    trials = 150
    found = sum(direction(hourly(count), noise(kind, count)).direction != "stable" for _ in range(trials))
    assert found <= allowed * trials


def test_cycles_are_no_trend(rng: np.random.Generator) -> None:
    for phase in np.linspace(0, 6, 12):
        values = np.sin(np.arange(48) / 24 * 2 * np.pi + phase) + rng.normal(0, 0.05, 48)
        assert direction(hourly(48), values).direction == "stable"


@pytest.mark.parametrize("count", [24, 60, 300])
def test_a_lasting_step_is_a_change_of_the_size_of_the_step(count: int, rng: np.random.Generator) -> None:
    values = np.where(np.arange(count) < count // 2, 1.0, 9.0)
    found = direction(hourly(count), values)
    assert (found.direction, found.shape, found.change_percent) == ("up", "step", 800.0)
    assert found.changed_at_ms == count // 2 * HOUR
    noisy = direction(hourly(count), -values + rng.normal(0, 0.5, count))
    assert noisy.direction == "down"
    assert noisy.first == pytest.approx(-1, abs=0.4)
    assert noisy.last == pytest.approx(-9, abs=0.4)


def test_what_comes_back_is_no_change(rng: np.random.Generator) -> None:
    for start in (20, 60, 90):
        values = np.zeros(120)
        values[start : start + 25] = 8.0
        assert direction(hourly(120), values + rng.normal(0, 0.5, 120)).direction == "stable"
    spike = np.zeros(24)
    spike[-1] = 50.0
    assert direction(hourly(24), spike).direction == "stable"


def test_a_level_that_is_sent_on_change_and_only_falls() -> None:
    assert direction(hourly(48), 80.0 - 4 * np.floor(np.sqrt(np.arange(48)))).direction == "down"


@given(st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=60))
def test_direction_and_change_agree(values: list[float]) -> None:
    found = direction(hourly(len(values)), np.array(values))
    sign = {"up": 1, "down": -1, "stable": 0}[found.direction]
    assert found.change_percent * sign >= 0
    if found.direction == "stable":
        assert found.change_percent == 0.0
    else:
        assert (found.last - found.first) * sign > 0


def test_gaps_and_irregular_times(rng: np.random.Generator) -> None:
    times = np.sort(rng.choice(10_000, 80, replace=False)).astype(np.int64) * 60_000
    times[40:] += 50 * HOUR
    values = 3.0 * times / HOUR + rng.normal(0, 2, 80)
    found = direction(times, values)
    assert found.direction == "up"
    assert found.slope_per_hour == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [1.0, 2.0], [5.0] * 9, [1e300, -1e300] * 6, [1e308 * (i / 23) for i in range(24)], [0.0] * 24,
     [1e-320] * 8, [5e-324, 0.0] * 5],
)  # fmt: skip
def test_degenerate_series_are_answered_with_finite_numbers(values: list[float]) -> None:
    found = direction(hourly(len(values)), np.array(values))
    numbers = (found.slope_per_hour, found.change_percent, found.p_value, found.first, found.last, found.scale)
    assert all(map(math.isfinite, numbers))
    if len(set(values)) < 3:
        assert found.direction == "stable"


def test_samples_at_one_moment_have_no_slope() -> None:
    assert direction(np.zeros(10, dtype=np.int64), np.arange(10.0)).slope_per_hour == 0.0


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(10, 20, 100.0), (20, 10, -50.0), (-10, -20, -100.0), (-10, 10, 200.0), (0, 5, 100.0), (0, -5, -100.0),
     (0, 0, 0.0), (1e308, -1e308, -200.0), (0.001, 5, 100.0), (5, 0, -100.0)],
)  # fmt: skip
def test_change_percent(first: float, last: float, expected: float) -> None:
    assert trend.change_percent(first, last) == pytest.approx(expected)


@given(st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=30))
def test_turned_upside_down_the_trend_is_too(values: list[float]) -> None:
    up, down = direction(hourly(len(values)), np.array(values)), direction(hourly(len(values)), -np.array(values))
    assert {"up": "down", "down": "up", "stable": "stable"}[up.direction] == down.direction
