"""How the coach answers: state and one minute's step of tanks, heat, cold and electricity.

Owns `State`, everything the coach remembers from one minute to the next, and `step`, which moves it on and
tells what can be measured (`COLUMNS`). Lumped models: one heat capacity and one leakage a room, a battery
with an open-circuit curve and a resistance. Deterministic; scalar on purpose, since each minute needs the
one before.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Final

from msgspec import Struct

STEP_S: Final = 60.0
BATTERY_AH: Final = 400.0
FRESH_L: Final = 300.0
GRAY_L: Final = 250.0
BLACK_L: Final = 150.0
PROPANE_KG: Final = 36.0
PANELS_W: Final = 1200.0
DUSK: Final = 5.0  # W/m²
_CHARGE_EFFICIENCY: Final = 0.98
_RESISTANCE: Final = 0.004  # ohm, battery with its cables
# LiFePO4, four cells in series, at rest.
_OCV_SOC: Final = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 1.0)
_OCV_V: Final = (11.2, 12.3, 12.75, 12.95, 13.1, 13.18, 13.28, 13.36, 13.45, 13.6)


class State(Struct):
    """The coach between two minutes. Fractions 0..1, litres, kilograms, degrees Celsius."""

    soc: float = 0.82
    fresh: float = 250.0
    gray: float = 60.0
    black: float = 25.0
    propane: float = 28.0
    inside: float = 20.0
    rear: float = 19.0
    fridge: float = 3.0
    freezer: float = -18.0
    boiler: float = 52.0
    battery: float = 19.0
    engine: float = 18.0
    generator: float = 18.0
    inverter: float = 24.0
    generator_h: float = 412.6
    odometer: float = 48210.0
    furnace: bool = False
    cooling: bool = False
    fridge_on: bool = False
    freezer_on: bool = False
    boiler_on: bool = False
    generating: bool = False
    filling: bool = False
    dumping: bool = False
    refueling: bool = False
    furnace_min: int = 0  # minutes it has run; below 0: minutes until it may run again


class Outside(Struct, frozen=True):
    """One minute of `Day` and of the faults' `Effects`: see there for units."""

    irradiance: float
    outside: float
    lights_w: float
    appliances: float
    draw: float
    flush: float
    cooking: float
    door: float
    engine: float
    speed: float
    shore: float
    heat_to: float
    cool_to: float
    service: float
    hour: float  # of the coach's day
    fridge_cooling: float
    sunlight: float
    leak: float
    sag: float
    capacity_loss: float
    resistance: float
    parasitic: float
    controller_loss: float
    charger_loss: float
    alternator_loss: float
    seal_loss: float
    freezer_loss: float
    furnace_limit: float
    cooling_loss: float
    generator_held: float
    generator_dead: float
    overload: float
    engine_heat: float
    gas_leak: float
    unserviced: float


_NAMES: Final = Outside.__struct_fields__
EFFECTS: Final = tuple(_NAMES[_NAMES.index("fridge_cooling") :])  # the members that are of `Effects`


COLUMNS: Final = (
    "voltage", "current", "soc", "battery_temperature", "chassis_voltage", "alternator_current",
    "solar_power", "solar_voltage", "leg1_voltage", "leg1_current", "leg2_voltage", "leg2_current",
    "frequency", "ats", "inverter_load", "inverter_temperature", "generator_running",
    "generator_run_time", "generator_load", "generator_temperature", "inside", "rear", "heat_to", "cool_to",
    "furnace", "air_conditioner", "boiler_on", "boiler", "pump", "fridge", "fridge_on", "freezer", "outside",
    "fresh", "gray", "black", "propane",
    "engine_running", "rpm", "engine_temperature", "speed", "fuel_rate", "odometer",
)  # fmt: skip
Row = tuple[float, ...]  # one value for each of COLUMNS


def open_circuit_voltage(soc: float) -> float:
    index = min(max(bisect_right(_OCV_SOC, soc), 1), len(_OCV_SOC) - 1)
    low, high = _OCV_SOC[index - 1], _OCV_SOC[index]
    return _OCV_V[index - 1] + (soc - low) / (high - low) * (_OCV_V[index] - _OCV_V[index - 1])


def step(state: State, now: Outside) -> Row:
    """Moves `state` on by STEP_S and returns what stands at the end of it."""
    pump = _water(state, now)
    _cold(state, now)
    _heat(state, now)
    _boiler(state, now)
    state.propane = max(0.0, state.propane - (now.cooking + now.gas_leak) / 60)
    power = _electricity(state, now, pump)
    running = now.engine > 0
    thermostat, minutes = (89.0 + now.engine_heat, 7) if running else (now.outside, 150)
    state.engine += (thermostat - state.engine) / minutes
    state.odometer += now.speed / 60
    rpm = (680 + now.speed * 15.5 if now.speed else 650.0) if running else 0.0
    return (
        *power,
        state.inside, state.rear, now.heat_to, now.cool_to, float(state.furnace), float(state.cooling),
        float(state.boiler_on), state.boiler, float(pump > 0),
        state.fridge, float(state.fridge_on), state.freezer, now.outside,
        state.fresh / FRESH_L * 100, state.gray / GRAY_L * 100, state.black / BLACK_L * 100,
        state.propane / PROPANE_KG * 100,
        float(running), rpm, state.engine, now.speed, (2.2 + 0.24 * now.speed) if running else 0.0,
        state.odometer,
    )  # fmt: skip


def _water(state: State, now: Outside) -> float:
    """Taps, toilet, leak, and somebody who looks after the tanks. Returns the pump's share of the minute."""
    if now.service and not now.engine and not now.unserviced:
        state.filling |= state.fresh < 0.4 * FRESH_L
        state.dumping |= state.gray > 0.6 * GRAY_L or state.black > 0.6 * BLACK_L
        state.refueling |= state.propane < 0.3 * PROPANE_KG
    draw, flush = min(now.draw, state.fresh), 0.0
    state.fresh -= draw
    flush = min(now.flush, state.fresh)
    state.fresh = max(0.0, state.fresh - flush - now.leak)
    state.gray = min(GRAY_L, state.gray + 0.97 * draw)
    state.black = min(BLACK_L, state.black + flush * 1.25)
    if state.filling:
        state.fresh = min(0.97 * FRESH_L, state.fresh + 19)
        state.filling = state.fresh < 0.97 * FRESH_L
    if state.dumping:
        state.black = max(0.0, state.black - 45)
        if state.black == 0:  # black first, so that gray rinses the hose
            state.gray = max(0.0, state.gray - 40)
        state.dumping = state.gray > 0
    if state.refueling:
        state.propane = min(0.8 * PROPANE_KG, state.propane + 2.0)
        state.refueling = state.propane < 0.8 * PROPANE_KG
    return min(1.0, (draw + flush + now.leak) / 6.0)


def _cold(state: State, now: Outside) -> None:
    """Refrigerator and freezer: two compressors with hysteresis."""
    state.fridge_on = state.fridge > 2.0 if state.fridge_on else state.fridge > 4.2
    gain = 1.5 * (1 + now.seal_loss) * (state.inside - state.fridge) + 130 * now.door
    state.fridge += (gain - 95 * now.fridge_cooling * state.fridge_on) * STEP_S / 36_000
    state.freezer_on = state.freezer > -19.2 if state.freezer_on else state.freezer > -16.8
    cooling = 78 * (1 - now.freezer_loss) * state.freezer_on
    state.freezer += (0.85 * (state.inside - state.freezer) - cooling) * STEP_S / 30_000


def _heat(state: State, now: Outside) -> None:
    """Furnace (6 kW of gas), air conditioner (3.2 kW, where there is alternating current), sun and people."""
    cold = state.inside < now.heat_to + (0.6 if state.furnace else -0.6)
    state.furnace = cold and state.propane > 0 and _not_too_hot(state, now)
    warm = state.inside > now.cool_to + (-0.8 if state.cooling else 0.8)
    state.cooling = warm and bool(now.shore or state.generating)
    open_window = 260.0 if state.inside > now.cool_to - 1 and now.outside < state.inside else 0.0
    gain = (150 + open_window) * (now.outside - state.inside) + 1.6 * now.irradiance + 240
    state.inside += (gain + 6000 * state.furnace - 3200 * (1 - now.cooling_loss) * state.cooling) * STEP_S / 2_200_000
    state.rear += (state.inside - 0.7 + 0.15 * (now.outside - state.inside) - state.rear) * STEP_S / 3600
    state.propane = max(0.0, state.propane - 0.5 * state.furnace / 60)


def _not_too_hot(state: State, now: Outside) -> bool:
    """The furnace's limit switch: trips after some minutes where the air does not get through, and has to cool down."""
    if not now.furnace_limit:
        state.furnace_min = 0
        return True
    state.furnace_min += 1
    if state.furnace_min > 2 + 3 * (1 - now.furnace_limit):
        state.furnace_min = -4
    return state.furnace_min > 0


def _boiler(state: State, now: Outside) -> None:
    """Forty litres of warm water: on below 46 °C, off at 56 °C; what is drawn comes in cold."""
    warm = 0.6 * min(now.draw, state.fresh)
    state.boiler += (14 - state.boiler) * min(1.0, warm / 40)
    state.boiler -= 1.8 * (state.boiler - state.inside) * STEP_S / 167_000
    state.boiler_on = state.propane > 0 and (state.boiler < 56 if state.boiler_on else state.boiler < 46)
    state.boiler += 3400 * state.boiler_on * STEP_S / 167_000
    state.propane = max(0.0, state.propane - 0.28 * state.boiler_on / 60)


def _electricity(state: State, now: Outside, pump: float) -> Row:
    """Who feeds whom: shore or generator carry the alternating loads and charge; else the inverter does."""
    if state.generating:
        wanted = bool(now.generator_held) or (state.soc < 0.9 and now.hour < 21.5)
        state.generating = wanted and not now.generator_dead and not now.shore and not now.engine
    elif not now.generator_dead:
        state.generating = state.soc < 0.45 and 8 <= now.hour < 21 and not now.shore and not now.engine
        state.generating |= state.soc < 0.08 and not now.shore and not now.engine
    source = bool(now.shore) or state.generating
    alternating = now.appliances + 1450 * state.cooling
    inverted = 0.0 if source else alternating
    extra = now.overload if source else 0.0
    loads = (
        34 + now.lights_w + 58 * state.fridge_on + 52 * state.freezer_on + 66 * pump
        + 88 * state.furnace + 9 * state.boiler_on + 18 + inverted / 0.9
        + now.parasitic
    )  # fmt: skip
    ocv = open_circuit_voltage(state.soc)
    capacity_ah = BATTERY_AH * (1 - now.capacity_loss)
    resistance = _RESISTANCE + now.resistance
    accept = min(150.0, max(0.0, (1.0 - state.soc) / 0.03 * 150.0)) * (ocv + 0.3)  # W the battery takes
    sun = PANELS_W * now.irradiance / 1000 * 0.82 * now.sunlight
    solar = min(sun * (1 - now.controller_loss), loads + accept)
    turning = max(0.0, 1 - now.alternator_loss)
    alternator = min(1100.0 * turning, loads + accept - solar) if now.engine else 0.0
    chassis_a = 14 + 9 * (now.irradiance < DUSK)  # headlights
    charger = min(820.0 * (1 - now.charger_loss), loads + accept - solar - alternator) if source else 0.0
    net = solar + alternator + charger - loads
    current = net / ocv
    current = net / max(ocv / 2, ocv + resistance * current)
    voltage = ocv + resistance * current
    efficiency = _CHARGE_EFFICIENCY if current > 0 else 1.0
    state.soc = min(1.0, max(0.02, state.soc + current * efficiency * STEP_S / 3600 / capacity_ah))
    state.battery += (state.inside - 2 - state.battery) * STEP_S / 14_400
    state.battery += resistance * current**2 * STEP_S / 50_000
    state.inverter += (state.inside + 6 + 0.022 * inverted - state.inverter) * STEP_S / 900
    feed = charger / 0.88 + now.appliances + extra
    state.generator += (
        ((78 if state.generating else now.outside) - state.generator) * STEP_S / (500 if state.generating else 5400)
    )
    state.generator_h += state.generating / 60
    leg1 = leg2 = 0.0
    if source:
        # In the evening the whole park cooks.
        evening = 2.2 * math.exp(-(((now.hour - 19) / 2.5) ** 2)) if now.shore else 0.0
        leg1 = 121.2 - evening - now.sag - 0.12 * feed / 120
        leg2 = 120.8 - evening - 0.1 * 12 * state.cooling
    load = (feed + 1450 * state.cooling) if source else 0.0
    return (
        voltage, current, state.soc * 100, state.battery,
        12.4 + 1.7 * turning if now.engine else 12.74 - 0.004 * max(0.0, 20 - now.outside),
        (alternator / 14.1 + chassis_a * turning) if now.engine else 0.0,
        solar, (18.0 + 19.5 * min(1.0, sun / 150)) if sun > 1 else 0.0,
        leg1, feed / leg1 if source else 0.0, leg2, 1450 * state.cooling / leg2 if source else 0.0,
        60.0 if source else 0.0, float(1 if now.shore else 2 if state.generating else 0),
        alternating, state.inverter, float(state.generating), state.generator_h,
        load / 55.0 if state.generating else 0.0, state.generator,
    )  # fmt: skip
