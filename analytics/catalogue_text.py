"""The text of a metric catalogue (conf/metrics.yaml as values) to a catalogue.

Promises: a catalogue that parses is consistent: limits are ordered, numbers finite, every mistake is named with its
entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final, get_args

from .catalogue import HOURS, BadDirection, Catalogue, Kind, MetricSpec


class CatalogueError(ValueError):
    """The catalogue cannot be used; `str()` names the entry and what is wrong with it."""


_PAIRS: Final = ("plausible", "warn", "critical")  # written [low, high], null for "none"
_NUMBERS: Final = ("hold_s", "hysteresis", "min_deviation", "off_below", "service_every")
_TEXTS: Final = ("unit", "role", "title")
_OF_A_SYSTEM: Final = frozenset({*_PAIRS, "hysteresis", "usual"})
_KNOWN: Final = frozenset(MetricSpec.__struct_fields__) - {
    f"{pair}_{side}" for pair in (*_PAIRS, "usual") for side in ("low", "high")
} | {*_PAIRS, "patterns"}


def parse_catalogue(document: Mapping[str, Any]) -> Catalogue:
    """Read `{"metrics": [entry, ...]}`. An entry has `pattern` (or `patterns`, a list) and members of MetricSpec;
    the ranges are written as pairs: `plausible: [0, 100]`, `warn: [15, null]`, `critical: [5, null]`. `systems` is a
    list of what is otherwise in other systems: ranges and `hysteresis`, and `usual: [20, 36]`, which tells them by.

    Raises CatalogueError.
    """
    if not isinstance(document, Mapping):
        raise CatalogueError("the catalogue must be a mapping with the member `metrics`")
    unknown = sorted(str(key) for key in set(document) - {"metrics"})
    if unknown:
        raise CatalogueError(f"unknown member `{unknown[0]}`; expected `metrics`")
    entries = document.get("metrics")
    if not isinstance(entries, list):
        raise CatalogueError("`metrics` must be a list")
    return Catalogue([spec for index, entry in enumerate(entries) for spec in _entry(index, entry)])


def _entry(index: int, entry: object) -> Iterable[MetricSpec]:
    where = f"metrics[{index}]"
    if not isinstance(entry, Mapping):
        raise CatalogueError(f"{where}: must be a mapping")
    patterns = entry.get("patterns", [entry["pattern"]] if "pattern" in entry else [])
    if not isinstance(patterns, list) or not patterns or not all(isinstance(p, str) and p for p in patterns):
        raise CatalogueError(f"{where}: needs `pattern` (text) or `patterns` (a list of texts)")
    where = f"{where} ({patterns[0]})"
    for key in entry:
        if key not in _KNOWN:
            raise CatalogueError(f"{where}: unknown member `{key}`")
    members = _members(where, entry)
    systems = [_system(where, entry, each) for each in _list(where, "systems", entry.get("systems", []))]
    return [
        MetricSpec(
            pattern=pattern, systems=tuple(MetricSpec(pattern=pattern, **each) for each in systems), **members
        )
        for pattern in patterns
    ]  # fmt: skip


def _system(where: str, entry: Mapping[str, Any], system: object) -> dict[str, Any]:
    """Members of the entry as they are in that system."""
    if not isinstance(system, Mapping):
        raise CatalogueError(f"{where}: each of `systems` must be a mapping")
    for key in system:
        if key not in _OF_A_SYSTEM:
            raise CatalogueError(f"{where}: unknown member `{key}` of a system")
    low, high = _pair(where, "usual", system.get("usual"))
    if low is None or high is None or low >= high:
        raise CatalogueError(f"{where}: a system needs `usual`, as [low, high]")
    return _members(where, {**entry, **system}) | {"usual_low": low, "usual_high": high}


def _members(where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for pair in _PAIRS:
        members[f"{pair}_low"], members[f"{pair}_high"] = _pair(where, pair, entry.get(pair))
    for key in _NUMBERS:
        if key in entry:
            members[key] = _number(where, key, entry[key])
            if members[key] < 0:
                raise CatalogueError(f"{where}: `{key}` must not be negative")
    for key in _TEXTS:
        if key in entry:
            members[key] = _choice(where, key, entry[key], None)
    if "kind" in entry:
        members["kind"] = _choice(where, "kind", entry["kind"], get_args(Kind))
    if "bad_direction" in entry:
        members["bad_direction"] = _choice(where, "bad_direction", entry["bad_direction"], get_args(BadDirection))
    if "intermittent" in entry:
        if not isinstance(entry["intermittent"], bool):
            raise CatalogueError(f"{where}: `intermittent` must be true or false")
        members["intermittent"] = entry["intermittent"]
    _check_order(where, members)
    _check_service(where, members)
    return members


def _list(where: str, key: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise CatalogueError(f"{where}: `{key}` must be a list")
    return value


def _pair(where: str, key: str, value: object) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    if not isinstance(value, list) or len(value) != 2:
        raise CatalogueError(f"{where}: `{key}` must be [low, high], with null for none")
    low, high = (None if side is None else _number(where, key, side) for side in value)
    return low, high


def _number(where: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CatalogueError(f"{where}: `{key}` must be a number, not {value!r}")
    return float(value)


def _choice(where: str, key: str, value: object, choices: tuple[str, ...] | None) -> str:
    if not isinstance(value, str) or (choices is not None and value not in choices):
        expected = "a text" if choices is None else "one of " + ", ".join(choices)
        raise CatalogueError(f"{where}: `{key}` must be {expected}, not {value!r}")
    return value


def _check_order(where: str, members: Mapping[str, Any]) -> None:
    """Falling off a cliff happens in one order: plausible, critical, warn, warn, critical, plausible."""
    names = ("plausible_low", "critical_low", "warn_low", "warn_high", "critical_high", "plausible_high")
    given = [(name, members[name]) for name in names if members[name] is not None]
    for (name, value), (next_name, next_value) in pairwise(given):
        no_room = value == next_value and name.endswith("low") and next_name.endswith("high")
        if value > next_value or no_room:
            raise CatalogueError(f"{where}: {name} ({value:g}) must be below {next_name} ({next_value:g})")


def _check_service(where: str, members: Mapping[str, Any]) -> None:
    if "service_every" not in members:
        return
    if members["service_every"] == 0:
        raise CatalogueError(f"{where}: `service_every` must be more than 0")
    if members.get("kind") != "counter" or members.get("unit") not in HOURS:
        raise CatalogueError(f"{where}: `service_every` needs `kind: counter` and `unit`, one of {', '.join(HOURS)}")
