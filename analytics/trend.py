"""Trend of one series: robust slope, significance that knows about autocorrelation, and a direction in plain words.

Slope: Theil (1950) and Sen (1968), the median of all pairwise slopes, on at most 300 time-ordered group medians.
Significance: Mann (1945) and Kendall (1975), variance corrected for ties and, since neighbouring samples of a vehicle
are not independent, for the effective number of samples after Bayley & Hammersley (1946) with the lag-1
autocorrelation of what the line does not explain. A random walk therefore has few independent samples and rarely a
trend. The one addition: a curve that is all but monotone and whose rise dwarfs its residuals (a tank emptying along
a bend) is a trend although its residuals are smooth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .robust import Times, Values, autocorrelation, finite, mad_sigma, median, rounded, tamed, two_sided_p

Places = NDArray[np.intp]
Direction = Literal["up", "down", "stable"]

POINTS: Final = 300  # pairwise slopes grow with the square: 300 points are 44,850 pairs, 2 ms
MIN_SAMPLES: Final = 5  # below it no order of samples is significant at ALPHA
ALPHA: Final = 0.01
MIN_EFFECT: Final = 1.0  # the rise must reach this many robust sigmas of the residuals to be worth a word
MONOTONE_TAU: Final = 0.85  # |Kendall's tau| of an all but monotone curve ...
MONOTONE_EFFECT: Final = 9.0  # ... and how far its rise must exceed its residuals
STRICT_TAU: Final = 0.97  # hardly a step back: whatever the shape, it went one way
MONOTONE_SAMPLES: Final = 10
MAX_PERCENT: Final = 1e6
HOUR_MS: Final = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Trend:
    """`slope_per_hour` in the metric's unit. `first` and `last`: the robust line at the first and last sample.

    `change_percent` is `last - first` in percent of |first|. Where |first| is below 1 % of |last| (a start at zero has
    no percentages) it is +-100. `scale`: robust sigma around the line. `p_value` 1 when there is too little to say.
    """

    direction: Direction
    slope_per_hour: float
    change_percent: float
    p_value: float
    samples: int
    first: float
    last: float
    scale: float
    effective_samples: float


def direction(times: Times, values: Values) -> Trend:
    """The trend of samples in rising order of time (ms). Any length, also 0; any finite values."""
    count = len(values)
    if count == 0:
        return Trend("stable", 0.0, 0.0, 1.0, 0, 0.0, 0.0, 0.0, 0.0)
    small, divisor = tamed(np.asarray(values, dtype=np.float64))
    hours = (np.asarray(times, dtype=np.int64) - int(times[0])) / HOUR_MS
    grouped_hours, grouped = grouped_medians(hours, small, POINTS)
    slope = theil_sen(grouped_hours, grouped)
    if count < 3 or hours[-1] <= 0.0:
        slope = 0.0
    intercept = median(grouped - slope * grouped_hours)
    residuals = grouped - (intercept + slope * grouped_hours)
    # Beyond rounding, a line through exact points leaves nothing; what rounding leaves is not noise.
    dust = 1e-9 * max(abs(float(grouped.max())), abs(float(grouped.min())))
    scale = mad_sigma(residuals, 0.0)
    first, last = intercept, intercept + slope * float(hours[-1])
    p_value, effective = 1.0, float(count)
    found: Direction = "stable"
    if count >= MIN_SAMPLES and abs(last - first) > dust:
        correlation = 0.0
        if scale > dust:  # removing a line takes (2 + 4r)/n off an autocorrelation (Marriott & Pope 1954): put it back
            correlation = autocorrelation(residuals)
            correlation += (2.0 + 4.0 * correlation) / len(grouped)
        effective = effective_samples(len(grouped), correlation)
        tau, p_value = mann_kendall(grouped, effective)
        effect = abs(last - first) / max(scale, dust)
        significant = p_value < ALPHA and effect >= MIN_EFFECT
        monotone = abs(tau) >= MONOTONE_TAU and effect >= MONOTONE_EFFECT
        monotone = len(grouped) >= MONOTONE_SAMPLES and (monotone or abs(tau) >= STRICT_TAU)
        if significant or monotone:
            found = "up" if slope > 0 else "down"
    return Trend(
        direction=found,
        slope_per_hour=rounded(finite(slope * divisor), 9),
        change_percent=change_percent(first, last),
        p_value=p_value,
        samples=count,
        first=finite(first * divisor),
        last=finite(last * divisor),
        scale=finite(scale * divisor),
        effective_samples=round(effective, 1),
    )


def change_percent(first: float, last: float) -> float:
    """From `first` to `last` in percent of |first|, at two digits; +-100 for a start at zero, 0 for no change."""
    largest = max(abs(first), abs(last))
    if largest == 0.0 or first == last:
        return 0.0
    if abs(first) < 0.01 * largest:
        return math.copysign(100.0, last - first)
    percent = 100.0 * ((last / largest) - (first / largest)) / (abs(first) / largest)
    return round(max(-MAX_PERCENT, min(MAX_PERCENT, percent)), 2)


def grouped_medians(positions: Values, values: Values, limit: int) -> tuple[Values, Values]:
    """At most `limit` points: medians of neighbouring groups of equal size, at their mean positions."""
    count = len(values)
    if count <= limit:
        return positions, values
    size = -(-count // limit)
    whole = count // size * size
    places = positions[:whole].reshape(-1, size).mean(axis=1)
    middles = np.median(values[:whole].reshape(-1, size), axis=1)
    if whole < count:
        places = np.append(places, positions[whole:].mean())
        middles = np.append(middles, np.median(values[whole:]))
    return places, middles


@lru_cache(maxsize=16)
def _pairs(count: int) -> tuple[Places, Places]:
    """All (earlier, later) pairs of places. Kept, since the callers ask for the same few counts again and again."""
    left, right = np.triu_indices(count, 1)
    return left, right


def theil_sen(positions: Values, values: Values) -> float:
    """Median of the slopes of all pairs at different positions; 0 when there is none."""
    if len(values) < 2:
        return 0.0
    left, right = _pairs(len(values))
    run = positions[right] - positions[left]
    rise = values[right] - values[left]
    if not (run > 0).all():
        rise, run = rise[run > 0], run[run > 0]
    return median(rise / run) if len(run) else 0.0


def effective_samples(count: int, correlation: float) -> float:
    """How many independent samples `count` samples with this lag-1 autocorrelation are worth (AR(1), mean)."""
    correlation = min(max(correlation, 0.0), 0.9999)
    return max(2.0, count * (1.0 - correlation) / (1.0 + correlation))


def mann_kendall(values: Values, effective: float | None = None) -> tuple[float, float]:
    """Kendall's tau-b against time and its two-sided p. `effective`: number of independent samples, default all.

    With S the sum of signs of all later-minus-earlier differences, Var S = n(n-1)(2n+5)/18 minus the same expression
    per group of ties; z = (|S| - 1) / sqrt(Var S) is standard normal without a trend. Dependence multiplies the
    variance by n / n_effective.
    """
    count = len(values)
    if count < 2:
        return 0.0, 1.0
    left, right = _pairs(count)
    score = float(np.sign(values[right] - values[left]).sum())
    _, ties = np.unique(values, return_counts=True)
    ties = ties.astype(np.float64)
    variance = count * (count - 1.0) * (2.0 * count + 5.0)
    variance = (variance - float((ties * (ties - 1.0) * (2.0 * ties + 5.0)).sum())) / 18.0
    if variance <= 0.0:
        return 0.0, 1.0
    pairs = count * (count - 1.0) / 2.0
    untied = pairs - float((ties * (ties - 1.0)).sum()) / 2.0
    tau = score / math.sqrt(pairs * untied)
    if effective is not None:
        variance *= count / min(effective, count)
    return tau, two_sided_p(max(0.0, abs(score) - 1.0) / math.sqrt(variance))
