"""Hour by hour ahead: the forecasts of several simple methods, and the one that would have done best so far.

Methods, for a day and for a week: seasonal naive (as one cycle ago); the mean cycle, recent ones weighing more (for
what swings in size around a fixed end, as the sun does); its shape alone around a level that returns from what the
last hours show to that of the last cycle; the level alone. Chosen by back-test: each method forecasts from the same
hour of earlier days, and the two with the smallest absolute error are averaged (DETECTION study, section 9: the
choice is worth more than any one method).

The interval is record, not theory: the errors of the chosen forecast that many hours ahead, each scaled by what is
usual at that hour (so nights without sun stay narrow), their 95 % quantile, widened for the fewness of days and for
having chosen. How often it held is measured in tests/accuracy/forecasts.py.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .robust import Times, Values, quantile

Matrix = NDArray[np.float64]

HOUR_MS: Final = 3_600_000
DAY: Final = 24
WEEK: Final = 168
MIN_DAYS: Final = 4  # of history; fewer leave no days to test on
MAX_HOURS: Final = 24 * 60
MIN_FILLED: Final = 0.6
ORIGINS: Final = 14  # days to test on, at most
MIN_ORIGINS: Final = 2
FADES: Final = (0.1, 0.3, 0.6)  # by how much a cycle weighs less than the next
RETURNS: Final = (0.9, 0.98)  # of the level per hour
QUICK: Final = 0.3  # step of the quick level's moving average
COVERAGE: Final = 0.95
BEST: Final = 2  # methods that are averaged


class HourlyForecast(Struct, frozen=True):
    """Hours ahead of the last hour known; arrays of one length. `at_ms` is the start of an hour.

    `error`: mean absolute error in the back-test; `naive_error`: that of "as one day ago" there; `level_error`: that of
    "as the last days on average"; `days` it rests on.
    """

    at_ms: Times
    values: Values
    low: Values
    high: Values
    method: str
    error: float
    naive_error: float
    level_error: float
    days: int


def hourly_grid(times: Times, values: Values) -> tuple[int, Values] | None:
    """(first hour since 1970, hourly means); hours without samples are filled from the days around, or on a line.

    None when it is too short or has too many holes. `times` may be wall time: then the hours are the coach's.
    """
    if not len(times):
        return None
    hours = times // HOUR_MS
    first = max(int(hours[0]), int(hours[-1]) - MAX_HOURS + 1)
    inside = hours >= first
    places = (hours[inside] - first).astype(np.intp)
    counts = np.bincount(places, minlength=int(hours[-1]) - first + 1)
    there = counts > 0
    if len(counts) < MIN_DAYS * DAY or there.mean() < MIN_FILLED:
        return None
    grid = np.bincount(places, weights=values[inside], minlength=len(counts)) / np.maximum(counts, 1)
    return first, grid if there.all() else _filled(grid, there)


def _filled(grid: Values, there: NDArray[np.bool_]) -> Values:
    """Holes: the line across, plus what that hour of the day usually adds to it."""
    at = np.arange(len(grid))
    line = np.interp(at, at[there], grid[there])
    of_day = at % DAY
    padded = np.pad(line, DAY // 2, mode="edge")
    smooth = np.convolve(padded, np.full(DAY, 1.0 / DAY), mode="same")[DAY // 2 : -DAY // 2]
    sums = np.bincount(of_day[there], weights=(grid - smooth)[there], minlength=DAY)
    usual = sums / np.maximum(np.bincount(of_day[there], minlength=DAY), 1)
    lift = usual[of_day]
    result: Values = np.where(there, grid, line + lift - np.interp(at, at[there], lift[there]))
    return result


def forecast_hours(times: Times, values: Values, ahead: int = DAY) -> HourlyForecast | None:
    """The next `ahead` hours from samples at rising times (ms). None when too little is known to choose and to test.

    `values` must be finite and tame (|x| < 1e100).
    """
    laid_out = hourly_grid(times, values)
    if laid_out is None:
        return None
    first, grid = laid_out
    if float(np.ptp(grid)) <= 1e-9 * float(np.abs(grid).max()):
        return None
    size = len(grid)
    origins = [size - shift for shift in range(DAY, DAY * (ORIGINS + 1), DAY) if size - shift >= (MIN_DAYS - 1) * DAY]
    if len(origins) < MIN_ORIGINS:
        return None
    weekly = origins[len(origins) // 2] >= 2 * WEEK
    names, now = _candidates(grid, ahead, weekly=weekly)
    past = np.full((len(names), len(origins), ahead), np.nan)
    for row, origin in enumerate(origins):
        with_week = weekly and origin >= 2 * WEEK
        known, guesses = _candidates(grid[:origin], ahead, weekly=with_week)
        true = grid[origin : origin + ahead]
        places = [names.index(name) for name in known]
        past[places, row, : len(true)] = guesses[:, : len(true)] - true
    errors = _mean_absolute(past)
    naive = float(errors[0])
    order = np.argsort(errors[: len(names) - 1], kind="stable")[:BEST]
    joined = past[order].mean(axis=0)  # of averaged forecasts the error is the average
    values_ahead = now[order].mean(axis=0)
    half = _half_width(joined)
    bottom, top = (0.0 if grid.min() >= 0.0 else -np.inf), (0.0 if grid.max() <= 0.0 else np.inf)
    at = (first + size + np.arange(ahead)) * HOUR_MS
    return HourlyForecast(
        at_ms=at,
        values=values_ahead.clip(bottom, top),  # what was never negative (light, use) will not be
        low=(values_ahead - half).clip(bottom, top),
        high=(values_ahead + half).clip(bottom, top),
        method=" + ".join(names[place] for place in order.tolist()),
        error=float(np.nanmean(np.abs(joined))),
        naive_error=naive,
        level_error=float(errors[-1]),
        days=len(origins),
    )


def _mean_absolute(past: NDArray[np.float64]) -> Values:
    """By method; one that could not be tried as often as the first is judged on its own days against the first's."""
    sizes = np.abs(past)
    tried = np.isfinite(sizes)
    sums = np.where(tried, sizes, 0.0).sum(axis=(1, 2))
    base = np.where(tried, sizes[:1], 0.0).sum(axis=(1, 2))
    first = float(np.nanmean(sizes[0]))
    result: Values = first * sums / np.where(base > 0.0, base, 1.0) if first > 0.0 else sums
    return result


def _half_width(errors: Matrix) -> Values:
    """By hours ahead, from errors of shape (days, hours); NaN where the future has not come yet."""
    sizes = np.abs(errors)
    tried = np.isfinite(sizes)
    sums, counts = np.where(tried, sizes, 0.0).sum(axis=0), tried.sum(axis=0)
    near = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    pad = len(near) // 2
    usual = np.convolve(np.pad(sums, pad, mode="edge"), near, mode="valid")
    usual /= np.maximum(np.convolve(np.pad(counts.astype(np.float64), pad, mode="edge"), near, mode="valid"), 1.0)
    overall = float(sums.sum() / counts.sum())
    if overall == 0.0:  # the past was foretold without any error
        return np.zeros(len(usual))
    usual = np.maximum(usual, 0.1 * overall)
    days = len(errors)
    ratio = (sizes / usual)[tried]
    widen = 1.0 + 1.5 / days + 0.06
    result: Values = usual * quantile(ratio, COVERAGE) * widen
    return result


def _candidates(known: Values, ahead: int, *, weekly: bool) -> tuple[list[str], Matrix]:
    """Names and forecasts, shape (methods, ahead); the first is "as one day ago", the last the level of the day."""
    names: list[str] = []
    rows: list[NDArray[np.floating]] = []
    steps = np.arange(1, ahead + 1)
    for period, word in ((DAY, "day"), (WEEK, "week")) if weekly else ((DAY, "day"),):
        place = (steps - 1) % period
        last = known[-period:]
        names.append(f"as one {word} ago")
        rows.append(last[place])
        cycles = len(known) // period
        shaped = known[len(known) - cycles * period :].reshape(cycles, period)
        centred = shaped - shaped.mean(axis=1, keepdims=True)
        ages = np.arange(cycles - 1, -1, -1.0)
        slow = float(last.mean())
        tail = min(len(known), 20, period)
        quick = QUICK * (1.0 - QUICK) ** np.arange(tail - 1, -1, -1.0)
        quick /= quick.sum()
        for fade in FADES:
            weights = (1.0 - fade) ** ages
            names.append(f"mean {word}, fade {fade:g}")
            rows.append((weights @ shaped / float(weights.sum()))[place])
            profile = weights @ centred / weights.sum()
            nudge = float(quick @ (known[-tail:] - profile[period - tail :])) - slow
            for back in RETURNS:
                names.append(f"profile of the {word}, fade {fade:g}, return {back:g}")
                rows.append(profile[place] + slow + nudge * back**steps)
    level = float(known[-min(len(known), WEEK) :].mean())
    nudge = float(known[-6:].mean()) - level
    for back in RETURNS:
        names.append(f"level, return {back:g}")
        rows.append(level + nudge * back**steps)
    names.append("level")  # never chosen: what a forecast with hours in it must beat
    rows.append(np.full(ahead, float(known[-DAY:].mean())))
    return names, np.array(rows, dtype=np.float64)
