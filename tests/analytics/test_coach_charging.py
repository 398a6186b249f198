"""Checks of what charges: each source dead while it should give, panels that give less for days."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_charging import engine_without_current, output_low, shore_without_current, sun_without_current
from analytics.coach_sign import STAYS

from .coach_days import Days, strength

CHECKS = [engine_without_current, output_low, shore_without_current, sun_without_current]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("hours", [3.0, 11.0, 20.0])
def test_a_sound_coach_is_quiet(shipped_catalogue: Catalogue, check, hours: float) -> None:
    assert strength(check, Days(12, hours).view(shipped_catalogue)) < 1


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_known_nothing_said(shipped_catalogue: Catalogue, check) -> None:
    days = Days(3, 2)
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []


def test_sun_but_no_current(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 11)
    days.values["solar.power"][days.last(2)] = 0
    days.values["battery.house.soc"][days.last(2)] = 70
    (sign,) = sun_without_current(days.view(shipped_catalogue))
    assert sign.strength > 2
    assert sign.facts["sign"] == "37.00 V on the panels"


def test_a_full_battery_takes_nothing_and_the_night_gives_nothing(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 11)
    days.values["solar.power"][days.last(2)] = 0
    days.values["battery.house.soc"][days.last(3)] = 99
    assert strength(sun_without_current, days.view(shipped_catalogue)) == 0
    assert strength(sun_without_current, Days(10, 2).view(shipped_catalogue)) == 0


def test_a_voltage_that_stands_at_night_is_no_light(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 23)  # dark, and room in the battery
    days.values["solar.voltage"] = days.values["battery.house.voltage"].copy()  # the controller's other side
    assert strength(sun_without_current, days.view(shipped_catalogue)) == 0


def test_plugged_in_and_discharged_all_the_same(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 23)
    days.values["shore.leg1.voltage"][days.last(3)] = 120.0
    (sign,) = shore_without_current(days.view(shipped_catalogue))
    assert sign.strength > 2
    days.values["battery.house.current"][days.last(2)] = 20.0
    assert strength(shore_without_current, days.view(shipped_catalogue)) == 0
    days.values["battery.house.current"][days.last(2)] = 0.0
    days.values["battery.house.soc"][days.last(2)] = 100
    (sign,) = shore_without_current(days.view(shipped_catalogue))  # full, and nothing is taken from it: that is over
    assert sign.strength < STAYS


def test_a_running_engine_without_its_alternator(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 12)
    for begin in (500, 1200):
        days.values["engine.rpm"][begin : begin + 30] = 1900
        days.values["alternator.current"][begin : begin + 30] = 70
    days.values["engine.rpm"][days.last(1)] = 1900
    (sign,) = engine_without_current(days.view(shipped_catalogue))
    assert sign.strength > 2
    days.values["alternator.current"][days.last(1)] = 40
    assert strength(engine_without_current, days.view(shipped_catalogue)) == 0


@pytest.mark.parametrize(("charge", "amps", "told"), [(99, 15, False), (99, 1, True), (70, 15, True)])
def test_a_full_battery_is_given_less_by_a_sound_alternator(
    shipped_catalogue: Catalogue, charge: float, amps: float, told: bool
) -> None:
    days = Days(10, 12)
    for begin, soc, given in ((500, 99, 14), (800, 60, 90), (1200, 65, 90), (1500, 65, 90)):
        days.values["engine.rpm"][begin : begin + 30] = 1900
        days.values["alternator.current"][begin : begin + 30] = given
        days.values["battery.house.soc"][begin : begin + 30] = soc
    days.values["engine.rpm"][days.last(1)] = 1900
    days.values["alternator.current"][days.last(1)] = amps
    days.values["battery.house.soc"][days.last(1)] = charge
    assert (strength(engine_without_current, days.view(shipped_catalogue)) >= 1) == told


def test_an_alternator_that_never_met_a_full_battery_is_not_judged_by_one(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 12)
    for begin, soc in ((500, 60), (1200, 65)):
        days.values["engine.rpm"][begin : begin + 30] = 1900
        days.values["alternator.current"][begin : begin + 30] = 90
        days.values["battery.house.soc"][begin : begin + 30] = soc
    days.values["engine.rpm"][days.last(1)] = 1900
    days.values["battery.house.soc"][days.last(1)] = 99
    assert list(engine_without_current(days.view(shipped_catalogue))) == []


@pytest.mark.parametrize(("days_low", "told"), [(2, False), (7, True)])
def test_panels_that_give_less(shipped_catalogue: Catalogue, days_low: int, told: bool) -> None:
    """Two dull days are weather."""
    days = Days(13, 20)
    days.values["battery.house.soc"] = np.minimum(days.values["battery.house.soc"], 80.0)
    sun = np.maximum(0.0, np.sin((days.hour - 6) / 12 * np.pi))
    days.values["solar.power"] = 800 * sun
    days.values["solar.power"][days.last(24 * days_low - 4)] *= 0.5
    assert (strength(output_low, days.view(shipped_catalogue)) >= 1) == told
