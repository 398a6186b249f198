"""The daily cycle of a metric: its profile by hour of the (UTC) day, if there is one.

Method: hourly means; what a day shares with its neighbours (the running mean over 24 hours: drift, trend) is taken
away; then every day is predicted from the mean profile of all others (leave one day out). The cross-validated R2 says
how much of a day the others know. Two guards against finding cycles in noise: R2 must reach MIN_R2, and the mean
correlation between days must beat that of SHUFFLES series whose days were turned by random hours each (a day of a
random walk turned is as good as unturned; a day of a true cycle is not).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .robust import Times, Values, finite, tamed

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MIN_DAYS: Final = 3
MIN_FILLED: Final = 0.75  # share of hours with samples
MIN_R2: Final = 0.25
ALPHA: Final = 0.01
SHUFFLES: Final = 300
SEED: Final = 2_024  # the same input gives the same answer


@dataclass(frozen=True, slots=True)
class DailyCycle:
    """`profile`: mean departure from the day's level by UTC hour, shape (24,), sum about 0. `r2`: cross-validated.

    `noise`: standard deviation of what the profile leaves, in the metric's unit. `level`: mean of the last day.
    """

    profile: Values
    r2: float
    p_value: float
    days: int
    noise: float
    level: float

    @property
    def peak_hour(self) -> int:
        return int(self.profile.argmax())

    @property
    def low_hour(self) -> int:
        return int(self.profile.argmin())

    @property
    def swing(self) -> float:
        return finite(float(self.profile.max()) - float(self.profile.min()))


def daily_cycle(times: Times, values: Values) -> DailyCycle | None:
    """The daily cycle of samples at rising times (ms); None when there is none, or too little to say."""
    if len(values) < MIN_DAYS * 12 or times[-1] - times[0] < (MIN_DAYS - 0.5) * DAY_MS:
        return None
    small, divisor = tamed(np.asarray(values, dtype=np.float64))
    grid = _hourly(times, small)
    if grid is None:
        return None
    days = len(grid) // 24
    rows = (grid - _running_day(grid))[: days * 24].reshape(days, 24)
    sums = rows.sum(axis=0)
    others = (sums - rows) / (days - 1)
    total = float((rows * rows).sum())
    if total <= (1e-9 * float(np.abs(grid).max())) ** 2 * rows.size:
        return None
    left = rows - others
    r2 = 1.0 - float((left * left).sum()) / total
    if r2 < MIN_R2:
        return None
    p_value = _p_value(rows)
    if p_value > ALPHA:
        return None
    profile = sums / days
    noise = float(np.sqrt(((rows - profile) ** 2).sum() / (rows.size - 24)))
    level = float(grid[-24:].mean())
    return DailyCycle(profile * divisor, min(1.0, r2), p_value, days, finite(noise * divisor), finite(level * divisor))


def _hourly(times: Times, values: Values) -> Values | None:
    """Hourly means of whole UTC days' worth of hours, starting at midnight; short holes filled on a line. None when
    fewer than MIN_DAYS days or too many holes."""
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
    return grid


def _running_day(grid: Values) -> Values:
    """Centred mean over 24 hours (25 points, the outer two at half weight); at the ends the nearest whole one."""
    weights = np.full(25, 1.0 / 24.0)
    weights[[0, -1]] /= 2.0
    inner = np.convolve(grid, weights, mode="valid")
    result: Values = np.pad(inner, 12, mode="edge")
    return result


def _p_value(rows: NDArray[np.float64]) -> float:
    """How often days turned by random hours agree as well as these days do."""
    norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    unit = rows / np.where(norms > 0, norms, 1.0)
    days = len(unit)
    observed = _agreement(unit[np.newaxis])[0]
    rng = np.random.default_rng(SEED)
    turns = rng.integers(0, 24, size=(SHUFFLES, days, 1))
    columns = (np.arange(24) + turns) % 24
    turned = unit[np.arange(days)[:, np.newaxis], columns]
    return float((1 + np.count_nonzero(_agreement(turned) >= observed)) / (1 + SHUFFLES))


def _agreement(unit: NDArray[np.float64]) -> Values:
    """|sum of unit rows|^2 rises with the mean correlation between days. Shape (k, days, 24) in, (k,) out."""
    sums = unit.sum(axis=1)
    result: Values = (sums * sums).sum(axis=1)
    return result
