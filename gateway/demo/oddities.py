"""What is unusual about the simulated coach's life and yet nothing wrong: guests, weather, journeys, storage, clocks.

Owns the catalogue of oddities and what each does to a `Day`, which is a pure function of seed, day and oddity. They
are what a detector must not alarm about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from .days import MINUTES, Day, Minutes, rng

OddityKind = Literal[
    "clock_change", "cold_snap", "guest_weekend", "heat_wave", "long_drive", "overcast_spell", "sensor_replaced",
    "storage",
]  # fmt: skip
ODDITIES: Final[tuple[OddityKind, ...]] = get_args(OddityKind)
_HUMAN: Final = ("lights", "appliances", "draw", "flush", "cooking", "door", "heat_to", "cool_to", "service")
_RAMP_MS: Final = 6 * 3_600_000  # weather does not change at once


class Oddity(Struct, frozen=True):
    """One oddity. Times in unix ms, [start, end)."""

    kind: OddityKind
    start_ms: int
    end_ms: int

    def share(self, times: np.ndarray[tuple[int], np.dtype[np.int64]], ramp_ms: int = 0) -> Minutes:
        """0 to 1: how much of it there is at `times`."""
        if not ramp_ms:
            return ((times >= self.start_ms) & (times < self.end_ms)).astype(np.float64)
        edge = np.minimum(times - self.start_ms, self.end_ms - times) / ramp_ms
        return np.clip(edge, 0.0, 1.0)


def lived(day: Day, oddities: Sequence[Oddity], seed: int, number: int, day_start_ms: int) -> Day:
    """`day` (the `number`-th, beginning at `day_start_ms`) as it is with `oddities`."""
    times = day_start_ms + np.arange(MINUTES, dtype=np.int64) * 60_000
    for oddity in oddities:
        if oddity.start_ms < times[-1] and oddity.end_ms > times[0]:
            day = _with(day, oddity, seed, number, times)
    return day


def _with(day: Day, oddity: Oddity, seed: int, number: int, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Day:
    on = oddity.share(times)
    match oddity.kind:
        case "guest_weekend":
            doors = np.zeros(MINUTES)
            dice = rng(seed, number, "guests")
            doors[[dice.randrange(420, 1400) for _ in range(22)]] = 1.0
            return replace(
                day,
                draw=day.draw * (1 + 1.1 * on),
                flush=day.flush * (1 + on),
                cooking=day.cooking * (1 + 0.8 * on),
                appliances=day.appliances * (1 + 0.8 * on),
                door=np.maximum(day.door, doors * on),
            )
        case "cold_snap":
            depth = oddity.share(times, _RAMP_MS)
            return replace(day, outside=day.outside - 13 * depth, irradiance=day.irradiance * (1 - 0.5 * depth))
        case "heat_wave":
            depth = oddity.share(times, _RAMP_MS)
            return replace(day, outside=day.outside + 8 * depth)
        case "overcast_spell":
            depth = oddity.share(times, _RAMP_MS)
            haze = 0.72 + 0.06 * np.sin(np.arange(MINUTES) / 37.0)
            return replace(day, irradiance=day.irradiance * (1 - haze * depth))
        case "long_drive":
            engine, speed, shore = day.engine.copy(), day.speed.copy(), day.shore.copy()
            minute = np.arange(MINUTES, dtype=np.float64)
            road = on * ((minute >= 420) & (minute < 1080))
            rests = ((minute - 420) % 150) >= 130
            engine = np.where(road > 0, 1.0, engine * (on == 0))
            speed = np.where(road > 0, np.where(rests, 0.0, 92 + 7 * np.sin(minute / 11)), speed * (on == 0))
            shore = np.where(on > 0, 0.0, shore)
            at_home = 1 - engine
            return replace(
                day, engine=engine, speed=speed, shore=shore, lights=day.lights * at_home,
                appliances=day.appliances * at_home, draw=day.draw * at_home, cooking=day.cooking * at_home,
            )  # fmt: skip
        case "storage":
            off = 1 - on
            return replace(
                day, lights=day.lights * off, appliances=day.appliances * off, draw=day.draw * off,
                flush=day.flush * off, cooking=day.cooking * off, door=day.door * off, engine=day.engine * off,
                speed=day.speed * off, shore=np.where(on > 0, 1.0, day.shore), service=day.service * off,
                heat_to=np.where(on > 0, 7.0, day.heat_to), cool_to=np.where(on > 0, 60.0, day.cool_to),
            )  # fmt: skip
        case "clock_change":  # from here on people get up an hour earlier by the sun
            shifted = {name: np.roll(getattr(day, name), -60, axis=-1) for name in _HUMAN}
            return replace(day, **{name: np.where(on > 0, shifted[name], getattr(day, name)) for name in _HUMAN})
        case "sensor_replaced":  # nothing happens to the coach: see sensors.py
            return day
