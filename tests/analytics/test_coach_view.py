"""The view: roles, hours, sources, and unknowns that are no guesses."""

from __future__ import annotations

import numpy as np

from analytics.catalogue import Catalogue
from analytics.coach_view import CoachView, coverage, known, last_run, runs

from .coach_days import AN_HOUR, START_MS, Days


def test_metrics_are_found_by_their_role_alone(shipped_catalogue: Catalogue) -> None:
    days = Days(2)
    days.values["my_house_batt_volts"] = days.values.pop("battery.house.voltage")
    days.values["my_house_battery_voltage"] = days.values.pop("my_house_batt_volts")
    view = days.view(shipped_catalogue)
    track = view.first("battery_voltage")
    assert track is not None
    assert track.name == "my_house_battery_voltage"
    assert [each.name for each in view.all("waste_tank")] == ["tank.black.level", "tank.gray.level"]
    assert view.first("no_such_role") is None


def test_hours_and_days_are_local(shipped_catalogue: Catalogue) -> None:
    log = Days(2).log(shipped_catalogue)
    view = CoachView(log, lambda times: times - 7 * 3_600_000, log.end_slot)
    assert 16.9 < view.hour[-1] < 17
    assert view.day[-1] - view.day[-1 - 17 * AN_HOUR] == 1
    assert view.clock(START_MS) == "Sun 17:00"  # 2026-09-21 is a Monday
    assert CoachView(log, lambda times: times, log.end_slot).clock(START_MS) == "Mon 00:00"


def test_who_feeds(shipped_catalogue: Catalogue) -> None:
    days = Days(2)
    days.values["shore.leg1.voltage"][days.last(10)] = 120.0
    days.values["generator.running"][days.last(5)] = 1.0
    days.values["engine.rpm"][days.last(1)] = 900.0
    view = days.view(shipped_catalogue)
    assert view.shore[-120:].sum() == 5 * AN_HOUR  # a generator on the same legs is no shore power
    assert view.generator[view.last(5)].all()
    assert view.engine.sum() == AN_HOUR
    assert view.fed.sum() == 10 * AN_HOUR + 1  # and the slot before it
    assert not view.fed[:100].any()


def test_dark_is_what_the_panels_say_else_the_clock(shipped_catalogue: Catalogue) -> None:
    days = Days(2)
    with_sun, without = days.view(shipped_catalogue), days.view(shipped_catalogue, ("solar.power",))
    noon, midnight = -12 * AN_HOUR, -AN_HOUR
    assert [view.dark[noon] for view in (with_sun, without)] == [False, False]
    assert [view.dark[midnight] for view in (with_sun, without)] == [True, True]
    assert with_sun.dark[-int(4.5 * AN_HOUR)]
    assert not without.dark[-int(4.5 * AN_HOUR)]


def test_spans(shipped_catalogue: Catalogue) -> None:
    view = Days(2).view(shipped_catalogue)
    assert view.last(1) == slice(view.slots - 12, view.slots)
    assert view.before(1, 1) == slice(view.slots - 12 - 288, view.slots - 12)
    assert view.before(1) == slice(0, view.slots - 12)


def test_small_helpers() -> None:
    on = np.array([True, True, False, True])
    assert runs(on) == [(0, 2), (3, 4)]
    assert runs(np.array([], dtype=bool)) == []
    assert (last_run(on), last_run(~on), last_run(np.array([True, True]))) == (1, 0, 2)
    assert known(np.array([np.nan, 1.0])).tolist() == [-np.inf, 1.0]
    assert coverage(np.array([np.nan, 1.0])) == 0.5
    assert coverage(np.array([])) == 0.0
