"""What the accuracy suite does to simulated coaches: which faults, when, how badly, and what may be said of each.

Owns the plan of faults: drawn from the seed within physical ranges, after a warm-up of ordinary life. A fault counts
only where it could matter to anybody (`matters`, from the truth of the run alone): an air conditioner that nobody
needed, a charger of a coach that was never plugged in are left out, whatever was told of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np

from gateway.demo.coach import DAY_MS
from gateway.demo.faults import Fault, FaultKind

HOUR_MS: Final = 3_600_000
WARM_DAYS: Final = 12
Says = tuple[tuple[str, str | None], ...]
Truth = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Case:
    """`hours`: how long the fault lasts (the run ends with it); `start`: local hour; `says`: kind and metric of the
    insights that name it (metric None: any); `also`: those that are true because of it, but do not name it."""

    says: Says
    hours: float
    start: float = 10.0
    severity: tuple[float, float] = (0.5, 1.0)
    onset_h: float = 0.0
    also: Says = ()
    seasons: tuple[int, ...] = (0, 1, 2, 3)  # of START_DAYS: January, April, July, October
    matters: Callable[[Truth], bool] = lambda truth: True


def _minutes(column: str, least: float, minutes: float) -> Callable[[Truth], bool]:
    """The column exceeded `least` for so many minutes while the fault was there."""
    return lambda truth: bool((truth[column] > least).sum() >= minutes)


def _nights(count: int) -> Callable[[Truth], bool]:
    """So many hours were spent in the dark without any source."""
    return lambda truth: bool(_alone(truth).sum() >= count * 60)


def _alone(truth: Truth) -> np.ndarray:
    return (truth["ats"] == 0) & (truth["solar_power"] < 5) & (truth["engine_running"] == 0)


def _room_in_the_sun(truth: Truth) -> bool:
    return bool(((truth["solar_voltage"] > 30) & (truth["soc"] < 90)).sum() >= 120)


def _sunny_and_asked(truth: Truth) -> bool:
    """On each of the days the panels were asked for all they have for an hour around noon."""
    asked = ((truth["soc"] < 92) & (truth["solar_voltage"] > 30)).reshape(-1, 1440).sum(axis=1)
    return bool((asked > 60).sum() >= 8)


def _discharged_on_shore(truth: Truth) -> bool:
    return bool(((truth["ats"] == 1) & (truth["current"] < -2) & (truth["soc"] < 95)).sum() >= 90)


_SOC: Final = "battery.house.soc"
CASES: Final[dict[FaultKind, Case]] = {
    "ac_weak": Case(
        (("not_cooling", None),), 30, 8, (0.7, 1.0), seasons=(2,), matters=_minutes("air_conditioner", 0, 180)
    ),
    "alternator_fault": Case(
        (("no_charge", "alternator.current"),), 96, 0, (1.0, 1.0), also=(("alternator_weak", None),),
        matters=_minutes("rpm", 300, 60),
    ),
    "alternator_weak": Case(
        (("alternator_weak", None),), 336, 0, (0.5, 1.0), 48, matters=_minutes("rpm", 300, 240)
    ),
    "api_errors": Case((("errors", None), ("deviation", "api.error_rate"), ("limit", "api.error_rate")), 3, 13),
    "api_slow": Case((("slowed", None), ("deviation", "api.response_time"), ("limit", "api.response_time")), 3, 13),
    "battery_ageing": Case(
        (("overnight_drop", None), ("ageing", None)), 168, 0, (0.6, 1.0), 48,
        also=(("empty_ahead", _SOC), ("long_run", None)), matters=_nights(24),
    ),
    "battery_draining": Case(
        (("empty_ahead", _SOC), ("limit", _SOC)), 60, 17,
        also=(("parasitic", None), ("limit", "battery.house.voltage")),
        matters=lambda truth: bool((truth["soc"] < 15).any()),
    ),
    "bus_errors": Case(
        (("errors", "can.error_rate"), ("deviation", "can.error_rate"), ("limit", "can.error_rate")),
        3, 13, (0.5, 1.0), also=(("rate_drop", None),),
    ),
    "can_rate_drop": Case(
        (("rate_drop", None), ("deviation", "can.message_rate"), ("limit", "can.message_rate")), 5, 11, (0.6, 1.0)
    ),
    "charger_fault": Case(
        (("no_charge", "battery.house.current"),), 120, 0, (1.0, 1.0), also=(("long_run", None), ("empty_ahead", _SOC)),
        matters=_discharged_on_shore,
    ),
    "door_seal": Case(
        (("duty_grew", None),), 72, 6,
        also=(("warming", "fridge.temperature"), ("limit", "fridge.temperature"), ("parasitic", None)),
    ),
    "engine_hot": Case(
        (("running_hotter", "engine.coolant.temperature"), ("limit", "engine.coolant.temperature")),
        192, 0, (0.4, 1.0), 72, matters=_minutes("rpm", 300, 120),
    ),
    "freezer_warming": Case(
        (("warming", "freezer.temperature"), ("limit", "freezer.temperature")), 24, 9, also=(("parasitic", None),),
        matters=_minutes("freezer", -13, 60),
    ),
    "fridge_warming": Case(
        (("warming", "fridge.temperature"), ("limit", "fridge.temperature")), 24, 9, (0.7, 1.0),
        also=(("duty_grew", None), ("parasitic", None)),
    ),
    "furnace_short_cycling": Case(
        (("short_cycling", None),), 48, 0, (0.5, 1.0), seasons=(0, 1, 3), matters=_minutes("furnace", 0, 60)
    ),
    "generator_overload": Case(
        (("load_grew", None), ("limit", "generator.load")), 144, 0, (0.8, 1.0),
        matters=_minutes("generator_running", 0, 60),
    ),
    "generator_stuck": Case(
        (("long_run", None),), 144, 0, (1.0, 1.0),
        matters=lambda truth: bool(((truth["generator_running"] > 0) & (truth["soc"] > 98)).sum() >= 60),
    ),
    "panel_dirty": Case(
        (("output_low", None),), 240, 0, (0.7, 1.0), 72, also=(("empty_ahead", _SOC),), matters=_sunny_and_asked
    ),
    "parasitic_draw": Case(
        (("parasitic", None),), 96, 12, (0.3, 1.0),
        also=(("load_grew", None), ("empty_ahead", _SOC), ("limit", _SOC)),
        matters=_nights(12),
    ),
    "power_loss": Case((("silent", None), ("incident", None)), 1, 14, (1.0, 1.0)),
    "propane_leak": Case((("use_grew", None),), 48, 10, (0.4, 1.0),
                         also=(("empty_ahead", "tank.propane.level"), ("limit", "tank.propane.level"))),
    "sensor_noisy": Case((("noisy", "climate.rear.temperature"), ("shape", "climate.rear.temperature")), 12, 9),
    "sensor_silent": Case((("silent", "exterior.temperature"),), 12, 9, (1.0, 1.0)),
    "sensor_stuck": Case((("level_stuck", None), ("stuck", "tank.fresh.level")), 72, 7, (1.0, 1.0)),
    "shore_brownout": Case(
        (("limit", "shore.leg1.voltage"),), 96, 0, (0.8, 1.0), matters=_minutes("leg1_voltage", 60, 60)
    ),
    "solar_controller_fault": Case(
        (("no_charge", "solar.power"),), 72, 0, (1.0, 1.0), also=(("empty_ahead", _SOC),), matters=_room_in_the_sun
    ),
    "solar_shaded": Case(
        (("output_low", None),), 240, 0, (0.7, 1.0), also=(("empty_ahead", _SOC),), matters=_sunny_and_asked
    ),
    "tanks_unserviced": Case(
        (("empty_ahead", "tank.fresh.level"), ("full_ahead", None)), 120, 0, (1.0, 1.0),
        also=(("limit", "tank.gray.level"), ("limit", "tank.fresh.level"), ("limit", "tank.black.level")),
    ),
    "water_leak": Case((("leak", None),), 36, 10, (0.4, 1.0),
                       also=(("empty_ahead", "tank.fresh.level"), ("limit", "tank.fresh.level"))),
    "weak_cell": Case((("ageing", None),), 144, 0, (0.5, 1.0), 24, matters=_nights(12)),
}  # fmt: skip


def planned(kind: FaultKind, seed: int, start_ms: int) -> Fault:
    """The fault of this seed, in a coach whose life begins at `start_ms` (midnight)."""
    case = CASES[kind]
    dice = Random(f"{kind}:{seed}")
    begin_ms = start_ms + WARM_DAYS * DAY_MS + round((case.start + dice.uniform(0, 2)) * HOUR_MS)
    return Fault(
        kind, begin_ms, begin_ms + round(case.hours * HOUR_MS), severity=dice.uniform(*case.severity),
        onset_ms=round(case.onset_h * HOUR_MS),
    )  # fmt: skip
