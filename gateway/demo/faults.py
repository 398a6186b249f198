"""What goes wrong with the simulated coach, and when: the ground truth that detectors can be held against.

Owns the schedule, a pure function of seed and day like everything about the coach: two faults in each week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from .days import MINUTES, Minutes, make_day, rng

FaultKind = Literal["fridge_warming", "water_leak", "solar_shaded", "shore_brownout", "sensor_silent", "bus_errors"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Times in unix ms, [start, end)."""

    kind: FaultKind
    start_ms: int
    end_ms: int

    @property
    def metric(self) -> str:
        """Where it shows first."""
        return METRICS[self.kind]

    @property
    def sentence(self) -> str:
        return SENTENCES[self.kind]


METRICS: Final[dict[FaultKind, str]] = {
    "fridge_warming": "fridge.temperature",
    "water_leak": "tank.fresh.level",
    "solar_shaded": "solar.power",
    "shore_brownout": "shore.leg1.voltage",
    "sensor_silent": "exterior.temperature",
    "bus_errors": "can.error_rate",
}
SENTENCES: Final[dict[FaultKind, str]] = {
    "fridge_warming": "the refrigerator's compressor hardly cools",
    "water_leak": "fresh water leaks, about 12 L an hour",
    "solar_shaded": "two thirds of the solar panels lie in shade",
    "shore_brownout": "shore power sags by 19 V on leg 1",
    "sensor_silent": "the exterior temperature sensor sends nothing",
    "bus_errors": "the CAN bus loses frames",
}
_HOURS: Final[dict[FaultKind, float]] = {
    "fridge_warming": 10,
    "water_leak": 7,
    "solar_shaded": 9,
    "shore_brownout": 0.75,
    "sensor_silent": 5,
    "bus_errors": 0.5,
}
_START_HOUR: Final[dict[FaultKind, float]] = {
    "fridge_warming": 11,
    "water_leak": 14,
    "solar_shaded": 8,
    "shore_brownout": 18,
    "sensor_silent": 13,
    "bus_errors": 15,
}


@dataclass(frozen=True, slots=True)
class Effects:
    """What the faults of one day do, minute by minute."""

    fridge_cooling: Minutes  # factor
    leak: Minutes  # L/min
    sunlight: Minutes  # factor
    sag: Minutes  # V on leg 1
    bus_errors: Minutes  # errors/s


def scheduled(seed: int, day: int, utc_offset_ms: int) -> list[Fault]:
    """The faults that start on `day`."""
    dice = rng(seed, day // 7, "faults")
    found = []
    for kind, weekday in zip(dice.sample(sorted(METRICS), 2), dice.sample(range(7), 2), strict=True):
        if weekday != day % 7:
            continue
        minute = round(_START_HOUR[kind] * 60) + dice.randrange(45)
        length = round(_HOURS[kind] * 60)
        if kind == "shore_brownout" and not make_day(seed, day).shore[minute : minute + length].all():
            continue  # nothing that could sag
        start_ms = (day * MINUTES + minute) * 60_000 - utc_offset_ms
        found.append(Fault(kind, start_ms, start_ms + length * 60_000))
    return found


def fresh_faults(now_ms: int) -> tuple[Fault, ...]:
    """Two that can be watched by who starts the coach now: one that is about to show, one that begins
    soon."""
    minute, hour = 60_000, 3_600_000
    return (
        Fault("fridge_warming", now_ms - 90 * minute, now_ms + 5 * hour),
        Fault("water_leak", now_ms + 10 * minute, now_ms + 4 * hour),
    )


def effects(faults: Sequence[Fault], day_start_ms: int) -> Effects:
    """Of `faults`, on the day that begins at `day_start_ms`."""
    times = day_start_ms + np.arange(MINUTES, dtype=np.int64) * 60_000

    def where(kind: FaultKind) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        active = np.zeros(MINUTES, dtype=np.bool_)
        for fault in faults:
            if fault.kind == kind:
                active |= (times >= fault.start_ms) & (times < fault.end_ms)
        return active

    return Effects(
        fridge_cooling=np.where(where("fridge_warming"), 0.08, 1.0),
        leak=np.where(where("water_leak"), 0.2, 0.0),
        sunlight=np.where(where("solar_shaded"), 0.35, 1.0),
        sag=np.where(where("shore_brownout"), 19.0, 0.0),
        bus_errors=np.where(where("bus_errors"), 6.0, 0.0),
    )
