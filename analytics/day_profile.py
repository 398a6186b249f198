"""What a day of a metric usually looks like, hour by hour on somebody's clock, beside today and by weekday.

Pure: hourly means in, quartiles out. The quartiles are of whole days before today, so that today can be seen against
them.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .cycle import DAY_MS, HOUR_MS
from .robust import Times, Values

MIN_DAYS = 3  # fewer tell nothing about how much of a day the others foretell
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


class DayProfile(Struct, frozen=True):
    """All arrays by hour, midnight first; NaN where nothing is known.

    `low`, `middle`, `high`: quartiles, shape (24,). `count`: days that have the hour. `today`: shape (24,). `week`:
    medians by weekday (Monday first), shape (7, 24). `strength`: 1 - (what the medians leave) / (what a day's own
    level leaves), both as mean absolute distance, 0..1; None with fewer than MIN_DAYS days.
    """

    days: int
    low: Values
    middle: Values
    high: Values
    count: NDArray[np.int64]
    today: Values
    week: Values
    strength: float | None


def day_profile(hours: Times, values: Values, now_ms: int) -> DayProfile:
    """From hourly means: `hours` are their starts, `now_ms` the moment, all in wall time (`local_time`). What begins
    within an hour of the clock, where its offset is half an hour, counts as that hour."""
    today_number = now_ms // DAY_MS
    days, hour = hours // DAY_MS, (hours % DAY_MS) // HOUR_MS
    numbers = np.unique(days[days < today_number])
    table = np.full((len(numbers), 24), np.nan)
    before = days < today_number
    table[np.searchsorted(numbers, days[before]), hour[before]] = values[before]
    today = np.full(24, np.nan)
    today[hour[days == today_number]] = values[days == today_number]
    low, middle, high = (_by_hour(table, share) for share in (25.0, 50.0, 75.0))
    weekdays = (numbers + EPOCH_WEEKDAY) % 7
    week = np.stack([_by_hour(table[weekdays == weekday], 50.0) for weekday in range(7)])
    return DayProfile(
        days=len(numbers),
        low=low,
        middle=middle,
        high=high,
        count=(~np.isnan(table)).sum(axis=0),
        today=today,
        week=week,
        strength=_strength(table) if len(numbers) >= MIN_DAYS else None,
    )


def _by_hour(table: Values, share: float) -> Values:
    result = np.full(24, np.nan)
    for hour in range(24):
        known = table[~np.isnan(table[:, hour]), hour]
        if len(known):
            result[hour] = np.percentile(known, share)
    return result


def _strength(table: Values) -> float | None:
    """Each day is foretold by the median shape of the others around its own level."""
    known = ~np.isnan(table)
    rows = table[known.sum(axis=1) >= 18]
    if len(rows) < MIN_DAYS:
        return None
    level = np.nanmedian(rows, axis=1, keepdims=True)
    shapes = rows - level
    left = total = 0.0
    for at in range(len(shapes)):
        others = _by_hour(np.delete(shapes, at, axis=0), 50.0)
        usable = ~np.isnan(shapes[at]) & ~np.isnan(others)
        left += float(np.abs(shapes[at] - others)[usable].sum())
        total += float(np.abs(shapes[at])[usable].sum())
    return None if total <= 0 else max(0.0, min(1.0, 1.0 - left / total))
