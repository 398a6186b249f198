"""What can go wrong with the simulated coach, and when it does: the ground truth that detectors can be held against.

Owns the catalogue of faults as physics (what happens, how badly at worst, where it shows first) and the schedule of the
demo, a pure function of seed and day like everything about the coach: two faults in each week. Nothing in here knows
what anybody would call an alarm: amounts are those of real defects, from mild to severe by `severity`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
from msgspec import Struct

from .days import MINUTES, Minutes, make_day, rng

FaultKind = Literal[
    "ac_weak", "alternator_fault", "alternator_weak", "api_errors", "api_slow", "battery_ageing", "battery_draining",
    "bus_errors", "can_rate_drop", "charger_fault", "door_seal", "engine_hot", "freezer_warming", "fridge_warming",
    "furnace_short_cycling", "generator_overload", "generator_stuck", "panel_dirty", "parasitic_draw", "power_loss",
    "propane_leak", "sensor_noisy", "sensor_silent", "sensor_stuck", "shore_brownout", "solar_controller_fault",
    "solar_shaded", "tanks_unserviced", "water_leak", "weak_cell",
]  # fmt: skip
KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)


class Fault(Struct, frozen=True):
    """One fault. Times in unix ms, [start, end). It grows for `onset_ms` up to `severity` (0 to 1, 1: at its worst).

    `target`: the metric whose sensor it is, for faults of sensors.
    """

    kind: FaultKind
    start_ms: int
    end_ms: int
    severity: float = 1.0
    onset_ms: int = 0
    target: str | None = None

    @property
    def metric(self) -> str:
        """Where it shows first."""
        return self.target or METRICS[self.kind]

    @property
    def sentence(self) -> str:
        return SENTENCES[self.kind]

    def depth(self, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Minutes:
        """How bad it is at `times`, 0 to `severity`."""
        active = (times >= self.start_ms) & (times < self.end_ms)
        grown = np.minimum(1.0, (times - self.start_ms) / self.onset_ms) if self.onset_ms else 1.0
        return np.where(active, self.severity * grown, 0.0)


METRICS: Final[dict[FaultKind, str]] = {
    "ac_weak": "climate.front.temperature",
    "alternator_fault": "alternator.current",
    "alternator_weak": "alternator.current",
    "api_errors": "api.error_rate",
    "api_slow": "api.response_time",
    "battery_ageing": "battery.house.soc",
    "battery_draining": "battery.house.soc",
    "bus_errors": "can.error_rate",
    "can_rate_drop": "can.message_rate",
    "charger_fault": "battery.house.current",
    "door_seal": "fridge.compressor.on",
    "engine_hot": "engine.coolant.temperature",
    "freezer_warming": "freezer.temperature",
    "fridge_warming": "fridge.temperature",
    "furnace_short_cycling": "climate.furnace.on",
    "generator_overload": "generator.load",
    "generator_stuck": "generator.run_time",
    "panel_dirty": "solar.power",
    "parasitic_draw": "battery.house.current",
    "power_loss": "battery.house.voltage",
    "propane_leak": "tank.propane.level",
    "sensor_noisy": "climate.rear.temperature",
    "sensor_silent": "exterior.temperature",
    "sensor_stuck": "tank.fresh.level",
    "shore_brownout": "shore.leg1.voltage",
    "solar_controller_fault": "solar.power",
    "solar_shaded": "solar.power",
    "tanks_unserviced": "tank.gray.level",
    "water_leak": "tank.fresh.level",
    "weak_cell": "battery.house.voltage",
}
SENTENCES: Final[dict[FaultKind, str]] = {
    "ac_weak": "the air conditioner runs and hardly cools",
    "alternator_fault": "the alternator charges nothing while the engine runs",
    "alternator_weak": "the alternator's brushes are worn: less than half of its power, at a lower voltage",
    "api_errors": "the core answers every seventh request with an error",
    "api_slow": "the core takes more than a second to answer",
    "battery_ageing": "the house battery has lost more than half of its capacity",
    "battery_draining": "a large load was left on and the generator does not start",
    "bus_errors": "the CAN bus loses frames",
    "can_rate_drop": "most of the CAN bus has gone quiet",
    "charger_fault": "the charger gives nothing although shore power is there",
    "door_seal": "the refrigerator's door seal leaks warm air",
    "engine_hot": "the engine's thermostat sticks, its coolant is 22 °C too hot",
    "freezer_warming": "the freezer's compressor hardly cools",
    "fridge_warming": "the refrigerator's compressor hardly cools",
    "furnace_short_cycling": "the furnace overheats and cuts out after two minutes",
    "generator_overload": "3 kW more than usual hang on the generator or on shore power",
    "generator_stuck": "the generator does not stop by itself",
    "panel_dirty": "dirt gathers on the solar panels",
    "parasitic_draw": "something draws 160 W day and night",
    "power_loss": "the electronics have no power: nothing is sent",
    "propane_leak": "propane leaks, a third of a kilogram an hour",
    "sensor_noisy": "a temperature sensor's wire is loose: it reads this and that",
    "sensor_silent": "the exterior temperature sensor sends nothing",
    "sensor_stuck": "the fresh water sensor is stuck",
    "shore_brownout": "shore power sags by 19 V on leg 1",
    "solar_controller_fault": "the solar controller has failed: sun, but no current",
    "solar_shaded": "two thirds of the solar panels lie in shade",
    "tanks_unserviced": "nobody fills or empties the tanks",
    "water_leak": "fresh water leaks, about 12 L an hour",
    "weak_cell": "a cell of the house battery is weak: its resistance is four times the usual",
}


class Effects(Struct, frozen=True):
    """What the faults of one day do, minute by minute. But for the first two, 0 is a sound coach."""

    fridge_cooling: Minutes  # factor
    sunlight: Minutes  # factor
    leak: Minutes  # L/min
    sag: Minutes  # V on leg 1
    bus_errors: Minutes  # errors/s
    capacity_loss: Minutes  # share of the house battery's capacity
    resistance: Minutes  # ohm more in the house battery
    parasitic: Minutes  # W more of direct current
    controller_loss: Minutes  # share of the sun's power that the solar controller does not pass on
    charger_loss: Minutes  # share of the charger's power
    alternator_loss: Minutes  # share of the alternator's power
    seal_loss: Minutes  # how much more heat gets into the refrigerator, as a share of the usual
    freezer_loss: Minutes  # share of the freezer's cooling power
    furnace_limit: Minutes  # > 0: the furnace overheats; the more, the sooner
    cooling_loss: Minutes  # share of the air conditioner's cooling power
    generator_held: Minutes  # > 0: a running generator does not stop by itself
    generator_dead: Minutes  # > 0: the generator does not start
    overload: Minutes  # W more of alternating current while there is a source
    engine_heat: Minutes  # °C above the thermostat's
    gas_leak: Minutes  # kg/h
    unserviced: Minutes  # > 0: nobody looks after the tanks
    bus_loss: Minutes  # share of the bus's messages
    api_delay: Minutes  # ms
    api_errors: Minutes  # %


# By kind: what it moves, and by how much at its worst. Sensors' faults move nothing: they are in sensors.py.
AMOUNTS: Final[dict[FaultKind, dict[str, float]]] = {
    "ac_weak": {"cooling_loss": 0.95},
    "alternator_fault": {"alternator_loss": 1.0},
    "alternator_weak": {"alternator_loss": 0.6},
    "api_errors": {"api_errors": 15.0},
    "api_slow": {"api_delay": 1800.0},
    "battery_ageing": {"capacity_loss": 0.6},
    "battery_draining": {"parasitic": 450.0, "generator_dead": 1.0},
    "bus_errors": {"bus_errors": 6.0},
    "can_rate_drop": {"bus_loss": 0.9},
    "charger_fault": {"charger_loss": 1.0},
    "door_seal": {"seal_loss": 1.6},
    "engine_hot": {"engine_heat": 22.0},
    "freezer_warming": {"freezer_loss": 0.9},
    "fridge_warming": {"fridge_cooling": -0.92},
    "furnace_short_cycling": {"furnace_limit": 1.0},
    "generator_overload": {"overload": 3000.0},
    "generator_stuck": {"generator_held": 1.0},
    "panel_dirty": {"sunlight": -0.6},
    "parasitic_draw": {"parasitic": 160.0},
    "propane_leak": {"gas_leak": 0.35},
    "shore_brownout": {"sag": 19.0},
    "solar_controller_fault": {"controller_loss": 1.0},
    "solar_shaded": {"sunlight": -0.65},
    "tanks_unserviced": {"unserviced": 1.0},
    "water_leak": {"leak": 0.2},
    "weak_cell": {"resistance": 0.012},
}
_SCHEDULED: Final[dict[FaultKind, tuple[float, float]]] = {  # the demo's, with hours of length and hour of start
    "bus_errors": (0.5, 15),
    "fridge_warming": (10, 11),
    "sensor_silent": (5, 13),
    "shore_brownout": (0.75, 18),
    "solar_shaded": (9, 8),
    "water_leak": (7, 14),
}
SCHEDULED: Final = tuple(_SCHEDULED)


def scheduled(seed: int, day: int, utc_offset_ms: int) -> list[Fault]:
    """The faults that start on `day`."""
    dice = rng(seed, day // 7, "faults")
    found = []
    for kind, weekday in zip(dice.sample(sorted(SCHEDULED), 2), dice.sample(range(7), 2), strict=True):
        if weekday != day % 7:
            continue
        hours, start_hour = _SCHEDULED[kind]
        minute = round(start_hour * 60) + dice.randrange(45)
        length = round(hours * 60)
        if kind == "shore_brownout" and not make_day(seed, day).shore[minute : minute + length].all():
            continue  # nothing that could sag
        start_ms = (day * MINUTES + minute) * 60_000 - utc_offset_ms
        found.append(Fault(kind, start_ms, start_ms + length * 60_000))
    return found


def fresh_faults(now_ms: int) -> tuple[Fault, ...]:
    """Two that can be watched by who starts the coach now: one that shows, wherever in its cycle the refrigerator was
    when it began, and one that begins soon."""
    minute, hour = 60_000, 3_600_000
    return (
        Fault("fridge_warming", now_ms - 120 * minute, now_ms + 5 * hour),
        Fault("water_leak", now_ms + 10 * minute, now_ms + 4 * hour),
    )


def effects(faults: Sequence[Fault], day_start_ms: int) -> Effects:
    """Of `faults`, on the day that begins at `day_start_ms`. Two of a kind: the worse one counts."""
    times = day_start_ms + np.arange(MINUTES, dtype=np.int64) * 60_000
    depths: dict[str, dict[FaultKind, Minutes]] = {}
    for fault in faults:
        for channel in AMOUNTS.get(fault.kind, ()):
            of_kind = depths.setdefault(channel, {})
            depth = fault.depth(times)
            of_kind[fault.kind] = np.maximum(of_kind.get(fault.kind, 0.0), depth)
    found = {}
    for name in Effects.__struct_fields__:
        value = np.full(MINUTES, 1.0 if name in ("fridge_cooling", "sunlight") else 0.0)
        for kind, depth in depths.get(name, {}).items():
            value += AMOUNTS[kind][name] * depth
        found[name] = np.maximum(value, 0.0)
    return Effects(**found)
