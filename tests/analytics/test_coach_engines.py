"""Checks of generator and engine."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_engines import load_grew, long_run, running_hotter

from .coach_days import Days, strength


def lived(hours: float = 12.0) -> Days:
    """Three generator runs of two hours, three journeys of two hours at 89 °C."""
    days = Days(8, hours)
    for begin in (150, 700, 1500):
        run = slice(begin, begin + 24)
        days.values["generator.running"][run] = 1
        days.values["generator.load"][run] = 30 + days.hour[run]
        road = slice(begin + 100, begin + 124)
        days.values["engine.rpm"][road] = 1900
        days.values["engine.coolant.temperature"][road] = 89.0
    return days


@pytest.mark.parametrize("check", [long_run, load_grew, running_hotter])
def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue, check) -> None:
    days = lived()
    assert strength(check, days.view(shipped_catalogue)) < 0.5
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []


def test_a_generator_with_nothing_left_to_charge(shipped_catalogue: Catalogue) -> None:
    days = lived()
    days.values["generator.running"][days.last(1.5)] = 1
    days.values["battery.house.soc"][days.last(1.5)] = 99
    (sign,) = long_run(days.view(shipped_catalogue))
    assert sign.strength > 1
    assert sign.facts["why"] == "the battery has been full for 90 min, and nothing else is known to need it"
    days.values["climate.air_conditioner.on"][days.last(1.5)] = 1  # it has that to carry
    assert strength(long_run, days.view(shipped_catalogue)) == 0


def test_a_run_longer_than_any_before(shipped_catalogue: Catalogue) -> None:
    days = lived()
    days.values["battery.house.soc"][:] = 60
    days.values["generator.running"][days.last(3)] = 1
    assert strength(long_run, days.view(shipped_catalogue)) < 1
    days.values["generator.running"][days.last(6)] = 1
    (sign,) = long_run(days.view(shipped_catalogue))
    assert sign.strength > 1
    assert sign.facts["why"] == "its longest run before was 2.0 h"  # nothing of a full battery: it stands at 60 %


def test_a_long_run_after_days_without_sun_charges_the_battery(shipped_catalogue: Catalogue) -> None:
    days = lived()
    run = days.last(6)
    days.values["generator.running"][run] = 1
    days.values["battery.house.soc"][run] = np.linspace(30, 70, run.stop - run.start)
    assert strength(long_run, days.view(shipped_catalogue)) == 0
    days.values["battery.house.soc"][run] = 30  # and it does not rise
    assert strength(long_run, days.view(shipped_catalogue)) > 1


@pytest.mark.parametrize("check", [long_run, load_grew])
def test_what_was_told_of_a_run_is_over_when_it_ends(shipped_catalogue: Catalogue, check) -> None:
    days = lived()
    run = days.last(8)
    days.values["generator.running"][run] = 1
    days.values["generator.load"][run] = 92
    days.values["battery.house.soc"][run] = 99
    assert strength(check, days.view(shipped_catalogue)) > 1
    days.values["generator.running"][-1] = 0
    days.values["generator.load"][-1] = 0
    (sign,) = check(days.view(shipped_catalogue))
    assert (sign.strength, sign.cover) == (0, 1)


def test_more_load_than_ever(shipped_catalogue: Catalogue) -> None:
    days = lived()
    days.values["generator.running"][days.last(1)] = 1
    days.values["generator.load"][days.last(1)] = 45
    assert strength(load_grew, days.view(shipped_catalogue)) < 0.7
    days.values["generator.load"][days.last(1)] = 90
    assert strength(load_grew, days.view(shipped_catalogue)) > 1.5


@pytest.mark.parametrize(("load", "told"), [(75, False), (92, True)])
def test_a_first_run_is_judged_by_what_any_generator_carries(
    shipped_catalogue: Catalogue, load: float, told: bool
) -> None:
    days = Days(3, 8)
    days.values["generator.running"][days.last(0.5)] = 1
    days.values["generator.load"][days.last(0.5)] = load
    assert (strength(load_grew, days.view(shipped_catalogue)) >= 1) == told


@pytest.mark.parametrize(("coolant", "told"), [(90.0, False), (95.0, True)])
def test_an_engine_hotter_than_on_its_journeys_before(shipped_catalogue: Catalogue, coolant: float, told: bool) -> None:
    days = lived()
    days.values["engine.rpm"][days.last(1)] = 1900
    days.values["engine.coolant.temperature"][days.last(1)] = coolant
    assert (strength(running_hotter, days.view(shipped_catalogue)) >= 1) == told
