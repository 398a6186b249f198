"""Where a value stands against the limits of its spec: level, level with hysteresis, distance past the limit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np

from .catalogue import MetricSpec
from .condition import Side
from .robust import TAME, Values

SCORE_LIMIT: Final = 1000.0
Limits = tuple[float | None, float | None, float | None, float | None]


def stay_limits(spec: MetricSpec) -> Limits:
    """(critical low, warn low, warn high, critical high), each moved towards normal by the hysteresis.

    By default that is a quarter of the way from critical to warning, or 2 % of a lone limit; and never more than a
    quarter of the way to the limit of the other side.
    """
    room = math.inf
    if spec.low is not None and spec.high is not None:
        room = 0.25 * (spec.high - spec.low)

    def moved(limit: float | None, warn: float | None, critical: float | None, sign: float) -> float | None:
        if limit is None:
            return None
        width = spec.hysteresis
        if width is None:
            both = warn is not None and critical is not None and warn != critical
            width = 0.25 * abs((warn or 0.0) - (critical or 0.0)) if both else 0.02 * abs(limit)
        return limit + sign * min(width, room)

    return (
        moved(spec.critical_low, spec.warn_low, spec.critical_low, 1.0),
        moved(spec.warn_low, spec.warn_low, spec.critical_low, 1.0),
        moved(spec.warn_high, spec.warn_high, spec.critical_high, -1.0),
        moved(spec.critical_high, spec.warn_high, spec.critical_high, -1.0),
    )


def limit_levels(value: float, spec: MetricSpec, stay: Limits, held: Side) -> tuple[int, int, Side]:
    """(level by the limits, level by the relaxed limits of the side that is held, side of the first)."""
    if spec.off_below is not None and value < spec.off_below:
        return 0, 0, "none"
    entry, side = _level(value, spec.critical_low, spec.warn_low, spec.warn_high, spec.critical_high)
    relaxed, relaxed_side = _level(value, *stay)
    return entry, relaxed if relaxed_side == held else 0, side


def is_beyond(value: float, spec: MetricSpec) -> bool:
    """Whether it is at least worth a warning."""
    return limit_levels(value, spec, stay_limits(spec), "none")[0] > 0


def _level(
    value: float, critical_low: float | None, warn_low: float | None, warn_high: float | None,
    critical_high: float | None,
) -> tuple[int, Side]:  # fmt: skip
    if critical_low is not None and value < critical_low:
        return 2, "below"
    if critical_high is not None and value > critical_high:
        return 2, "above"
    if warn_low is not None and value < warn_low:
        return 1, "below"
    if warn_high is not None and value > warn_high:
        return 1, "above"
    return 0, "none"


def band_width(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else abs(other - one)


def past(value: float, low: float | None, high: float | None, band: float | None) -> float:
    """How far `value` lies beyond [low, high] in units of `band`; a tenth of the limit stands in for a missing band."""
    limit = low if low is not None and value < low else high if high is not None and value > high else None
    if limit is None:
        return 0.0
    unit = band or 0.1 * abs(limit) or 1.0
    return min(SCORE_LIMIT, abs(value / unit - limit / unit) if abs(value) < TAME else SCORE_LIMIT)


def zones(values: Values, bounds: Iterable[float | None]) -> list[tuple[int, int]]:
    """Half-open spans of neighbouring values that none of `bounds` tells apart (a value on a bound is a zone of its
    own)."""
    if len(values) == 1:
        return [(0, 1)]
    edges = np.array(sorted(bound for bound in set(bounds) if bound is not None))
    places = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
    return list(pairwise([0, *(np.flatnonzero(np.diff(places)) + 1).tolist(), len(values)]))
