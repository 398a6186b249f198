"""The usual day: quartiles before today, weekdays, how much one day foretells another."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.cycle import DAY_MS, HOUR_MS
from analytics.day_profile import day_profile

MONDAY_MS = 1_759_708_800_000  # 2025-10-06 00:00 UTC


def test_quartiles_are_of_whole_days_before_today() -> None:
    hours = MONDAY_MS + HOUR_MS * np.arange(24 * 5, dtype=np.int64)
    values = np.repeat([1.0, 2.0, 3.0, 4.0, 100.0], 24)
    profile = day_profile(hours, values, MONDAY_MS + 5 * DAY_MS - 1)
    assert profile.days == 4
    assert (profile.low[7], profile.middle[7], profile.high[7]) == (1.75, 2.5, 3.25)
    assert profile.count.tolist() == [4] * 24
    assert profile.today.tolist() == [100.0] * 24
    assert profile.week[:4, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.isnan(profile.week[4:]).all()


def test_hours_and_days_are_those_of_the_wall_times_handed_in() -> None:
    hours = np.array([MONDAY_MS + HOUR_MS + HOUR_MS // 2], dtype=np.int64)
    profile = day_profile(hours, np.array([5.0]), MONDAY_MS + DAY_MS)
    assert profile.week[0, 1] == 5.0  # Monday 01:30
    assert np.isnan(profile.week[6]).all()


@pytest.mark.parametrize(("noise", "low", "high"), [(0.01, 0.95, 1.0), (30.0, 0.0, 0.2)])
def test_strength_is_what_the_other_days_foretell(noise: float, low: float, high: float) -> None:
    hours = MONDAY_MS + HOUR_MS * np.arange(24 * 14, dtype=np.int64)
    values = np.sin(2 * np.pi * np.arange(24 * 14) / 24) + noise * np.random.default_rng(2).normal(size=24 * 14)
    strength = day_profile(hours, values, int(hours[-1]) + HOUR_MS).strength
    assert strength is not None
    assert low <= strength <= high


def test_nothing_and_a_constant_have_no_strength() -> None:
    empty = day_profile(np.empty(0, np.int64), np.empty(0), MONDAY_MS)
    assert (empty.days, empty.strength) == (0, None)
    hours = MONDAY_MS + HOUR_MS * np.arange(24 * 5, dtype=np.int64)
    assert day_profile(hours, np.ones(24 * 5), MONDAY_MS + 9 * DAY_MS).strength is None
