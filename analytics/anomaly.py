"""The anomaly score of one metric, value by value, against nothing but its own history.

    score = 0.4 of this value's surprise + 0.6 of the surprises of the last few, smoothed

where a value's surprise (in powers of ten of improbability) adds up three views:

    how rare the value is              Rarity, two bin layouts, three neighbourhoods        (analytics/rarity.py)
    how rare it is at this time        the same for the residual from day and week          (analytics/season.py)
    how far out it, its change, its mean, its spread, its slow drift and its residual are   (analytics/tail.py)

Memory is in time: MEMORY_S for what is rare, SCALE_S for location and scale, with a least number of values for a slow
metric. Nothing looks ahead and nothing depends on unit, scale or sign.
"""

from __future__ import annotations

import math
from math import dist, log2
from typing import Any, Final

from .echo import Echo
from .rarity import Rarity
from .season import Season
from .tail import Tail

MEMORY_S: Final = 55 * 86_400.0
MEMORY_LEAST: Final = 4_000  # values
HALVING_S: Final = 14 * 86_400.0  # of the histograms
SCALE_S: Final = 3.5 * 86_400.0
SCALE_LEAST: Final = 500  # values
WINDOW: Final = 13  # values in the short mean and spread
ROOT: Final = math.sqrt(WINDOW)
LN_2: Final = math.log(2.0)
LEAST_WIDTH: Final = 1e-3  # that a spread differs by, of itself
SMOOTH: Final = 0.2
NOW: Final = 0.4
LONGEST_GAP_S: Final = 86_400.0
NEAR: Final = 0.2
DRIFT_FAST: Final = 0.04
DRIFT_SLOW: Final = 0.002
DRIFT_FROM: Final = 200  # values
TOO_HEAVY: Final = 1e6
EACH: Final = 1 / 3  # of the three neighbourhoods of a view
TAILS: Final = 0.2
VIEWS: Final = ("level", "change", "mean", "spread", "residual", "drift", "unrest")
BLATANT: Final = 6.0  # a single view that is more surprised than this counts in full beyond it


class AnomalyScore:
    """`take` gives the score; `tails` and `z` say what the last one was made of, `echo` how much
    this metric's surprises resemble the ones before them (echo.py)."""

    __slots__ = (
        "_at_s", "_averaged", "_echo", "_faded_s", "_gap_s", "_grow", "_most", "_near", "_rare", "_rare_fine", "_ring",
        "_season", "_seasonal", "_seasonal_fine", "_slow", "_smooth", "_unrest", "_usual_gap_s", "_views", "_weight",
        "count", "echo", "residual", "tails",
    )  # fmt: skip

    def __init__(self) -> None:
        self._rare, self._rare_fine = Rarity(32, (1, 2)), Rarity(64, (2,))
        self._seasonal, self._seasonal_fine = Rarity(32, (1, 2)), Rarity(64, (2,))
        self._season = Season()
        self._echo = Echo()
        self._views = tuple(Tail() for _ in VIEWS)
        self._ring: list[float] = []
        self._at_s = 0.0
        self._gap_s = -1.0
        self._usual_gap_s = 0.0
        self._grow = 1.0
        self._weight = 1.0
        self._most = 1e9
        self._near = self._averaged = self._slow = self._smooth = self._unrest = self._faded_s = 0.0
        self.count = 0
        self.echo = 0.0
        self.residual = 0.0
        self.tails: tuple[float, ...] = (0.0,) * len(VIEWS)

    @property
    def z(self) -> tuple[float, ...]:
        """The last value's distance from usual in each of VIEWS, in mean absolute deviations."""
        return tuple(view.z for view in self._views)

    @property
    def usual(self) -> tuple[float, float]:
        """The metric's running level and its mean absolute deviation from it."""
        level = self._views[0]
        return level.mean, level.spread

    def band(self, value: float) -> tuple[float, float]:
        """What is usual for `value`, the last one, and the mean absolute deviation from it: by this time of day and
        week where that is known, and known better than the level."""
        level, left = self._views[0], self._views[4]
        if left.seen >= DRIFT_FROM and left.spread < level.spread:
            return value - self.residual + left.mean, left.spread
        return level.mean, level.spread

    @property
    def gap_s(self) -> float:
        """The usual time between values."""
        return self._usual_gap_s

    def take(self, at_s: float, local_s: float, x: float) -> float:
        """Score `x` at unix time `at_s` (not before the last) and local wall time `local_s`; then learn it."""
        count = self.count
        if count:
            gap_s = at_s - self._at_s
            if gap_s != self._gap_s:
                self._pace(gap_s)
        else:
            self._near = self._averaged = self._slow = x
            self._faded_s = at_s
        self.count = count + 1
        self._at_s = at_s
        self._weight = weight = self._weight * self._grow
        most = self._most
        if at_s - self._faded_s > HALVING_S or weight > TOO_HEAVY:
            self._age(at_s)
            weight = self._weight
        residual, known = self._season.residual(local_s, x, self._usual_gap_s)
        self.residual = residual
        rare = self._rare.surprise(x, weight) + self._rare_fine.surprise(x, weight)
        seasonal = self._seasonal.surprise(residual, weight) + self._seasonal_fine.surprise(residual, weight)
        level, change, mean, spread, left, drift, unrest = self._views
        floor = 1e-4 * level.spread + 1e-6 * abs(level.mean)
        by_level = level.surprise(x, floor, most, weight)
        moved = x - self._near
        self._near += NEAR * moved
        by_change = change.surprise(moved, floor, most, weight)
        by_mean = by_spread = by_residual = by_drift = by_unrest = 0.0
        ring = self._ring
        if count < WINDOW:
            ring.append(x)
        else:
            ring[count % WINDOW] = x
        if count >= WINDOW - 1:
            middle = sum(ring) / WINDOW
            by_mean = mean.surprise(middle, floor, most, weight)
            width = dist(ring, (middle,) * WINDOW) / ROOT + floor
            if width > 0.0:
                width = LN_2 * log2(width)
                by_spread = spread.surprise(width, LEAST_WIDTH, most, weight)
                self._unrest += DRIFT_FAST * (width - self._unrest) if spread.seen > 1 else width
                if count > DRIFT_FROM:
                    by_unrest = unrest.surprise(self._unrest, LEAST_WIDTH, most, weight)
        if known:
            by_residual = left.surprise(residual, floor, most, weight)
        self._averaged = averaged = self._averaged + DRIFT_FAST * (x - self._averaged)
        step = 1.0 / (count + 1)
        self._slow = slow = self._slow + (step if step > DRIFT_SLOW else DRIFT_SLOW) * (x - self._slow)
        if count > DRIFT_FROM:
            by_drift = drift.surprise(averaged - slow, floor, most, weight)
        self.tails = tails = (by_level, by_change, by_mean, by_spread, by_residual, by_drift, by_unrest)
        together = by_level + by_change + by_mean + by_spread + by_residual + by_drift + by_unrest
        now = EACH * rare + EACH * seasonal + TAILS * together
        if together > BLATANT:
            now += max(0.0, max(tails) - BLATANT)
        self.echo = self._echo.take(now)
        self._smooth = smooth = self._smooth + (step if count < 4 else SMOOTH) * (now - self._smooth)
        return NOW * now + (1.0 - NOW) * smooth

    def _pace(self, gap_s: float) -> None:
        """How fast weights grow between two values, and how many of them the scales remember."""
        self._gap_s = gap_s
        usual = self._usual_gap_s
        gap_s = min(max(0.0, gap_s), LONGEST_GAP_S)
        self._usual_gap_s = usual = usual + 0.05 * (min(gap_s, 10.0 * usual) - usual) if usual else gap_s
        self._grow = math.exp(min(gap_s / MEMORY_S, 1.0 / MEMORY_LEAST))
        self._most = max(SCALE_LEAST, SCALE_S / usual) if usual > 0.0 else 1e9

    def _age(self, at_s: float) -> None:
        rarities = (self._rare, self._rare_fine, self._seasonal, self._seasonal_fine)
        keep = 0.5 ** (max(0.0, at_s - self._faded_s) / HALVING_S)
        self._faded_s = at_s
        factor, self._weight = 1.0 / self._weight, 1.0
        for rarity in rarities:
            rarity.fade(keep)
            rarity.lighten(factor)
        for view in self._views:
            view.lighten(factor)

    def _parts(self) -> tuple[Rarity | Season | Tail, ...]:
        return self._rare, self._rare_fine, self._seasonal, self._seasonal_fine, self._season, *self._views

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [
            self.count, self._at_s, self._usual_gap_s, self._weight, self._near, self._averaged, self._slow,
            self._smooth, self._unrest, self._faded_s, list(self._ring), [part.pack() for part in self._parts()],
            self._echo.pack(),
        ]  # fmt: skip

    def unpack(self, state: list[Any]) -> None:
        (self.count, self._at_s, self._usual_gap_s, self._weight, self._near, self._averaged, self._slow, self._smooth,
         self._unrest, self._faded_s, ring, packed, *later) = state  # fmt: skip
        self._ring = list(ring)
        for part, each in zip(self._parts(), packed, strict=True):
            part.unpack(each)
        for echo in later:  # what an earlier version packed has none: it is learned anew
            self._echo.unpack(echo)
