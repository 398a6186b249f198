"""The metric catalogue: what is known of a metric by its name (conf/metrics.yaml as values).

Promises
- Every name has a spec: where no pattern matches, a cautious default without limits.
- A metric whose sender says another unit than its entry has that unit, and neither role nor limits of the entry; where
  the entry has no unit, the metric has the one its sender says.
- A metric that may belong to one of several systems (12, 24, 48 V) is judged by the limits of the one its values show.
- The first pattern that matches wins; matching ignores case; the answer is kept, so asking again is a dict look-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from .robust import Values
from .units import is_other

Kind = Literal["gauge", "counter", "state"]
BadDirection = Literal["above", "below", "both", "none"]

HOURS: Final = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600}  # in one of the units that a counter of hours may have
MAX_UNIT_CHARS: Final = 16
CACHE_LIMIT: Final = 10_000  # names; the memory tier caps series well below it


class MetricSpec(Struct, frozen=True, kw_only=True):
    """What is known of the metrics whose name matches `pattern`. All numbers are in `unit`.

    `kind`: a gauge moves freely; a counter only grows (it is never judged by its level); a state is a code or on/off.
    `bad_direction`: on which side a deviation from the metric's own baseline is worth telling; `none`: never.
    `hold_s`: how long a value must stay beyond a limit before that is told (a door is opened, a starter sags).
    `hysteresis`: how far back inside a value must come before a limit is over; None: derived from the limits.
    `min_deviation`: smallest distance from the baseline that is worth telling; a metric that lies still is judged
    only when this is given. `off_below`: below it the thing is off or unplugged (shore power at 0 V), which the limits
    do not judge. `intermittent`: the metric may fall silent (engine off, sent on change only). `service_every`: of a
    counter of running time, how much of it lies between two services. `systems`: the same of other systems, each known
    by values that are usually within [`usual_low`, `usual_high`].
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
    systems: tuple[MetricSpec, ...] = ()
    usual_low: float | None = None
    usual_high: float | None = None

    @property
    def has_systems(self) -> bool:
        """Whether it is one of several: see Catalogue.place."""
        return bool(self.systems) or self.usual_low is not None

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
        self._system: dict[str, MetricSpec] = {}  # by metric: its own, where that is another than its entry's
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

    def place(self, name: str, values: Values) -> bool:
        """These are values of the metric, newer than those before: they say to which system it belongs. Returns whether
        it is judged in another way now. What fits no system leaves things as they are."""
        if not self.spec(name).has_systems:
            return False
        entry = self._by_name(name)
        if entry.off_below is not None:
            values = values[values >= entry.off_below]
        if not len(values):
            return False
        level, present = float(np.median(values)), self._system.get(name)
        found = next((each for each in entry.systems if is_within(level, each.usual_low, each.usual_high)), None)
        if found is present or (found is None and not is_within(level, entry.critical_low, entry.critical_high)):
            return False
        if found is None:
            del self._system[name]
        elif present is not None or len(self._system) < CACHE_LIMIT:
            self._system[name] = found
        else:
            return False
        self._known.pop(name, None)
        return True

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
        found, said = self._system.get(name) or self._by_name(name), self._said.get(name)
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


def is_within(value: float, low: float | None, high: float | None) -> bool:
    """Ends included; None: no bound."""
    return (low is None or value >= low) and (high is None or value <= high)


def _longest_part(pattern: str) -> tuple[str, str]:
    """The longest text every match contains, and the pattern: few names get as far as the pattern, so few patterns
    are compiled."""
    return max(re.split(r"(?s)[*?]|\[.*", pattern), key=len), pattern


_SPELT: Final = {"ac": "AC", "api": "API", "ats": "ATS", "can": "CAN", "websocket": "WebSocket"}


def title_from(name: str) -> str:
    """Words for a name: `light.bedroom_1.brightness` -> `Light bedroom 1 brightness`."""
    words = " ".join(_SPELT.get(word, word) for word in re.sub(r"[._/:\-\s]+", " ", name).split())
    return words[:1].upper() + words[1:] if words else name
