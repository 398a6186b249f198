"""Accounts: what explains a fall, learned; and blocks that do not count."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.coach_use import blocks, falls, learn, rises, serviced


def test_falls_and_rises() -> None:
    level = np.array([5.0, 3.0, 6.0, np.nan, 3.0])
    assert falls(level).tolist() == [0, 2, 0, 0, 0]
    assert rises(level).tolist() == [0, 0, 3, 0, 0]


def test_a_sensor_between_two_of_its_steps_is_no_water() -> None:
    level = np.append(np.tile([50.0, 51.0], 40), [49.0, 50.0, 49.0])
    assert (falls(level).sum(), rises(level).sum()) == (1, 2)
    assert falls(np.array([50.0, 51.0, 52.0, 51.0])).sum() == 1  # that was filled


def test_a_hose_is_no_use() -> None:
    level = np.array([40.0, 40.0, 55.0, 70.0, 70.0, 69.5, 69.5])
    assert serviced(level, waste=False).tolist() == [False, True, True, True, True, False, False]
    assert serviced(-level, waste=True).tolist() == serviced(level, waste=False).tolist()


def test_the_factors_are_found_and_never_negative() -> None:
    dice = np.random.default_rng(1)
    gray, black, nothing = dice.uniform(0, 5, 80), dice.uniform(0, 2, 80), dice.uniform(0, 1, 80)
    used = 0.86 * gray + 0.4 * black + dice.normal(0, 0.05, 80)
    account = learn(used, [gray, black, nothing], np.ones(80, dtype=bool))
    assert account is not None
    assert account.factors[:2] == pytest.approx([0.86, 0.4], abs=0.03)
    assert 0 <= account.factors[2] < 0.1
    assert account.spread == 0.25  # no sensor is finer than its grain
    assert account.explains([np.array([1.0, 1.0]), np.array([0.0]), np.array([0.0])]) == pytest.approx(1.72, abs=0.06)


def test_too_few_blocks_teach_nothing() -> None:
    assert learn(np.ones(20), [np.ones(20)], np.arange(20) < 7) is None


def test_blocks_end_with_the_last_slot() -> None:
    sums, good = blocks(np.arange(7.0), np.arange(7) != 3, 3)
    assert sums.tolist() == [6.0, 15.0]
    assert good.tolist() == [False, True]
