"""The daily and the weekly cycle of a metric: its profile by hour of the day or of the week, if there is one.

Hours and days are those of the times handed in: give wall time (`local_time`) and a furnace that comes on at 7 does
so on both sides of a change of the clocks.

Method: hourly means; what a cycle shares with its neighbours (the running mean over one cycle: drift, trend; for the
week also the daily profile) is taken away; then every cycle is predicted from the mean of all others (leave one out).
The cross-validated R2 says how much of a cycle the others know. Two guards against finding cycles in noise: R2 must
reach MIN_R2, and the agreement between cycles must beat that of SHUFFLES series whose cycles were turned, days by
random hours, weeks by random days (a day of a random walk turned is as good as unturned; a day of a true cycle is
not).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from .robust import Times, Values, finite, tamed

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
DAY: Final = 24  # hours
WEEK: Final = 168
MONDAY: Final = 72  # hours by which the week of 1970-01-01, a Thursday, is older than the epoch
MIN_DAYS: Final = 3
MIN_WEEKS: Final = 4  # with three there are too few ways to turn them
MIN_FILLED: Final = 0.75  # share of hours with samples
MIN_R2: Final = 0.25
ALPHA: Final = 0.01
SHUFFLES: Final = 300
SEED: Final = 2_024  # the same input gives the same answer


class Cycle(Struct, frozen=True):
    """`profile`: mean departure from the level by hour, shape (24,) from midnight or (168,) from Monday, sum about 0.

    `r2`: cross-validated. `noise`: standard deviation of what the profile leaves, in the metric's unit. `level`: mean
    of the last cycle. `last_error`: mean absolute error of the newest cycle as the ones before predicted it, and
    `flat_error` of "no cycle" there. `within`: the moment of its hour, 0..1, that a mean of the profile stands for.
    """

    profile: Values
    r2: float
    p_value: float
    cycles: int
    noise: float
    level: float
    last_error: float
    flat_error: float
    within: float = 0.5

    @property
    def hours(self) -> int:
        return len(self.profile)

    @property
    def peak_hour(self) -> int:
        return int(self.profile.argmax())

    @property
    def low_hour(self) -> int:
        return int(self.profile.argmin())

    @property
    def swing(self) -> float:
        return finite(float(self.profile.max()) - float(self.profile.min()))


def turn_of_day(profile: Values, hour: int, within: float = 0.5) -> str:
    """When a day's profile of hourly means is highest or lowest, as the clock shows it: the half hour nearest to the
    top of the parabola through the mean of `hour`, the extreme one, and its neighbours'. `within`: the moment of its
    hour that a mean stands for, 0..1."""
    before, at, after = (float(profile[(hour + step) % DAY]) for step in (-1, 0, 1))
    bend = before - 2.0 * at + after
    shift = 0.5 * (before - after) / bend if bend and math.isfinite(bend) else 0.0
    halves = round(2.0 * (hour + within + min(0.5, max(-0.5, shift))))
    return f"{halves // 2 % DAY:02d}:{halves % 2 * 30:02d}"


def daily_cycle(times: Times, values: Values) -> Cycle | None:
    """The daily cycle of samples at rising times (ms); None when there is none, or too little to say."""
    small, divisor = tamed(np.asarray(values, dtype=np.float64))
    laid_out = _hourly(times, small)
    if laid_out is None:
        return None
    grid = laid_out[1]
    rows = (grid - _running_mean(grid, DAY)).reshape(-1, DAY)
    found = _cycle(rows, grid, divisor, turn=1)
    return None if found is None else replace(found, within=float((times % HOUR_MS).mean()) / HOUR_MS)


def weekly_cycle(times: Times, values: Values) -> Cycle | None:
    """What the days of the week add to the daily cycle; None when that is nothing, or weeks are too few."""
    small, divisor = tamed(np.asarray(values, dtype=np.float64))
    laid_out = _hourly(times, small)
    if laid_out is None:
        return None
    first, grid = laid_out
    days = grid.reshape(-1, DAY)
    weeks = len(days) // 7
    if weeks < MIN_WEEKS:
        return None
    grid = grid[len(grid) - weeks * WEEK :]
    first += len(days) * DAY - weeks * WEEK
    rest = grid - _running_mean(grid, WEEK)
    by_day = rest.reshape(-1, DAY)
    rows = (by_day - by_day.mean(axis=0)).reshape(weeks, WEEK)
    rows = np.roll(rows, (first + MONDAY) % WEEK, axis=1)  # from Monday; what that moves around stays in its week
    return _cycle(rows, grid, divisor, turn=DAY)


def _cycle(rows: NDArray[np.float64], grid: Values, divisor: float, *, turn: int) -> Cycle | None:
    count, length = rows.shape
    sums = rows.sum(axis=0)
    total = float((rows * rows).sum())
    if total <= (1e-9 * float(np.abs(grid).max())) ** 2 * rows.size:
        return None
    left = rows - (sums - rows) / (count - 1)
    r2 = 1.0 - float((left * left).sum()) / total
    if r2 < MIN_R2:
        return None
    p_value = _p_value(rows, turn)
    if p_value > ALPHA:
        return None
    profile = sums / count
    noise = float(np.sqrt(((rows - profile) ** 2).sum() / max(1, rows.size - length)))
    newest = rows[-1]
    return Cycle(
        profile=profile * divisor,
        r2=min(1.0, r2),
        p_value=p_value,
        cycles=count,
        noise=finite(noise * divisor),
        level=finite(float(grid[-length:].mean()) * divisor),
        last_error=finite(float(np.abs(newest - rows[:-1].mean(axis=0)).mean()) * divisor),
        flat_error=finite(float(np.abs(newest).mean()) * divisor),
    )


def _hourly(times: Times, values: Values) -> tuple[int, Values] | None:
    """First hour and hourly means of whole days' worth of hours, starting at midnight; short holes filled on a line.
    None when fewer than MIN_DAYS days or too many holes."""
    if len(values) < MIN_DAYS * 12 or times[-1] - times[0] < (MIN_DAYS - 0.5) * DAY_MS:
        return None
    hours = times // HOUR_MS
    first = int(hours[0])
    first += -first % 24 if first % 24 > 6 else -(first % 24)  # a day that lacks up to six hours counts
    last = int(hours[-1]) + 1
    last += 24 - last % 24 if last % 24 >= 18 else -(last % 24)
    size = last - first
    if size < MIN_DAYS * 24:
        return None
    inside = (hours >= first) & (hours < last)
    places = (hours[inside] - first).astype(np.intp)
    counts = np.bincount(places, minlength=size)
    filled = counts > 0
    if filled.mean() < MIN_FILLED:
        return None
    means = np.bincount(places, weights=values[inside], minlength=size)[filled] / counts[filled]
    grid: Values = np.interp(np.arange(size), np.flatnonzero(filled), means)
    return first, grid


def _running_mean(grid: Values, length: int) -> Values:
    """Centred mean over `length` hours (the outer two at half weight); at the ends the nearest whole one."""
    weights = np.full(length + 1, 1.0 / length)
    weights[[0, -1]] /= 2.0
    inner = np.convolve(grid, weights, mode="valid")
    result: Values = np.pad(inner, length // 2, mode="edge")
    return result


def _p_value(rows: NDArray[np.float64], turn: int) -> float:
    """How often cycles turned by random multiples of `turn` hours agree as well as these cycles do."""
    norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    unit = rows / np.where(norms > 0, norms, 1.0)
    count, length = unit.shape
    observed = _agreement(unit[np.newaxis])[0]
    rng = np.random.default_rng(SEED)
    turns = turn * rng.integers(0, length // turn, size=(SHUFFLES, count, 1))
    columns = (np.arange(length) + turns) % length
    turned = unit[np.arange(count)[:, np.newaxis], columns]
    return float((1 + np.count_nonzero(_agreement(turned) >= observed - 1e-9)) / (1 + SHUFFLES))


def _agreement(unit: NDArray[np.float64]) -> Values:
    """|sum of unit rows|^2 rises with the mean correlation between cycles. Shape (k, cycles, hours) in, (k,) out."""
    sums = unit.sum(axis=1)
    result: Values = (sums * sums).sum(axis=1)
    return result
