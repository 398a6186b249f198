"""From what is true of the coach to what it sends: which signals, when.

Promises: `live_parts` of neighbouring spans never repeat or leave out a sample, and the same span gives the
same samples. Signals with a cadence come on its multiples; signals without one come when they change, and
every ten minutes besides, so that their silence means something.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from storage.models import SeriesPart, Times

from .coach import MINUTE_MS, Stretch
from .signals import SIGNALS, Signal

IDLE_MS: Final = MINUTE_MS  # cadence of what is sent in full only while something runs
REMINDER_MS: Final = 10 * MINUTE_MS


def history_parts(stretch: Stretch, step_ms: int) -> list[SeriesPart]:
    """The stretch without its first minute, every signal at `step_ms` (full minutes) or on change."""
    minutes = stretch.times[1:]
    parts = []
    for signal in SIGNALS:
        if signal.every_s is None:
            times = _changes(stretch, signal, minutes, reminder_ms=max(REMINDER_MS, 12 * step_ms))
        else:
            grid = minutes[minutes % step_ms == 0]
            times = grid[stretch.active(signal, grid) | (grid % (6 * step_ms) == 0)]
        parts.append(_part(stretch, signal, times))
    return [part for part in parts if len(part)]


def live_parts(stretch: Stretch, after_ms: int, until_ms: int, pace: float = 1.0) -> list[SeriesPart]:
    """What is sent later than `after_ms` and not later than `until_ms`, both within the stretch.

    `pace`: factor on the cadences.
    """
    minutes = stretch.times[(stretch.times > after_ms) & (stretch.times <= until_ms)]
    parts = []
    for signal in SIGNALS:
        if signal.every_s is None:
            times = _changes(stretch, signal, minutes, REMINDER_MS) if len(minutes) else minutes
        else:
            step_ms = round(signal.every_s * 1000 * pace)
            times = grid(after_ms, until_ms, step_ms)
            if len(times):
                first_of_minute = times // IDLE_MS != (times - step_ms) // IDLE_MS
                times = times[stretch.active(signal, times) | first_of_minute]
        if len(times):
            parts.append(_part(stretch, signal, times))
    return [part for part in parts if len(part)]


def grid(after_ms: int, until_ms: int, step_ms: int) -> Times:
    """Multiples of `step_ms` in (after, until]."""
    return np.arange(after_ms // step_ms + 1, until_ms // step_ms + 1, dtype=np.int64) * step_ms


def _changes(stretch: Stretch, signal: Signal, minutes: Times, reminder_ms: int) -> Times:
    """Those of `minutes` at which the reading is another than a minute before, or a reminder is due."""
    before = np.maximum(minutes - MINUTE_MS, stretch.times[0])
    readings = (np.round(stretch.truth(signal.column, at, held=True) / signal.grain) for at in (minutes, before))
    return np.asarray(minutes[np.not_equal(*readings) | (minutes % reminder_ms == 0)])


def _part(stretch: Stretch, signal: Signal, times: Times) -> SeriesPart:
    times, values = stretch.measure(signal, times)
    return SeriesPart(signal.name, times, values)
