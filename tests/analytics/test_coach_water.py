"""Checks of the fresh water."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_water import leak, level_stuck

from .coach_days import AN_HOUR, Days, strength


@pytest.mark.parametrize("check", [leak, level_stuck])
@pytest.mark.parametrize("hours", [3.0, 9.5, 15.0, 21.0])
def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue, check, hours: float) -> None:
    days = Days(10, hours)
    assert strength(check, days.view(shipped_catalogue)) < 0.7
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []


def test_water_that_arrives_nowhere(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 15)
    late = days.last(5)
    lost = 1.4 * np.arange(late.stop - late.start) / AN_HOUR
    days.values["tank.fresh.level"][late] = np.round(2 * (days.values["tank.fresh.level"][late] - lost)) / 2
    (sign,) = leak(days.view(shipped_catalogue))
    assert sign.strength > 1
    assert 4 < sign.numbers["lost"] < 9


def test_guests_are_no_leak(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 15)
    late = days.last(5)
    used = np.round(2 * 3.0 * np.arange(late.stop - late.start) / AN_HOUR) / 2
    days.values["tank.fresh.level"][late] -= used
    days.values["tank.gray.level"][late] += 1.16 * used
    assert strength(leak, days.view(shipped_catalogue)) < 0.7


def test_a_waste_sensor_between_two_of_its_steps_is_no_water(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 6)
    night = days.last(8)
    days.values["tank.gray.level"][night] += 0.5 * (np.arange(night.stop - night.start) % 2)
    assert strength(level_stuck, days.view(shipped_catalogue)) < 0.5


def test_a_level_that_does_not_move_while_water_arrives(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 21)
    still = days.last(36)
    days.values["tank.fresh.level"][still] = days.values["tank.fresh.level"][still.start]
    (sign,) = level_stuck(days.view(shipped_catalogue))
    assert sign.strength > 1
    for waste in ("tank.gray.level", "tank.black.level"):  # nobody is there: a level that rests is right
        days.values[waste][still] = days.values[waste][still.start]
    assert strength(level_stuck, days.view(shipped_catalogue)) < 0.7


def test_a_shower_is_still_on_its_way_when_the_level_has_stopped(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 9)
    still, late = days.last(0.5), days.last(0.25)
    fresh, gray = days.values["tank.fresh.level"], days.values["tank.gray.level"]
    fresh[days.last(1).start : still.start] -= np.linspace(0, 20, 6)
    fresh[still] = fresh[still.start - 1] - 1
    gray[late] += 20
    assert strength(level_stuck, days.view(shipped_catalogue)) < 0.5
