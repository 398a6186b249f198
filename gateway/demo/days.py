"""What happens to the coach from outside, day by day: sun, weather, journeys, and what its people do.

Owns `Day`, minute by minute, as a pure function of seed and day number: asking for a day twice, or out of
order, gives the same day. Days count from 1970-01-01 in the coach's own time. Nothing in here knows of
batteries or tanks: how the coach answers is `physics.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

MINUTES: Final = 1440
LIGHTS: Final = ("kitchen", "dinette", "living", "bedroom", "bath", "hall", "porch")
LATITUDE: Final = math.radians(33.4)  # the winter quarters of many: southern Arizona
_BLOCK_DAYS: Final = 4  # one journey in each block of days

Minutes = NDArray[np.float64]  # shape (1440,)


class Day(Struct, frozen=True):
    """Arrays of shape (1440,), one value a minute; `lights` has one row for each of LIGHTS."""

    irradiance: Minutes  # W/m² on the roof
    outside: Minutes  # °C
    lights: NDArray[np.float64]  # brightness, %
    appliances: Minutes  # W of alternating current
    draw: Minutes  # L/min from the taps, which end in the gray tank
    flush: Minutes  # L/min of the toilet, which end in the black tank
    cooking: Minutes  # propane of the stove, kg/h
    door: Minutes  # 1: the refrigerator is open
    engine: Minutes  # 1: running
    speed: Minutes  # km/h
    shore: Minutes  # 1: plugged in
    heat_to: Minutes  # °C
    cool_to: Minutes  # °C
    service: Minutes  # 1: somebody looks after the tanks


def rng(seed: int, day: int, what: str) -> Random:
    return Random(f"{seed}:{day}:{what}")  # noqa: S311  # a world, not a secret


def journey(seed: int, day: int) -> tuple[int, int] | None:
    """First and last minute on the road, or None on a day of rest."""
    block = day // _BLOCK_DAYS
    if rng(seed, block, "block").randrange(_BLOCK_DAYS) != day % _BLOCK_DAYS:
        return None
    dice = rng(seed, day, "journey")
    start = 600 + dice.randrange(60)
    return start, start + dice.randrange(120, 270)


def has_hookup(seed: int, day: int) -> bool:
    """Whether the place where the coach spends the night after `day` has shore power."""
    while journey(seed, day) is None:
        day -= 1
    return rng(seed, day, "stay").random() < 0.45


@lru_cache(maxsize=8)
def make_day(seed: int, day: int) -> Day:
    minute = np.arange(MINUTES, dtype=np.float64)
    road = journey(seed, day)
    engine, speed, shore = _journey(seed, day, road)
    at_home = 1 - engine
    people = rng(seed, day, "people")
    draw, flush = _water(people)
    awake = (minute >= 390) & (minute < 1350)
    service = np.zeros(MINUTES)
    service[540:570] = 1
    return Day(
        irradiance=_irradiance(seed, day, minute),
        outside=_outside(seed, day, minute),
        lights=_lights(people) * at_home,
        appliances=_appliances(people) * at_home,
        draw=draw * at_home,
        flush=flush,
        cooking=_pulses(people, ((430, 12), (1110, 35)), 0.35) * at_home,
        door=_pulses(people, tuple((people.randrange(400, 1320), 1) for _ in range(12)), 1.0),
        engine=engine,
        speed=speed,
        shore=shore,
        heat_to=np.where(awake, 20.0, 16.5),
        cool_to=np.full(MINUTES, 25.5),
        service=service,
    )


def _journey(seed: int, day: int, road: tuple[int, int] | None) -> tuple[Minutes, Minutes, Minutes]:
    """Engine, speed, shore power."""
    before = float(has_hookup(seed, day - 1))
    engine, speed, shore = np.zeros(MINUTES), np.zeros(MINUTES), np.full(MINUTES, before)
    if road is None:
        return engine, speed, shore
    start, end = road
    minute = np.arange(end - start, dtype=np.float64)
    dice = rng(seed, day, "road")
    pace = 85 + 8 * np.sin(minute / dice.uniform(5, 9)) + 6 * np.sin(minute / dice.uniform(17, 31))
    ramp = np.minimum(1, (1 + np.minimum(minute, minute[::-1])) / 8)  # out of town and into the next
    speed[start:end] = pace * ramp
    rest = start + (end - start) // 2
    speed[rest : rest + 15] = 0  # coffee: the engine idles
    engine[start - 3 : end + 2] = 1
    shore[start - 10 :] = 0
    shore[min(end + 20, MINUTES) :] = float(has_hookup(seed, day))
    return engine, speed, shore


def _irradiance(seed: int, day: int, minute: Minutes) -> Minutes:
    """Light by the height of the sun (declination by Cooper's formula) under drifting clouds."""
    declination = math.radians(23.45) * math.sin(math.radians(360 / 365 * (284 + _day_of_year(day))))
    angle = (minute - 720) / MINUTES * 2 * math.pi
    overhead = math.cos(LATITUDE) * math.cos(declination) * np.cos(angle)
    height = overhead + math.sin(LATITUDE) * math.sin(declination)
    dice = rng(seed, day, "clouds")
    drift = sum(np.sin(minute / dice.uniform(4, 20) + dice.uniform(0, 6.3)) for _ in range(3)) / 3
    clear = 1 - _cover(seed, day) * (0.65 + 0.35 * drift)
    return np.asarray(1000 * np.maximum(height, 0) ** 1.15 * clear)


def _outside(seed: int, day: int, minute: Minutes) -> Minutes:
    def mean(each: int) -> float:
        season = math.cos(2 * math.pi * (_day_of_year(each) - 200) / 365)
        return 17 + 9 * season + rng(seed, each, "weather").uniform(-4, 4)

    def swing(each: int) -> float:
        return 7.5 * (1 - 0.5 * _cover(seed, each))

    wave = np.cos((minute - 900) / MINUTES * 2 * math.pi)  # warmest at three in the afternoon
    return _between(mean, day, minute) + _between(swing, day, minute) * wave


def _between(of_day: Callable[[int], float], day: int, minute: Minutes) -> Minutes:
    """A value of whole days as a curve: each day's own at noon, straight lines between."""
    known = [of_day(each) for each in (day - 1, day, day + 1)]
    return np.interp(minute, (720 - MINUTES, 720, 720 + MINUTES), known)


def _cover(seed: int, day: int) -> float:
    return 0.8 * rng(seed, day, "cover").random() ** 2


def _day_of_year(day: int) -> float:
    return day % 365.2425 + 1


def _pulses(people: Random, at: tuple[tuple[int, int], ...], height: float, jitter: int = 12) -> Minutes:
    """`height` for each (minute, length), a little earlier or later than planned."""
    curve = np.zeros(MINUTES)
    for start, length in at:
        begin = max(0, start + people.randint(-jitter, jitter))
        curve[begin : begin + length] += height
    return curve


def _lights(people: Random) -> NDArray[np.float64]:
    lights = np.zeros((len(LIGHTS), MINUTES))
    for row, (morning, evening) in enumerate(((40, 150), (0, 90), (0, 210), (25, 50), (20, 30), (15, 60), (0, 120))):
        level = float(people.choice((40, 60, 80, 100)))
        if morning:
            begin = 395 + people.randrange(40)
            lights[row, begin : begin + morning + people.randrange(15)] = level
        begin = 1065 + people.randrange(60)
        lights[row, begin : min(begin + evening + people.randrange(40), 1360)] = level
    for _ in range(3):  # somebody gets up at night
        begin = people.randrange(0, 380)
        lights[4, begin : begin + people.randrange(3, 7)] = 30
    return lights


def _appliances(people: Random) -> Minutes:
    """Coffee maker, microwave, hair dryer, computer, television."""
    return (
        _pulses(people, ((425, 7),), 950)
        + _pulses(people, ((750, 4), (1105, 5)), 1150)
        + _pulses(people, ((455, 3),), 1200)
        + _pulses(people, ((560, 160), (860, 90)), 65)
        + _pulses(people, ((1180, 160),), 90)
    )


def _water(people: Random) -> tuple[Minutes, Minutes]:
    """Two showers, the dishes, washing of hands; and the toilet."""
    hands = tuple((people.randrange(400, 1340), 1) for _ in range(12))
    toilet = (*((people.randrange(360, 1380), 1) for _ in range(8)), (people.randrange(60, 340), 1))
    draw = (
        _pulses(people, ((410, 5), (440, 6)), 3.6)
        + _pulses(people, ((1145, 6), (460, 3)), 1.8)
        + _pulses(people, hands, 0.7)
    )
    return draw, _pulses(people, toilet, 1.3)
