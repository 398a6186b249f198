"""What the coach reports: the name, unit, grain and cadence of every signal, and its measurement noise.

Cadences are those of the RV-C specification (direct current 500 ms, inverter 100 ms, thermostat 2 s, ...);
signals without one are sent when they change. Noise is a pure function of seed, signal and time, so that
the same instant always measures the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from storage.models import Times, Values

from .days import LIGHTS


class Signal(Struct, frozen=True):
    """One metric. `column`: what it measures."""

    name: str
    unit: str
    column: str
    grain: float  # the smallest step its sensor tells apart
    noise: float = 0.0  # standard deviation, in the unit; a reading of exactly 0 has none
    every_s: float | None = None  # None: on change
    while_column: str | None = None  # at `every_s` only while this column is not 0; else once a minute
    state: bool = False  # switches, and is nothing in between


def _on(name: str, column: str) -> Signal:
    return Signal(name, "", column, 1, state=True)


SIGNALS: Final[tuple[Signal, ...]] = (
    Signal("battery.house.voltage", "V", "voltage", 0.01, 0.008, 0.5),
    Signal("battery.house.current", "A", "current", 0.1, 0.15, 0.5),
    Signal("battery.house.soc", "%", "soc", 0.1, 0, 0.5),
    Signal("battery.house.temperature", "°C", "battery_temperature", 0.1, 0.05, 5),
    Signal("battery.chassis.voltage", "V", "chassis_voltage", 0.01, 0.01, 5),
    Signal("alternator.current", "A", "alternator_current", 0.1, 0.6, 1, "engine_running"),
    Signal("solar.power", "W", "solar_power", 1, 2, 5),
    Signal("solar.voltage", "V", "solar_voltage", 0.1, 0.1, 5),
    Signal("shore.leg1.voltage", "V", "leg1_voltage", 0.1, 0.3, 1, "leg1_voltage"),
    Signal("shore.leg1.current", "A", "leg1_current", 0.1, 0.1, 1, "leg1_voltage"),
    Signal("shore.leg2.voltage", "V", "leg2_voltage", 0.1, 0.3, 1, "leg1_voltage"),
    Signal("shore.leg2.current", "A", "leg2_current", 0.1, 0.1, 1, "leg1_voltage"),
    Signal("shore.frequency", "Hz", "frequency", 0.01, 0.02, 1, "leg1_voltage"),
    Signal("ats.source", "", "ats", 1, state=True),  # 0 none, 1 shore, 2 generator
    Signal("inverter.load", "W", "inverter_load", 1, 4, 0.1),
    Signal("inverter.temperature", "°C", "inverter_temperature", 0.1, 0.05, 5),
    _on("generator.running", "generator_running"),
    Signal("generator.run_time", "h", "generator_run_time", 0.01, 0, 1, "generator_running"),
    Signal("generator.load", "%", "generator_load", 0.5, 0.8, 1, "generator_running"),
    Signal("generator.coolant.temperature", "°C", "generator_temperature", 0.1, 0.1, 1, "generator_running"),
    Signal("climate.front.temperature", "°C", "inside", 0.1, 0.03, 2),
    Signal("climate.rear.temperature", "°C", "rear", 0.1, 0.03, 2),
    Signal("climate.front.heat_setpoint", "°C", "heat_to", 0.1, 0, 2),
    Signal("climate.front.cool_setpoint", "°C", "cool_to", 0.1, 0, 2),
    _on("climate.furnace.on", "furnace"),
    _on("climate.air_conditioner.on", "air_conditioner"),
    _on("water_heater.on", "boiler_on"),
    Signal("water_heater.temperature", "°C", "boiler", 0.1, 0.05, 10),
    _on("water_pump.on", "pump"),
    Signal("fridge.temperature", "°C", "fridge", 0.1, 0.04, 30),
    _on("fridge.compressor.on", "fridge_on"),
    Signal("freezer.temperature", "°C", "freezer", 0.1, 0.04, 30),
    Signal("exterior.temperature", "°C", "outside", 0.1, 0.05, 30),
    Signal("tank.fresh.level", "%", "fresh", 0.5),
    Signal("tank.gray.level", "%", "gray", 0.5),
    Signal("tank.black.level", "%", "black", 0.5),
    Signal("tank.propane.level", "%", "propane", 0.5),
    _on("engine.running", "engine_running"),
    Signal("engine.rpm", "rpm", "rpm", 1, 8, 0.5, "engine_running"),
    Signal("engine.coolant.temperature", "°C", "engine_temperature", 0.5, 0.15, 1, "engine_running"),
    Signal("engine.fuel_rate", "L/h", "fuel_rate", 0.1, 0.3, 1, "engine_running"),
    Signal("vehicle.speed", "km/h", "speed", 0.1, 0.5, 0.5, "engine_running"),
    Signal("vehicle.odometer", "km", "odometer", 0.1, 0, 5, "engine_running"),
    Signal("can.message_rate", "1/s", "can_rate", 1, 3, 5),
    Signal("can.error_rate", "1/s", "can_errors", 0.1, 0.5, 5),
    Signal("api.response_time", "ms", "api_time", 0.1, 1.2, 5),
    Signal("api.error_rate", "%", "api_errors", 0.1, 0, 5),
    Signal("websocket.latency", "ms", "websocket_latency", 0.1, 0.5, 5),
    *(_on(f"light.{name}.on", f"light_{name}_on") for name in LIGHTS),
    *(Signal(f"light.{name}.brightness", "%", f"light_{name}", 1, state=True) for name in LIGHTS),
)


def measure(signal: Signal, truth: Values, times: Times, seed: int) -> Values:
    """What the sensor says of `truth` at `times`: noise, then grain."""
    if signal.noise:
        truth = np.where(truth == 0, 0.0, truth + signal.noise * gaussian(seed, signal.name, times))
    return np.round(np.round(truth / signal.grain) * signal.grain, 6) + 0.0  # + 0.0: no -0.0


def gaussian(seed: int, name: str, times: Times) -> Values:
    """Nearly normal noise (the sum of three uniforms) by hashing, mean 0 and deviation 1, |x| <= 3."""
    salt = np.uint64((hash_text(name) ^ (seed * 0x9E3779B97F4A7C15)) & 0xFFFFFFFFFFFFFFFF)
    mixed = _splitmix(times.astype(np.uint64) ^ salt)
    parts = [(mixed >> np.uint64(shift)) & np.uint64(0x1FFFFF) for shift in (0, 21, 42)]
    return np.asarray((sum(part.astype(np.float64) for part in parts) / 0x1FFFFF - 1.5) * 2)


def hash_text(text: str) -> int:
    """FNV-1a, 64 bit: the same in every process, unlike hash()."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def _splitmix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
