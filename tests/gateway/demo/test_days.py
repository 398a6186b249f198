"""The world outside: a pure function of seed and day."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.demo.days import LIGHTS, MINUTES, has_hookup, journey, make_day

DAY = 20_780


def fresh(seed, day):
    make_day.cache_clear()
    return make_day(seed, day)


def test_a_day_is_the_same_whenever_it_is_asked_for():
    first = fresh(3, DAY)
    fresh(3, DAY + 1)
    again = fresh(3, DAY)
    for name in type(first).__slots__:
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


def test_another_seed_is_another_day():
    assert not np.array_equal(fresh(3, DAY).outside, fresh(4, DAY).outside)


@pytest.mark.parametrize("day", range(DAY, DAY + 12))
def test_every_curve_has_a_finite_value_a_minute(day):
    world = make_day(1, day)
    for name in type(world).__slots__:
        curve = getattr(world, name)
        assert curve.shape == ((len(LIGHTS), MINUTES) if name == "lights" else (MINUTES,))
        assert np.isfinite(curve).all()
        if name != "outside":
            assert (curve >= 0).all(), name
    assert (world.lights <= 100).all()


@pytest.mark.parametrize("day", [DAY, DAY + 180])
def test_the_sun_shines_by_day_only_and_higher_in_summer(day):
    light = make_day(1, day).irradiance
    assert (light[:270] == 0).all()
    assert (light[1200:] == 0).all()
    assert 60 < light[600:840].mean() < 1000


def test_summer_days_are_longer_and_warmer():
    assert (make_day(1, DAY + 200).irradiance > 0).sum() > 1.2 * (make_day(1, DAY).irradiance > 0).sum()
    winter, summer = (np.mean([make_day(1, day + at).outside.mean() for at in range(9)]) for day in (DAY, DAY + 220))
    assert summer > winter + 8


def test_the_temperature_outside_has_no_step_at_midnight():
    for day in range(DAY, DAY + 20):
        assert abs(make_day(1, day).outside[-1] - make_day(1, day + 1).outside[0]) < 0.1


def test_one_journey_in_four_days_and_no_shore_power_on_the_road():
    for block in range(DAY // 4, DAY // 4 + 10):
        roads = [journey(1, 4 * block + at) for at in range(4)]
        assert sum(road is not None for road in roads) == 1
    day = next(day for day in range(DAY, DAY + 8) if journey(1, day))
    world, (start, end) = make_day(1, day), journey(1, day) or (0, 0)
    assert world.speed[start:end].max() > 60
    assert (world.shore[start:end] == 0).all()
    assert (world.lights[:, start:end] == 0).all()
    assert (world.engine[world.speed > 0] == 1).all()


def test_shore_power_stays_as_it_is_over_midnight():
    for day in range(DAY, DAY + 30):
        assert make_day(1, day).shore[-1] == make_day(1, day + 1).shore[0] == has_hookup(1, day)
