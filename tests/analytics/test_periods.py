from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.periods import find_periods
from tests.accuracy import periods as accuracy

Noise = Callable[[str, int], np.ndarray]
MINUTE = 60_000


def grid(count: int, step_ms: int = MINUTE) -> np.ndarray:
    return 1_700_000_000_000 + np.arange(count, dtype=np.int64) * step_ms


def test_the_smoke_part_of_the_accuracy_table() -> None:
    found = accuracy.measure(seed=77, count=25)
    assert found["clean"] >= 0.95
    assert found["30 % missing"] >= 0.95
    assert found["clean, told"] >= 0.9
    assert found["30 % missing, told"] >= 0.9
    assert found["false of 60"] <= 1
    assert found["false patterns of 60"] <= 2


def test_a_period_says_how_strong_it_is_and_on_what_that_rests(noise: Noise) -> None:
    times = grid(800)
    [found, *_] = find_periods(times, 3 * np.sin(times / MINUTE / 40 * 2 * np.pi) + noise("white", 800))
    assert found.period_ms == pytest.approx(40 * MINUTE, rel=0.01)
    assert found.cycles == pytest.approx(20, rel=0.02)
    assert 0.7 < found.strength <= 1
    assert 0.7 < found.r2 <= 1


def test_a_fraction_of_a_sample_is_told(noise: Noise) -> None:
    times = grid(2000)
    found = find_periods(times, np.sin(times / MINUTE / 17.3 * 2 * np.pi) + 0.3 * noise("white", 2000))
    assert found[0].period_ms == pytest.approx(17.3 * MINUTE, rel=0.003)


@pytest.mark.parametrize("step_ms", [100, 10_000, 3_600_000])
def test_any_cadence_and_scale(noise: Noise, step_ms: int) -> None:
    values = 1e6 * np.sin(np.arange(600) / 30 * 2 * np.pi) + 1e5 * noise("white", 600)
    assert find_periods(grid(600, step_ms), values)[0].period_ms == pytest.approx(30 * step_ms, rel=0.02)


def test_a_hole_of_several_cycles_and_outliers_do_not_hide_it(noise: Noise, rng: np.random.Generator) -> None:
    values = np.sin(np.arange(700) / 25 * 2 * np.pi) + 0.3 * noise("white", 700)
    values[rng.integers(0, 700, 8)] = 80.0
    keep = (np.arange(700) < 300) | (np.arange(700) > 420)
    assert find_periods(grid(700)[keep], values[keep])[0].period_ms == pytest.approx(25 * MINUTE, rel=0.03)


def test_a_day_and_a_week_are_both_named(noise: Noise) -> None:
    hours = np.arange(24 * 42)
    values = np.sin(hours / 24 * 2 * np.pi) + 1.5 * ((hours // 24) % 7 >= 5) + 0.2 * noise("white", len(hours))
    found = [round(each.period_ms / 3_600_000) for each in find_periods(grid(len(hours), 3_600_000), values)]
    assert 24 in found
    assert 168 in found


@pytest.mark.parametrize(
    "values", [[], [1.0] * 3, [5.0] * 500, [0.0] * 499 + [9.0], [1e300 * i for i in range(300)], [1e-320] * 100]
)
def test_series_without_a_period(values: list[float]) -> None:
    assert find_periods(grid(len(values)), np.array(values)) == []


def test_samples_at_one_moment() -> None:
    assert find_periods(np.zeros(100, dtype=np.int64), np.arange(100.0)) == []


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-160, 1e-9, 1e150, 1e300])
def test_a_period_is_the_same_in_any_unit(size: float, noise: Noise) -> None:
    times = grid(1200)
    assert find_periods(times, size * np.random.default_rng(3).random(1200)) == []
    [found, *_] = find_periods(times, size * (3 * np.sin(times / MINUTE / 40 * 2 * np.pi) + noise("white", 1200)))
    assert found.period_ms == pytest.approx(40 * MINUTE, rel=0.01)
