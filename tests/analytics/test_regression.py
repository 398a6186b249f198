from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.regression import LINE, NO_FIT, STEP, best_step, clipped, fit

Noise = Callable[[str, int], np.ndarray]
LINE_SHAPE = np.arange(100.0)
STEP_SHAPE = (np.arange(100) >= 40) * 1.0


def test_a_line_in_white_noise_is_significant_and_its_noise_has_no_memory(noise: Noise) -> None:
    found = fit(0.1 * LINE_SHAPE + noise("white", 100), LINE_SHAPE, LINE)
    assert found.strength > 1
    assert found.p_value < 0.01
    assert found.memory < 0.3


@pytest.mark.parametrize("kind", ["white", "t3", "ar0.5", "ar0.9", "ar0.95", "walk"])
def test_the_bars_hold_for_every_memory(noise: Noise, kind: str) -> None:
    lines = [fit(noise(kind, 100), LINE_SHAPE, LINE).strength for _ in range(150)]
    assert np.mean(np.array(lines) >= 1) <= 0.04
    steps = []
    for _ in range(150):
        values = noise(kind, 100)
        at = best_step(values)
        assert at is not None
        steps.append(fit(values, (np.arange(100) >= at) * 1.0, STEP).strength)
    assert np.mean(np.array(steps) >= 1) <= 0.05


def test_a_random_walk_counts_as_one(noise: Noise) -> None:
    assert np.mean([fit(noise("walk", 120), np.arange(120.0), LINE).memory == 1.0 for _ in range(40)]) > 0.8


def test_a_slow_process_under_measuring_noise_is_seen_through(noise: Noise) -> None:
    memories = [fit(noise("walk", 120) + 2 * noise("white", 120), np.arange(120.0), LINE).memory for _ in range(40)]
    assert np.median(memories) > 0.8


def test_exact_shapes_and_exact_rest() -> None:
    assert fit(3 * LINE_SHAPE, LINE_SHAPE, LINE).strength == np.inf
    assert fit(3 * LINE_SHAPE, LINE_SHAPE, LINE).p_value < 1e-100
    assert fit(5 * STEP_SHAPE, STEP_SHAPE, STEP).strength == np.inf
    assert fit(np.full(100, 7.0), LINE_SHAPE, LINE) == NO_FIT


def test_the_best_step_is_where_the_level_changes(noise: Noise) -> None:
    assert best_step(5 * STEP_SHAPE) == 40
    assert best_step(5 * STEP_SHAPE + noise("white", 100)) in range(38, 43)
    assert best_step(np.zeros(5)) is None


def test_outliers_are_drawn_in_and_steps_are_not(noise: Noise) -> None:
    values = noise("white", 100) + 20 * STEP_SHAPE
    assert np.abs(clipped(values) - values).max() < 2.0
    values[10] = 1000.0
    assert clipped(values)[10] < 15
    assert clipped(np.array([1.0, 900.0])).tolist() == [1.0, 900.0]
