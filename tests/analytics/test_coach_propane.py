"""The check of the propane."""

from __future__ import annotations

import numpy as np

from analytics.catalogue import Catalogue
from analytics.coach_propane import propane_use

from .coach_days import AN_HOUR, Days, strength


def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue) -> None:
    days = Days(12, 8)
    assert strength(propane_use, days.view(shipped_catalogue)) < 0.5
    assert list(propane_use(days.view(shipped_catalogue, tuple(days.values)))) == []


def test_a_leak_is_what_no_appliance_burns(shipped_catalogue: Catalogue) -> None:
    days = Days(12, 8)
    late = days.last(20)
    days.values["tank.propane.level"][late] -= 0.35 * np.arange(late.stop - late.start) / AN_HOUR
    (sign,) = propane_use(days.view(shipped_catalogue))
    assert sign.strength > 1
    assert 3 < sign.numbers["unexplained"] < 9


def test_a_cold_day_burns_more_and_is_no_leak(shipped_catalogue: Catalogue) -> None:
    days = Days(12, 8)
    furnace = days.values["climate.furnace.on"]
    furnace[:] = np.arange(days.slots) % 48 < 6
    furnace[days.last(20)] = np.arange(furnace[days.last(20)].size) % 8 < 5
    days.values["tank.propane.level"] -= np.cumsum(0.5 * furnace) / AN_HOUR
    assert strength(propane_use, days.view(shipped_catalogue)) < 0.7
