"""The functions of the KPI language: samples of one metric in one window in, one number out.

A value holds until the next sample comes (sensors that send on change are silent while nothing changes), but for no
longer than HOLD_MS: what lies in a longer gap is not known and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .robust import Times, Values, finite

HOUR_MS: Final = 3_600_000
HOLD_MS: Final = HOUR_MS


class Reading(Struct, frozen=True):
    """Samples, or buckets of samples (`value` is then a bucket's mean), at rising times in [start_ms, end_ms)."""

    times: Times
    value: Values
    low: Values
    high: Values
    count: NDArray[np.int64]
    start_ms: int
    end_ms: int


class Function(Struct, frozen=True):
    compute: Callable[[Reading, float | None], float | None]
    unit: Callable[[str | None], str | None]  # from the metric's
    has_limit: bool = False


def _mean(reading: Reading, _: float | None) -> float | None:
    total = float(reading.count.sum())
    return float((reading.value / total * reading.count).sum()) if total else None


def _sum(reading: Reading, _: float | None) -> float | None:
    return finite(float((reading.value * reading.count).sum())) if len(reading.times) else 0.0


def _delta(reading: Reading, _: float | None) -> float | None:
    return float(reading.value[-1] - reading.value[0]) if len(reading.times) > 1 else None


def _rate(reading: Reading, _: float | None) -> float | None:
    """Change per hour, from the first sample to the last."""
    if len(reading.times) < 2:
        return None
    hours = float(reading.times[-1] - reading.times[0]) / HOUR_MS
    return float(reading.value[-1] - reading.value[0]) / hours if hours > 0 else None


def _increase(reading: Reading, _: float | None) -> float | None:
    """What it rose by, falls left out: filling a tank, or a counter over its resets."""
    steps = np.diff(reading.value)
    return float(steps[steps > 0].sum()) if len(reading.times) > 1 else None


def _decrease(reading: Reading, _: float | None) -> float | None:
    """What it fell by, rises left out: water that was used though the tank was filled in between."""
    steps = np.diff(reading.value)
    return float(-steps[steps < 0].sum()) if len(reading.times) > 1 else None


def _p95(reading: Reading, _: float | None) -> float | None:
    if not len(reading.times):
        return None
    order = np.argsort(reading.value)
    reached = np.cumsum(reading.count[order])
    return float(reading.value[order][np.searchsorted(reached, 0.95 * reached[-1] * (1 - 1e-12))])


def _hours(reading: Reading) -> Values:
    """How long each value held, in hours."""
    ends = np.append(reading.times[1:], reading.end_ms)
    held: Values = np.clip(ends - reading.times, 0, HOLD_MS) / HOUR_MS
    return held


def _integral(reading: Reading, _: float | None) -> float | None:
    return float((reading.value * _hours(reading)).sum()) if len(reading.times) else None


def _time(reading: Reading, beyond: NDArray[np.bool_]) -> float | None:
    return float(_hours(reading)[beyond].sum()) if len(reading.times) else None


def _above(reading: Reading, limit: float | None) -> float | None:
    return _time(reading, reading.value > (limit or 0.0))


def _below(reading: Reading, limit: float | None) -> float | None:
    return _time(reading, reading.value < (limit or 0.0))


def _share(hours: float | None, reading: Reading) -> float | None:
    """Percent of the time of which something is known."""
    known = float(_hours(reading).sum())
    return 100 * hours / known if hours is not None and known > 0 else None


def _share_above(reading: Reading, limit: float | None) -> float | None:
    return _share(_above(reading, limit), reading)


def _share_below(reading: Reading, limit: float | None) -> float | None:
    return _share(_below(reading, limit), reading)


def _same(unit: str | None) -> str | None:
    return unit


def _per_hour(unit: str | None) -> str | None:
    return None if unit is None else f"{unit or '1'}/h"


def _times_hours(unit: str | None) -> str | None:
    return None if unit is None else {"A": "Ah", "W": "Wh", "": "h"}.get(unit, f"{unit}·h")


FUNCTIONS: Final[Mapping[str, Function]] = {
    "avg": Function(_mean, _same),
    "min": Function(lambda reading, _: float(reading.low.min()) if len(reading.times) else None, _same),
    "max": Function(lambda reading, _: float(reading.high.max()) if len(reading.times) else None, _same),
    "sum": Function(_sum, _same),
    "count": Function(lambda reading, _: float(reading.count.sum()), lambda _: ""),
    "first": Function(lambda reading, _: float(reading.value[0]) if len(reading.times) else None, _same),
    "last": Function(lambda reading, _: float(reading.value[-1]) if len(reading.times) else None, _same),
    "delta": Function(_delta, _same),
    "increase": Function(_increase, _same),
    "decrease": Function(_decrease, _same),
    "rate": Function(_rate, _per_hour),
    "p95": Function(_p95, _same),
    "integral": Function(_integral, _times_hours),
    "time_above": Function(_above, lambda _: "h", has_limit=True),
    "time_below": Function(_below, lambda _: "h", has_limit=True),
    "share_above": Function(_share_above, lambda _: "%", has_limit=True),
    "share_below": Function(_share_below, lambda _: "%", has_limit=True),
}
