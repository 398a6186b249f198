"""Does a series follow a given shape (a line, a step) more than chance explains, when its noise has memory?

Neighbouring samples of a vehicle are not independent; a test that thinks they are calls every random walk a trend.
So: generalised least squares for AR(1) noise (Prais & Winsten 1954). The coefficient of the noise is set to 1 as soon
as it comes near (Perron & Yabu 2009: the test then keeps its size for stationary noise and for random walks alike),
and the variance is widened by what memory the differences have left. Where the coefficient lies between, it is
estimated badly, and the bar is high. All bars were set by simulation (white, t3, AR .5/.9/.95, random walk, random
walk plus white; 12-120 points) so that 1 in 100 is passed by chance at the most unfavourable of them, not on average.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from .robust import Values, autocorrelation, median, rolling_median

NEAR_ONE: Final = 2.0  # over sqrt(n): so near to 1 the coefficient counts as 1
INDEPENDENT: Final = 0.2  # below it the noise counts as white
FEW: Final = 12  # points; with fewer a residual says little
AT_BAR: Final = 2.5758293035489004  # |z| of p = 0.01
TINY: Final = 1e-150  # below it squares are zero
CLIP: Final = 5.0  # robust sigmas from the surroundings


class Bars(Struct, frozen=True):
    """What |t| must reach, by memory of the noise: hardly any, some, that of a random walk."""

    white: float
    some: float
    walk: float


LINE: Final = Bars(white=4.0, some=8.0, walk=3.5)
STEP: Final = Bars(white=5.5, some=9.0, walk=5.5)  # higher: the best of all steps was looked for


class Fit(Struct, frozen=True):
    """`strength` >= 1: significant. `memory`: AR(1) coefficient of the noise, 0..1. `p_value`: 0.01 at strength 1."""

    strength: float
    memory: float

    @property
    def p_value(self) -> float:
        return math.erfc(min(self.strength, 20.0) * AT_BAR / math.sqrt(2.0))


NO_FIT: Final = Fit(0.0, 0.0)


def clipped(values: Values) -> Values:
    """Values with lone outliers drawn in to CLIP sigmas of their surroundings; steps stay. Shape kept."""
    if len(values) < 7:
        return values
    near = rolling_median(values, 5)
    off = values - near
    scale = 1.4826 * median(np.abs(off)) or float(np.abs(off).mean())
    result: Values = np.clip(values, near - CLIP * scale, near + CLIP * scale)
    return result


def fit(values: Values, shape: Values, bars: Bars) -> Fit:
    """How clearly `values` follow `level + b * shape`. Both of shape (n,), n >= 5, equally spaced enough."""
    count = len(values)
    centred = shape - shape.mean()
    deviations = values - values.mean()
    slope = float(centred @ deviations) / float(centred @ centred)
    residuals = deviations - slope * centred
    dust = max(TINY, 1e-9 * float(np.abs(values).max()))
    if float(np.abs(residuals).max()) <= dust:  # what rounding leaves is no noise
        return Fit(math.inf, 0.0) if abs(slope) * float(np.ptp(centred)) > 2 * dust else NO_FIT
    memory = _memory(residuals)
    memory = max(0.0, memory + (2.0 + 4.0 * memory) / count)  # a fitted line takes that off (Marriott & Pope 1954)
    if memory > 1.0 - NEAR_ONE / math.sqrt(count):
        memory = 1.0
    t = abs(_t_statistic(values, shape, memory, dust))
    bar = bars.walk if memory == 1.0 else bars.white if memory < INDEPENDENT else bars.some
    if count < FEW:
        bar *= 2.0
    return Fit(t / bar, memory)


def best_step(values: Values) -> int | None:
    """The index at which a step explains most (least squares); at least a tenth of the points on either side."""
    count = len(values)
    edge = max(3, -(-count // 10))
    if count < 2 * edge:
        return None
    sums = np.cumsum(values)
    before = np.arange(edge, count - edge + 1)
    left, right = sums[before - 1] / before, (sums[-1] - sums[before - 1]) / (count - before)
    gain = before * (count - before) * (left - right) ** 2
    return int(before[gain.argmax()])


def _memory(residuals: Values) -> float:
    """AR(1) coefficient. A slow process under white measuring noise betrays itself by how slowly correlation fades
    from lag to lag, however small it is (Walker 1960): the larger of both views counts."""
    first, second, third = (autocorrelation(residuals, lag) for lag in (1, 2, 3))
    found = first
    if len(residuals) >= 16 and min(first, second) > 0 and first + second > 3.0 / math.sqrt(len(residuals)):
        found = max(found, min(1.0, (second + third) / (first + second)))
    return found


def _t_statistic(values: Values, shape: Values, memory: float, dust: float) -> float:
    moved, steps = values[1:] - memory * values[:-1], shape[1:] - memory * shape[:-1]
    if memory < 1.0:
        first = math.sqrt(1.0 - memory * memory)
        moved, steps = np.append(moved, first * values[0]), np.append(steps, first * shape[0])
        level = np.append(np.full(len(values) - 1, 1.0 - memory), first)
        share = float(level @ level)  # take the level out of both (Frisch & Waugh 1933)
        moved, steps = (each - level * (float(level @ each) / share) for each in (moved, steps))
    power = float(steps @ steps)
    if power <= 0.0:
        return 0.0
    slope = float(steps @ moved) / power
    left = moved - slope * steps
    spread = float(left @ left) / max(1, len(left) - (2 if memory < 1.0 else 1))
    if spread <= dust * dust:
        return math.inf if abs(slope) * float(np.ptp(shape)) > 2 * dust else 0.0
    again = min(0.98, max(0.0, autocorrelation(left[: len(values) - 1], 1)))
    return slope / math.sqrt(spread * (1.0 + again) / (1.0 - again) / power)
