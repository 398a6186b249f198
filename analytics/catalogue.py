"""The metric catalogue: what is known of a metric by its name (conf/metrics.yaml as values).

Promises
- Every name has a spec: where no pattern matches, a cautious default without limits.
- A metric whose sender says another unit than its entry has that unit, and neither role nor limits of the entry; where
  the entry has no unit, the metric has the one its sender says.
- The first pattern that matches wins; matching ignores case; the answer is kept, so asking again is a dict look-up.
- A catalogue that parses is consistent: limits are ordered, numbers finite, every mistake is named with its entry.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any, Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from .units import is_other

Kind = Literal["gauge", "counter", "state"]
BadDirection = Literal["above", "below", "both", "none"]

HOURS: Final = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600}  # in one of the units that a counter of hours may have
MAX_UNIT_CHARS: Final = 16
CACHE_LIMIT: Final = 10_000  # names; the memory tier caps series well below it


class CatalogueError(ValueError):
    """The catalogue cannot be used; `str()` names the entry and what is wrong with it."""


class MetricSpec(Struct, frozen=True, kw_only=True):
    """What is known of the metrics whose name matches `pattern`. All numbers are in `unit`.

    `kind`: a gauge moves freely; a counter only grows (it is never judged by its level); a state is a code or on/off.
    `bad_direction`: on which side a deviation from the metric's own baseline is worth telling; `none`: never.
    `hold_s`: how long a value must stay beyond a limit before that is told (a door is opened, a starter sags).
    `hysteresis`: how far back inside a value must come before a limit is over; None: derived from the limits.
    `min_deviation`: smallest distance from the baseline that is worth telling; a metric that lies still is judged
    only when this is given. `off_below`: below it the thing is off or unplugged (shore power at 0 V), which the limits
    do not judge. `intermittent`: the metric may fall silent (engine off, sent on change only). `service_every`: of a
    counter of running time, how much of it lies between two services.
    """

    pattern: str = "*"
    unit: str | None = None
    kind: Kind = "gauge"
    role: str | None = None
    title: str | None = None
    plausible_low: float | None = None
    plausible_high: float | None = None
    warn_low: float | None = None
    warn_high: float | None = None
    critical_low: float | None = None
    critical_high: float | None = None
    bad_direction: BadDirection = "both"
    hold_s: float = 0.0
    hysteresis: float | None = None
    min_deviation: float | None = None
    off_below: float | None = None
    intermittent: bool = False
    service_every: float | None = None

    @property
    def low(self) -> float | None:
        """The limit a normal value stays above: the warning one where given, else the critical one."""
        return self.critical_low if self.warn_low is None else self.warn_low

    @property
    def high(self) -> float | None:
        """The limit a normal value stays below."""
        return self.critical_high if self.warn_high is None else self.warn_high


DEFAULT_SPEC: Final = MetricSpec()


class Catalogue:
    """Specs by pattern, in order of precedence."""

    def __init__(self, specs: Sequence[MetricSpec] = ()) -> None:
        self._specs = tuple(specs)
        self._patterns = [(_longest_part(spec.pattern.lower()), spec) for spec in self._specs]
        self._known: dict[str, MetricSpec] = {}
        self._own: dict[str, MetricSpec] = {}
        self._said: dict[str, str] = {}  # by metric: its unit, where its entry has another or none

    @property
    def specs(self) -> tuple[MetricSpec, ...]:
        return self._specs

    @property
    def roles(self) -> list[str]:
        """The roles that its metrics can have, by name."""
        return sorted({spec.role for spec in self._specs if spec.role is not None})

    def define(self, specs: Iterable[MetricSpec]) -> None:
        """Metrics that the service makes itself: each `pattern` is a name. They come before all patterns, and take the
        place of those defined before."""
        self._own = {each.pattern: each for each in specs}
        self._known.clear()

    def hear(self, name: str, unit: str) -> bool:
        """The sender of the metric says that its unit is `unit`. Returns whether it is judged in another way now."""
        meant, told = self._by_name(name).unit, unit.strip()
        said = told if 0 < len(told) <= MAX_UNIT_CHARS and (meant is None or is_other(told, meant)) else None
        if said == self._said.get(name) or (said is not None and len(self._said) >= CACHE_LIMIT):
            return False
        if said is None:
            del self._said[name]
        else:
            self._said[name] = said
        self._known.pop(name, None)
        return meant is not None

    def spec(self, name: str) -> MetricSpec:
        """The spec of the metric `name`, with a title made from the name where the entry gives none."""
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= CACHE_LIMIT:  # names come from outside: the cache must not grow without end
                self._known.clear()
            known = self._known[name] = self._find(name)
        return known

    def plausible(self, name: str) -> tuple[float | None, float | None]:
        """What the metric can be, ends included; None: no bound."""
        spec = self.spec(name)
        return spec.plausible_low, spec.plausible_high

    def _find(self, name: str) -> MetricSpec:
        own = self._own.get(name)
        if own is not None:
            return own
        found, said = self._by_name(name), self._said.get(name)
        if said is not None and found.unit is None:
            found = replace(found, unit=said)
        elif said is not None:
            found = MetricSpec(
                pattern=found.pattern, unit=said, kind=found.kind, title=found.title, bad_direction="none",
                intermittent=found.intermittent,
            )  # fmt: skip
        return found if found.title is not None else replace(found, title=title_from(name))

    def _by_name(self, name: str) -> MetricSpec:
        lowered = name.lower()
        return next(
            (spec for (part, pattern), spec in self._patterns if part in lowered and fnmatchcase(lowered, pattern)),
            DEFAULT_SPEC,
        )


def _longest_part(pattern: str) -> tuple[str, str]:
    """The longest text every match contains, and the pattern: few names get as far as the pattern, so few patterns
    are compiled."""
    return max(re.split(r"(?s)[*?]|\[.*", pattern), key=len), pattern


_SPELT: Final = {"ac": "AC", "api": "API", "ats": "ATS", "can": "CAN", "websocket": "WebSocket"}


def title_from(name: str) -> str:
    """Words for a name: `light.bedroom_1.brightness` -> `Light bedroom 1 brightness`."""
    words = " ".join(_SPELT.get(word, word) for word in re.sub(r"[._/:\-\s]+", " ", name).split())
    return words[:1].upper() + words[1:] if words else name


_PAIRS: Final = ("plausible", "warn", "critical")  # written [low, high], null for "none"
_NUMBERS: Final = ("hold_s", "hysteresis", "min_deviation", "off_below", "service_every")
_TEXTS: Final = ("unit", "role", "title")
_KNOWN: Final = frozenset(MetricSpec.__struct_fields__) - {
    f"{pair}_{side}" for pair in _PAIRS for side in ("low", "high")
} | {*_PAIRS, "patterns"}


def parse_catalogue(document: Mapping[str, Any]) -> Catalogue:
    """Read `{"metrics": [entry, ...]}`. An entry has `pattern` (or `patterns`, a list) and members of MetricSpec;
    the ranges are written as pairs: `plausible: [0, 100]`, `warn: [15, null]`, `critical: [5, null]`.

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
    return [MetricSpec(pattern=pattern, **members) for pattern in patterns]


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
