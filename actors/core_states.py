"""Entities of CoachIQ's core as metrics: which of its members are measurements, their names, their units.

The core sends an entity as it knows it: `state` (a word), `value` (decoded signals, numbers or texts such as "12.6 V"),
`raw` (the same before decoding) and much that describes it. Every numeric signal becomes the metric
`<entity>.<signal>`, a word for on or off becomes `<entity>.state` as 1 or 0; a signal that is itself called `value`
is the entity's own metric. Pure; whatever the core sends, the result is finite numbers under printable names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

MAX_NAME_CHARS: Final = 256
MAX_DEPTH: Final = 3
MAX_SIGNALS: Final = 200  # of one entity
AHEAD_MS: Final = 60_000  # a stamp further from our clock than this, either way, is not of our time
BEHIND_MS: Final = 600_000

_ON: Final = frozenset({"on", "true", "open", "opened", "active", "running", "enabled", "unlocked", "yes", "charging"})
_OFF: Final = frozenset({"off", "false", "closed", "inactive", "stopped", "disabled", "locked", "no", "idle"})
# What describes an entity or repeats its state. `raw` holds the signals once more, before they mean something.
_NOT_SIGNALS: Final = frozenset(
    {
        "entity_id", "timestamp", "last_updated", "last_seen", "created_at", "updated_at", "raw", "instance", "groups",
        "capabilities", "protocol", "secondary_protocols", "physical_id", "protocol_metadata", "command_instances",
        "command_dgn", "status_dgn", "status_source_addr", "status_instance", "parameter_group_number", "read_only",
        "device_type", "suggested_area", "friendly_name", "unit", "units", "unit_of_measurement", "metadata", "source",
        "last_known_brightness", "pgn", "dgn", "source_addr", "id",
    }
)  # fmt: skip
_NESTED: Final = frozenset({"value", "state", "signals", "values", "attributes"})  # their members count as the entity's
_NUMBER: Final = re.compile(r"\s*([-+]?\d{1,15}(?:\.\d{1,15})?)\s*([^\d\s+\-][^\s]{0,11})?\s*\Z", re.ASCII)
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# By the last word of a signal's name, where the core says no unit.
_UNITS: Final = {
    "voltage": "V", "volts": "V", "current": "A", "amps": "A", "power": "W", "watts": "W", "frequency": "Hz",
    "hz": "Hz", "soc": "%", "level": "%", "percent": "%", "pct": "%", "brightness": "%", "rpm": "rpm", "c": "°C",
    "f": "°F", "celsius": "°C", "fahrenheit": "°F", "humidity": "%",
}  # fmt: skip
_SPELLED: Final = {"volts": "V", "amps": "A", "watts": "W", "percent": "%", "celsius": "°C", "fahrenheit": "°F"}
_SPELLED_MORE: Final = {"deg c": "°C", "deg f": "°F", "degc": "°C", "degf": "°F", "c": "°C", "f": "°F", "v": "V"}


class Reading(Struct, frozen=True):
    """One measurement."""

    name: str
    value: float
    time_ms: int
    unit: str | None


def readings(entity_id: str, data: Mapping[str, Any], now_ms: int) -> list[Reading]:
    """What `data` measures. Empty for an entity of nothing but words."""
    time_ms = _time_ms(data.get("timestamp"), now_ms)
    units = data.get("units")
    unit = _unit_of(data)
    found = []
    for signal, value, own_unit in _signals(data, 0):
        name = f"{entity_id}.{signal}" if signal != "value" else entity_id
        if _UNPRINTABLE.search(name) or len(name) > MAX_NAME_CHARS or not entity_id.strip():
            continue
        told = units.get(signal) if isinstance(units, Mapping) else None
        said = own_unit or _spelled(told) or (unit if signal != "state" else None)
        found.append(Reading(name, value, time_ms, said or _usual_unit(signal)))
        if len(found) == MAX_SIGNALS:
            break
    return found


def _signals(data: Mapping[str, Any], depth: int) -> Iterator[tuple[str, float, str | None]]:
    """(name, value, unit it comes with)"""
    for key, value in data.items():
        if not isinstance(key, str) or key in _NOT_SIGNALS:
            continue
        if isinstance(value, Mapping):
            if depth < MAX_DEPTH:
                yield from _of_mapping(key, value, depth)
        else:
            number, unit = _number(value)
            if number is not None:
                yield key, number, unit


def _of_mapping(key: str, value: Mapping[str, Any], depth: int) -> Iterator[tuple[str, float, str | None]]:
    unit = _unit_of(value)
    for signal, number, own in _signals(value, depth + 1):
        if key in _NESTED:
            name = signal
        elif signal == "value":  # {"voltage": {"value": 12.6, "unit": "V"}}
            name = key
        else:
            name = f"{key}.{signal}"
        yield name, number, own or unit


def _number(value: object) -> tuple[float | None, str | None]:
    """A finite number in it, and a unit written behind it."""
    if isinstance(value, bool):
        return float(value), None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None, None
        return (number if math.isfinite(number) else None), None
    if not isinstance(value, str) or len(value) > 40:
        return None, None
    word = value.strip().lower()
    if word in _ON or word in _OFF:
        return float(word in _ON), None
    found = _NUMBER.match(value)
    return (float(found[1]), _spelled(found[2])) if found else (None, None)


def _unit_of(data: Mapping[str, Any]) -> str | None:
    return _spelled(data.get("unit")) or _spelled(data.get("unit_of_measurement"))


def _spelled(unit: object) -> str | None:
    if not isinstance(unit, str) or not unit.strip() or len(unit) > 20 or not unit.isprintable():
        return None
    unit = unit.strip()
    return _SPELLED.get(unit.lower()) or _SPELLED_MORE.get(unit.lower()) or unit


def _usual_unit(signal: str) -> str | None:
    return _UNITS.get(re.split(r"[._\s-]", signal.lower())[-1])


def _time_ms(stamp: object, now_ms: int) -> int:
    """The core's stamp where it is of our time, else ours: what it sends is happening now."""
    time_ms = now_ms
    if isinstance(stamp, int | float) and not isinstance(stamp, bool) and math.isfinite(stamp):
        time_ms = int(stamp * 1000)
    elif isinstance(stamp, str):
        try:
            moment = datetime.fromisoformat(stamp)
            time_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            return now_ms
    return time_ms if -BEHIND_MS <= time_ms - now_ms <= AHEAD_MS else now_ms
