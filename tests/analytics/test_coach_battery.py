"""Checks of the battery, on days made by hand: quiet on sound ones, loud on each fault."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_battery import ageing, battery_empty, discharge, nights, overnight_drop, parasitic_draw
from analytics.coach_charging import engine_without_current
from analytics.coach_sign import STAYS, TOLD
from analytics.rules import Rules

from .coach_days import AN_HOUR, Days, strength

MORNING = 5.5


@pytest.mark.parametrize("check", [parasitic_draw, overnight_drop, ageing, battery_empty])
@pytest.mark.parametrize("hours", [5.5, 13.0, 21.0])
def test_a_sound_battery_is_quiet(shipped_catalogue: Catalogue, check, hours: float) -> None:
    assert strength(check, Days(10, hours).view(shipped_catalogue)) < 0.5


@pytest.mark.parametrize("check", [parasitic_draw, overnight_drop, ageing, battery_empty, engine_without_current])
def test_nothing_known_nothing_said(shipped_catalogue: Catalogue, check) -> None:
    days = Days(3, 2)
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []
    assert strength(check, Days(1).view(shipped_catalogue)) < 1


def test_a_load_that_stays_on_at_night(shipped_catalogue: Catalogue) -> None:
    days = Days(10, MORNING)
    days.values["battery.house.current"][days.last(MORNING + 8)] -= 4
    (sign,) = parasitic_draw(days.view(shipped_catalogue))
    assert sign.strength > 1.5
    assert sign.facts["extra"].startswith(("3.9", "4.0", "4.1"))


def test_the_sign_of_the_current_does_not_matter(shipped_catalogue: Catalogue) -> None:
    days = Days(10, MORNING)
    days.values["battery.house.current"][days.last(MORNING + 8)] -= 4
    plain = strength(parasitic_draw, days.view(shipped_catalogue))
    days.values["battery.house.current"] *= -1
    view = days.view(shipped_catalogue)
    assert strength(parasitic_draw, view) == pytest.approx(plain)
    out = discharge(view)
    assert out is not None
    assert np.nanmean(out[1][view.dark]) > 3


@pytest.mark.parametrize("state", ["climate.furnace.on", "fridge.compressor.on"])
def test_what_runs_more_in_a_cold_or_a_hot_night_is_no_leak_of_current(shipped_catalogue: Catalogue, state) -> None:
    days = Days(10, MORNING)
    burning = np.arange(days.slots) % 20 < 19
    burning[: -14 * AN_HOUR] = False
    days.values[state] = burning.astype(float)
    days.values["battery.house.current"] -= 7.0 * burning
    assert strength(parasitic_draw, days.view(shipped_catalogue)) < 1


def test_capacity_that_is_gone(shipped_catalogue: Catalogue) -> None:
    days = Days(10, MORNING)
    soc = days.values["battery.house.soc"]
    night = days.last(MORNING + 5)
    soc[night] = soc[night][0] + 1.6 * (soc[night] - soc[night][0])
    (sign,) = overnight_drop(days.view(shipped_catalogue))
    assert sign.strength > 1
    assert 1.2 < float(sign.facts["times"]) < 1.7


def test_more_use_in_a_night_is_no_lost_capacity(shipped_catalogue: Catalogue) -> None:
    days = Days(10, MORNING)
    night = days.last(MORNING + 5)
    days.values["battery.house.current"][night] -= 6
    hours = np.arange(night.stop - night.start) / AN_HOUR
    days.values["battery.house.soc"][night] -= 6 * hours / 4
    assert strength(overnight_drop, days.view(shipped_catalogue)) < 0.5


def test_a_voltage_that_sags(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 13)
    recent = days.last(50)
    days.values["battery.house.voltage"][recent] += 0.008 * days.values["battery.house.current"][recent]
    (sign,) = ageing(days.view(shipped_catalogue))
    assert sign.strength > 2
    assert sign.value == pytest.approx(12, rel=0.2)  # mΩ, where 4 were


def test_a_resistance_is_told_in_ohms(shipped_catalogue: Catalogue, shipped_rules: Rules) -> None:
    days = Days(10, 13)
    recent = days.last(50)
    days.values["battery.house.voltage"][recent] += 0.008 * days.values["battery.house.current"][recent]
    view = days.view(shipped_catalogue)
    (sign,) = ageing(view)
    spec = shipped_catalogue.spec(sign.track.name)
    insight = shipped_rules.insight(sign.finding(view), spec, view.now_ms)
    assert insight is not None
    assert re.search(r"moves as across 1[0-9.]+ mΩ, where [34][0-9.]* mΩ was usual", insight.description)
    assert insight.evidence["unit"] == "mΩ"


def losing(level: float, an_hour: float, at: float = 23) -> Days:
    """`at` that hour: a battery of 400 Ah had `level` % three hours ago and has lost `an_hour` % in each of them."""
    days = Days(10, at)
    late = days.last(3)
    hours = np.arange(late.stop - late.start) / AN_HOUR
    days.values["battery.house.soc"][late] = level - an_hour * hours
    days.values["battery.house.current"][late] = -4 * an_hour
    return days


def test_a_battery_that_will_not_last_the_night(shipped_catalogue: Catalogue) -> None:
    view = losing(60, 8).view(shipped_catalogue)
    (sign,) = battery_empty(view)
    assert sign.strength > 1
    assert 2.5 < sign.numbers["hours_left"] < 6
    assert sign.facts["by"].startswith("Fri 0")


def test_a_battery_that_just_lasts_is_not_said_to_be_empty_now(shipped_catalogue: Catalogue) -> None:
    view = losing(52, 6).view(shipped_catalogue)
    (sign,) = battery_empty(view)
    assert STAYS < sign.strength < TOLD
    assert 8 < sign.numbers["hours_left"] < 11


def test_guests_of_an_evening_go_to_bed(shipped_catalogue: Catalogue) -> None:
    def evening(an_hour: float) -> float:
        return strength(battery_empty, losing(40 + 3 * an_hour, an_hour, at=22).view(shipped_catalogue))

    assert evening(7) < STAYS  # 4 on other evenings, and 1.4 in the nights
    assert evening(11) > TOLD  # no guests use so much


def test_shore_power_takes_the_worry(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 23)
    late = days.last(3)
    days.values["battery.house.soc"][late] = np.linspace(60, 36, late.stop - late.start)
    days.values["shore.leg1.voltage"][days.last(1)] = 120.0
    (sign,) = battery_empty(days.view(shipped_catalogue))
    assert sign.strength == 0  # said, so that what was told is over


def test_nights_are_dark_and_unfed(shipped_catalogue: Catalogue) -> None:
    days = Days(4)
    days.values["shore.leg1.voltage"][288 : 2 * 288] = 120.0
    view = days.view(shipped_catalogue)
    spans = nights(view)
    assert len(spans) == 5
    assert all(view.dark[begin:end].all() and not view.fed[begin:end].any() for begin, end in spans)
