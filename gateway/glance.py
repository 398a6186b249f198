"""The coach at a glance: which metrics a person looks at first, how they stand, and where the power flows.

Pure: specs and latest values in, plain answers out. Roles come from the catalogue, so a coach with other names needs a
catalogue entry and no code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from analytics.catalogue import MetricSpec
from storage.models import SeriesInfo

from .rounding import number

# group -> its title, its roles in the order they are read, most tiles it shows
GROUPS: Final[Mapping[str, tuple[str, tuple[str, ...], int]]] = {
    "battery": (
        "Battery",
        ("battery_soc", "battery_soc_any", "battery_voltage", "starter_voltage", "battery_voltage_any",
         "battery_current", "battery_temperature"),
        6,
    ),
    "tanks": ("Tanks", ("fresh_tank", "waste_tank", "propane_tank", "fuel_tank", "tank"), 8),
    "climate": (
        "Climate",
        ("interior_temperature", "exterior_temperature", "fridge_temperature", "freezer_temperature",
         "water_heater_temperature", "humidity"),
        8,
    ),
    "vehicle": (
        "Engine and generator",
        ("engine_temperature", "generator_temperature", "generator_load", "vehicle_speed", "run_time"),
        4,
    ),
    "system": ("Network", ("bus_rate", "bus_errors", "response_time", "error_rate"), 4),
}  # fmt: skip
OTHER: Final = 12  # metrics without a role that stand in for a coach which the catalogue does not know
STALE_GAPS: Final = 10.0
STALE_MIN_S: Final = 30.0
STALE_MAX_S: Final = 3600.0
IDLE_W: Final = 1.0  # less is nothing
NOTHING: Final[Mapping[str, str]] = {}


def glance(
    infos: Sequence[SeriesInfo], specs: Mapping[str, MetricSpec], now_ms: int, alerts: Mapping[str, str] = NOTHING
) -> list[dict[str, Any]]:
    """The groups and their tiles, in reading order. `alerts`: the severity of the owner's thresholds that fire, by
    metric."""
    by_role: dict[str, list[SeriesInfo]] = {}
    for info in sorted(infos, key=lambda each: each.name):
        by_role.setdefault(specs[info.name].role or "", []).append(info)
    groups = []
    for group, (title, roles, most) in GROUPS.items():
        chosen = [info for role in roles for info in by_role.get(role, ())][:most]
        if chosen:
            tiles = [tile(info, specs[info.name], now_ms, alerts.get(info.name)) for info in chosen]
            groups.append({"group": group, "title": title, "tiles": tiles})
    if not any(each["group"] in ("battery", "tanks", "climate") for each in groups):
        newest = sorted(infos, key=lambda each: (-(each.latest.time_ms if each.latest else 0), each.name))[:OTHER]
        if newest:
            tiles = [tile(info, specs[info.name], now_ms, alerts.get(info.name)) for info in newest]
            groups.append({"group": "other", "title": "Latest values", "tiles": tiles})
    return groups


def tile(info: SeriesInfo, spec: MetricSpec, now_ms: int, alert: str | None = None) -> dict[str, Any]:
    """One metric as the overview shows it."""
    latest = info.latest
    stands = "unknown" if latest is None else level(latest.value, spec)
    if alert is not None and stands != "critical":
        stands = "critical" if alert == "critical" else "warning"
    return {
        "metric": info.name,
        "title": spec.title or info.name,
        "role": spec.role or "",
        "unit": spec.unit,
        "kind": spec.kind,
        "value": None if latest is None else number(latest.value),
        "timestamp": None if latest is None else latest.time_ms / 1000,
        "stale_after_seconds": stale_after_s(info, spec, now_ms),
        "level": stands,
        "low": spec.low,
        "high": spec.high,
        "critical_low": spec.critical_low,
        "critical_high": spec.critical_high,
    }


def stale_after_s(info: SeriesInfo, spec: MetricSpec, now_ms: int) -> float | None:
    """Ten usual gaps, between half a minute and an hour. None: this metric may be silent, or it is too new to say."""
    if spec.intermittent or spec.kind == "state" or info.received < 2:
        return None
    gap_s = max(0, now_ms - info.first_received_ms) / 1000 / info.received
    return round(min(STALE_MAX_S, max(STALE_MIN_S, STALE_GAPS * gap_s)), 1)


def level(value: float, spec: MetricSpec) -> str:
    """Where `value` stands among the limits."""
    if spec.off_below is not None and value < spec.off_below:
        return "ok"
    if _outside(value, spec.critical_low, spec.critical_high):
        return "critical"
    if _outside(value, spec.warn_low, spec.warn_high):
        return "warning"
    return "ok"


def _outside(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)


def power_flow(latest: Mapping[str, float], specs: Mapping[str, MetricSpec]) -> list[dict[str, Any]]:
    """Who gives power and who takes it, in watts. `latest`: the values that are fresh enough to count.

    Battery power is house voltage times current, positive current charging (the RV-C convention). What is used is what
    the sources give less what the battery takes.
    """
    roles: dict[str, list[str]] = {}
    for name in sorted(latest):
        roles.setdefault(specs[name].role or "", []).append(name)
    nodes: list[dict[str, Any]] = []
    house = [name for name in roles.get("battery_voltage", ()) if "chassis" not in name and "start" not in name]
    volts = latest[house[0]] if house else None
    if roles.get("solar_power"):
        watts = math.fsum(latest[name] for name in roles["solar_power"])
        nodes.append(_node("solar", "Solar", max(0.0, watts), roles["solar_power"], "giving", "no sun"))
    legs = list(_shore_legs(roles, latest))
    if legs:
        watts = math.fsum(latest[volt] * latest[ampere] for volt, ampere in legs)
        plugged = any(latest[volt] >= (specs[volt].off_below or IDLE_W) for volt, _ in legs)
        idle = "plugged in, idle" if plugged else "not plugged in"
        nodes.append(_node("shore", "Shore power", watts, [name for leg in legs for name in leg], "giving", idle))
    if roles.get("alternator_current") and volts is not None:
        watts = volts * math.fsum(latest[name] for name in roles["alternator_current"])
        names = [*roles["alternator_current"], house[0]]
        nodes.append(_node("alternator", "Alternator", max(0.0, watts), names, "giving", "engine off"))
    giving = math.fsum(node["watts"] for node in nodes)
    if volts is not None and roles.get("battery_current"):
        ampere = roles["battery_current"][0]
        into = volts * latest[ampere]
        battery = _node("battery", "Battery", -into, [house[0], ampere], "discharging", "resting")
        if into >= IDLE_W:
            battery["text"] = "charging"
        used = max(0.0, giving - into)
        loads = roles.get("inverter_load", [])
        metrics = sorted({name for node in nodes for name in node["metrics"]} | {house[0], ampere})
        text = ""
        if loads:
            inverter = math.fsum(latest[name] for name in loads)
            text = f"{inverter:.0f} W of it through the inverter" if inverter >= IDLE_W else "inverter idle"
        nodes += [battery, {**_node("loads", "In use", -used, metrics, "", "nothing"), "text": text}]
    return nodes


def _shore_legs(roles: Mapping[str, Sequence[str]], latest: Mapping[str, float]) -> Iterable[tuple[str, str]]:
    for volt in roles.get("shore_voltage", ()):
        ampere = volt.replace("voltage", "current")
        if ampere in latest and ampere != volt:
            yield volt, ampere


def _node(node: str, title: str, watts: float, metrics: Sequence[str], busy: str, idle: str) -> dict[str, Any]:
    shown = 0.0 if abs(watts) < IDLE_W else round(watts)
    return {
        "node": node,
        "title": title,
        "watts": float(shown),
        "metrics": list(metrics),
        "text": busy if shown else idle,
    }
