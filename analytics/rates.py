"""Counters as rates: how fast something was counted up, whatever restarts and replacements the counter went through.

A counter only grows. When it is smaller than before it has begun anew: what it shows then was counted since, as
Prometheus' `increase` has it. A reading that falls and comes back above where it was (a bad sample) is no restart.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from .robust import Times, Values

HOUR_MS: Final = 3_600_000.0


def increases(values: Values) -> Values:
    """What was counted between neighbouring readings, each >= 0. Shape (n,) in, (n - 1,) out; finite values."""
    if len(values) < 2:
        return np.empty(0)
    known = _without_dips(np.asarray(values, dtype=np.float64))
    with np.errstate(over="ignore"):
        steps = np.diff(known)
    begun_anew = steps < 0
    result: Values = np.where(begun_anew, np.maximum(known[1:], 0.0), steps)
    return np.minimum(result, np.finfo(np.float64).max)


def rates(times: Times, values: Values) -> tuple[Times, Values]:
    """Increase per hour between neighbouring readings, at the moment between them. Readings at one time count once."""
    if len(values) < 2:
        return np.empty(0, np.int64), np.empty(0)
    keep = np.append(np.diff(times) > 0, True)
    times, values = times[keep], values[keep]
    hours = np.diff(times) / HOUR_MS
    with np.errstate(over="ignore"):
        found = np.minimum(increases(values) / hours, np.finfo(np.float64).max)
    middles: Times = times[:-1] + np.diff(times) // 2
    return middles, found


def _without_dips(values: Values) -> Values:
    """A lone reading below both of its neighbours, of which the later is no smaller than the earlier: left out."""
    dips = (values[1:-1] < values[:-2]) & (values[2:] >= values[:-2])
    if not dips.any():
        return values
    result = values.copy()
    result[1:-1][dips] = values[:-2][dips]
    return result
