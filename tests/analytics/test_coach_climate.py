"""Checks of furnace and air conditioner."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_climate import not_cooling, short_cycling
from analytics.coach_log import SLOT_MS, CoachLog
from analytics.coach_view import CoachView

from .coach_days import START_MS, Days, strength


@pytest.mark.parametrize("check", [short_cycling, not_cooling])
def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue, check) -> None:
    days = Days(6, 8)
    assert strength(check, days.view(shipped_catalogue)) < 0.5
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []


def furnace(catalogue: Catalogue, on_min: int, off_min: int, usual_on: int = 14) -> CoachView:
    """A furnace that cycled `usual_on` minutes of thirty for three days and then by `on_min` and `off_min`."""
    minute = np.arange(3 * 1440 + 150)
    on = minute % 30 < usual_on
    late = minute >= 3 * 1440
    on[late] = (minute[late] % (on_min + off_min)) < on_min
    log = CoachLog()
    name = "climate.furnace.on"
    log.take(name, catalogue.spec(name), START_MS + minute * 60_000, on.astype(float), START_MS + minute[-1] * 60_000)
    assert log.end_slot * SLOT_MS > START_MS
    return CoachView(log, lambda times: times, log.end_slot)


@pytest.mark.parametrize(("on_min", "off_min", "told"), [(2, 5, True), (3, 4, True), (14, 16, False), (6, 6, False)])
def test_short_cycling(shipped_catalogue: Catalogue, on_min: int, off_min: int, told: bool) -> None:
    assert (strength(short_cycling, furnace(shipped_catalogue, on_min, off_min)) >= 1) == told


def cooled(effect: float, *, hot: float = 0.0) -> Days:
    """Afternoons in which the air conditioner holds 25 °C; on the last one its effect is `effect` times the usual."""
    days = Days(8, 16)
    inside, on = days.values["climate.front.temperature"], days.values["climate.air_conditioner.on"]
    outside = days.values["exterior.temperature"]
    outside += 12
    outside[days.last(10)] += hot
    level, running = 24.0, False
    for slot in range(days.slots):
        running = level > 24.4 if running else level > 25.6
        power = 6.0 * (effect if slot >= days.slots - 72 else 1.0)
        level += (0.25 * (outside[slot] - level) + 1.2 - power * running) / 12
        inside[slot], on[slot] = level, float(running)
    return days


def test_an_air_conditioner_that_hardly_cools(shipped_catalogue: Catalogue) -> None:
    assert strength(not_cooling, cooled(1.0).view(shipped_catalogue)) < 1
    assert strength(not_cooling, cooled(0.15).view(shipped_catalogue)) > 1


def test_a_day_too_hot_for_it_is_not_its_fault(shipped_catalogue: Catalogue) -> None:
    days = cooled(1.0, hot=16.0)
    assert days.values["climate.front.temperature"][-1] > 26.5
    assert strength(not_cooling, days.view(shipped_catalogue)) < 1
