"""A sign: what one check of a coach has seen, before anybody decides whether it is told.

Owns how strength and coverage become a confidence, and the evidence a person can check. A sign of strength 1 is just
enough to be told; one that has been told stays until it falls below STAYS. Too little coverage: it is hidden.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
from msgspec import Struct, field

from .coach_log import SLOT_MS, SLOTS_A_DAY, STORES, Track
from .coach_view import CoachView
from .records import Finding, FindingKind
from .robust import Values, mad_sigma, median, rounded
from .words import number

TOLD: Final = 1.0
STAYS: Final = 0.7
THIN: Final = 0.5  # coverage below which nothing is told
POINTS: Final = 96  # at most so many in an evidence series
ENOUGH: Final = 6  # slots on each side that make a comparison
MOVED: Final = 4.0  # robust sigmas
LEVEL: Final = 0.02  # of a metric's own level: less is no shift
NAMED: Final = 5
STRENGTH_LIMIT: Final = 100.0


class Sign(Struct, frozen=True, kw_only=True):
    """`strength`: 1 is the least worth telling. `span`: the slots that show it. `cover`: 0 to 1, how much was known.
    `unit`: of `value`, `low` and `high`, where it is not the metric's own.
    """

    kind: FindingKind
    track: Track
    strength: float
    span: slice
    value: float
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    direction: Literal["above", "below", "none"] = "none"
    level: Literal["warning", "critical"] = "warning"
    cover: float = 1.0
    facts: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[FindingKind, str]:
        return self.kind, self.track.name

    def holds(self, *, told: bool) -> bool:
        return self.cover >= THIN and self.strength >= (STAYS if told else TOLD)

    def finding(self, view: CoachView) -> Finding:
        start = self.span.start
        strength = min(self.strength, STRENGTH_LIMIT)
        own = {} if self.unit is None else {"value": number(self.value, self.unit)}
        return Finding(
            self.kind, self.track.name, view.now_ms, int(view.starts[start]), rounded(self.value), self.low, self.high,
            score=rounded(strength), confidence=confidence(strength, self.cover), samples=self.span.stop - start,
            direction=self.direction, level=self.level, facts={**self.facts, **own},
            evidence={
                "series": [series(view, self.track, self.span)],
                "coverage": round(self.cover, 3),
                "co_moving": beside(view, self.track, self.span),
                **{name: rounded(value) for name, value in self.numbers.items()},
                **({} if self.unit is None else {"unit": self.unit}),
            },
        )  # fmt: skip


def confidence(strength: float, cover: float) -> float:
    """0 to 1. Just told and fully covered: 0.88; twice as strong: 0.95. How often that is right stands in
    docs/ACCURACY.md."""
    return round((0.98 - 0.1 * math.exp(-1.2 * max(0.0, strength - TOLD))) * (0.6 + 0.4 * min(1.0, cover)), 3)


def series(view: CoachView, track: Track, span: slice) -> dict[str, Any]:
    """The metric over the span and a while before it, thinned out to POINTS: times in unix seconds."""
    length = span.stop - span.start
    first = max(0, span.start - length)
    step = max(1, math.ceil((span.stop - first) / POINTS))
    times, values = [], []
    for start in range(first, span.stop, step):
        value = mean(track.mean[start : min(start + step, span.stop)])
        if not math.isnan(value):
            times.append(float(view.starts[start] / 1000))
            values.append(rounded(value, 5))
    return {"metric": track.name, "timestamps": times, "values": values, "step": step * SLOT_MS / 1000}


def beside(view: CoachView, track: Track, span: slice) -> list[dict[str, Any]]:
    """The metrics that are most unlike themselves a day ago at the same hours: shift in their unit, robust sigmas."""
    if span.start < SLOTS_A_DAY:
        return []
    yesterday = slice(span.start - SLOTS_A_DAY, span.stop - SLOTS_A_DAY)
    found = []
    for other in view.tracks():
        now, then = (part[np.isfinite(part)] for part in (other.mean[span], other.mean[yesterday]))
        # A level or a counter is never where it was yesterday.
        never = other.spec.role in STORES or other.spec.kind == "counter"
        if other is track or never or min(len(now), len(then)) < ENOUGH:
            continue
        level, shift = median(then), median(now) - median(then)
        scale = max(mad_sigma(now), mad_sigma(then), LEVEL * abs(level), 1e-6)
        if abs(shift) >= MOVED * scale:
            found.append((min(abs(shift) / scale, 1000.0), other.name, shift))
    found.sort(reverse=True)
    return [
        {"metric": name, "shift": rounded(shift, 4), "sigmas": rounded(far, 3)} for far, name, shift in found[:NAMED]
    ]


def mean(values: Values) -> float:
    """Of what is known; NaN when nothing is."""
    some = values[np.isfinite(values)]
    return float(some.mean()) if len(some) else math.nan


def quantile(values: Values, fraction: float) -> float:
    """As `mean`."""
    some = values[np.isfinite(values)]
    if not len(some):
        return math.nan
    place = fraction * (len(some) - 1)
    below, above = math.floor(place), math.ceil(place)
    parted = np.partition(some, (below, above))
    return float(parted[below] + (place - below) * (parted[above] - parted[below]))
