"""Oddities: pure, bounded in time, and life afterwards goes on as if nothing had been."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.demo.coach import DAY_MS, Coach
from gateway.demo.days import Day, make_day
from gateway.demo.oddities import ODDITIES, Oddity, lived
from gateway.demo.signals import SIGNALS

DAY = 20_660
START_MS = DAY * DAY_MS


def with_oddity(kind: str, start_h: float = 0, end_h: float = 24) -> Day:
    oddity = Oddity(kind, START_MS + round(start_h * 3_600_000), START_MS + round(end_h * 3_600_000))
    return lived(make_day(5, DAY), [oddity], 5, DAY, START_MS)


@pytest.mark.parametrize("kind", ODDITIES)
def test_an_oddity_of_another_day_changes_nothing(kind):
    other = Oddity(kind, START_MS + 5 * DAY_MS, START_MS + 6 * DAY_MS)
    assert lived(make_day(5, DAY), [other], 5, DAY, START_MS) is make_day(5, DAY)


@pytest.mark.parametrize("kind", ODDITIES)
def test_the_same_every_time_and_before_it_begins_as_ever(kind):
    once, again = with_oddity(kind, 12), with_oddity(kind, 12)
    for name in Day.__struct_fields__:
        first, plain = getattr(once, name), getattr(make_day(5, DAY), name)
        assert (first == getattr(again, name)).all()
        assert (first[..., :720] == plain[..., :720]).all()


def test_guests_use_more_of_everything():
    plain, guests = make_day(5, DAY), with_oddity("guest_weekend")
    assert guests.draw.sum() == pytest.approx(2.1 * plain.draw.sum())
    assert guests.flush.sum() == pytest.approx(2 * plain.flush.sum())
    assert guests.door.sum() > plain.door.sum()


def test_weather_comes_and_goes_by_and_by():
    plain = make_day(5, DAY)
    for kind, degrees in (("cold_snap", -13), ("heat_wave", 8)):
        change = with_oddity(kind, -24, 48).outside - plain.outside
        assert change == pytest.approx(degrees)
        assert np.abs(np.diff(with_oddity(kind).outside - plain.outside)).max() < 0.05
    assert with_oddity("overcast_spell", -24, 48).irradiance.max() < 0.4 * plain.irradiance.max()


def test_a_long_drive_is_on_the_road_all_day():
    drive = with_oddity("long_drive")
    assert 600 < drive.engine.sum() < 720
    assert (drive.speed[drive.engine == 0] == 0).all()
    assert drive.shore.sum() == 0
    assert (drive.draw[drive.engine > 0] == 0).all()


def test_in_storage_nobody_is_there():
    stored = with_oddity("storage")
    for name in ("lights", "draw", "flush", "cooking", "door", "engine", "service"):
        assert not getattr(stored, name).any(), name
    assert stored.shore.all()


def test_after_the_clocks_changed_people_are_an_hour_early():
    plain, changed = make_day(5, DAY), with_oddity("clock_change")
    assert np.array_equal(changed.draw[:-60], plain.draw[60:])
    assert np.array_equal(changed.irradiance, plain.irradiance)


def test_a_replaced_sensor_pauses_and_reads_a_little_else(now_ms):
    swap = Oddity("sensor_replaced", now_ms + 3_600_000, now_ms + DAY_MS)
    plain = Coach(9, now_ms, schedule=False).run(now_ms + 3 * 3_600_000)
    odd = Coach(9, now_ms, schedule=False, oddities=[swap]).run(now_ms + 3 * 3_600_000)
    rear = next(signal for signal in SIGNALS if signal.name == "climate.rear.temperature")
    times, values = odd.measure(rear, odd.times)
    assert len(times) == len(odd.times) - 20
    before = times < swap.start_ms
    assert np.array_equal(values[before], plain.measure(rear, times[before])[1])
    assert (values[~before] - plain.measure(rear, times[~before])[1]).mean() == pytest.approx(0.6, abs=0.02)
