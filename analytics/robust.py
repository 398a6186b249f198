"""Robust statistics of plain arrays: median, scale, side scales, normal tails; and numbers made safe for JSON.

Promises: nothing here warns, overflows or answers NaN for finite input, however large; empty input is the caller's
error except where the docstring gives it a meaning.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Values = NDArray[np.float64]

MAD_TO_SIGMA: Final = 1.482602218505602  # 1 / Phi^-1(3/4): the MAD of a normal is sigma / 1.4826
BIGGEST: Final = 1.7976931348623157e308
TAME: Final = 1e150  # values beyond it are scaled down before anything is squared or subtracted


def finite(number: float) -> float:
    """`number` as a plain float that JSON can carry: infinities become the largest double, NaN becomes 0."""
    number = float(number)
    if math.isfinite(number):
        return number
    return 0.0 if math.isnan(number) else math.copysign(BIGGEST, number)


def rounded(number: float, digits: int = 6) -> float:
    """`number` at `digits` significant digits, never coarser than a whole number; finite."""
    number = finite(number)
    return float(round(number)) if abs(number) >= 10.0**digits else float(f"{number:.{digits}g}")


def tamed(values: Values) -> tuple[Values, float]:
    """`values` divided by a power of two so that sums, differences and squares stay finite, and that divisor.

    Ordinary values come back untouched with divisor 1.
    """
    if not len(values):
        return values, 1.0
    largest = max(abs(float(values.max())), abs(float(values.min())))
    if largest < TAME:
        return values, 1.0
    divisor = 2.0 ** (math.frexp(largest)[1] - 1)
    return values / divisor, divisor


def rising(times: Times, values: Values) -> tuple[Times, Values]:
    """Samples in order of time; equal times keep their order."""
    if np.count_nonzero(times[1:] >= times[:-1]) >= len(times) - 1:
        return times, values
    order = np.argsort(times, kind="stable")
    return times[order], values[order]


def median(values: Values) -> float:
    """The median; the mean of the middle two where the count is even. `values` must not be empty."""
    return quantile(values, 0.5)


def quantile(values: Values, fraction: float) -> float:
    """Linear interpolation between order statistics (Hyndman & Fan 1996, type 7: numpy's default)."""
    ordered = np.sort(values)  # one number is picked by hand: numpy's ways to it, as below, take three times as long
    last = len(ordered) - 1
    place = fraction * last
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, last)])
    part = place - below
    return min(max(low * (1.0 - part) + high * part, low), high)  # rounding must not leave the range


def quantiles(values: Values, fractions: tuple[float, ...]) -> Values:
    """Several type 7 quantiles from one sort. Unlike numpy's, safe for values near the largest double."""
    ordered = np.sort(values)
    places = np.asarray(fractions) * (len(ordered) - 1)
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    part = places - below
    mixed = ordered[below] * (1.0 - part) + ordered[above] * part
    result: Values = np.clip(mixed, ordered[below], ordered[above])  # rounding must not leave the range
    return result


def mad_sigma(values: Values, center: float | None = None) -> float:
    """Standard deviation as the median absolute deviation sees it (Hampel 1974). 0 when more than half are equal."""
    small, divisor = tamed(values)
    middle = median(small) if center is None else center / divisor
    return finite(MAD_TO_SIGMA * median(np.abs(small - middle)) * divisor)


def side_scales(values: Values, center: float) -> tuple[float, float]:
    """Spread below and above `center` in sigmas, each the larger of the MAD's and the 90 % quantile's view of its side.

    The quantile makes lopsided and heavy-tailed series (a compressor that runs 20 % of the time) judge their own
    habits as normal. Where both are 0 (a series that mostly lies still) the mean absolute deviation stands in:
    sqrt(pi/2) times it is sigma for a normal.
    """
    small, divisor = tamed(values)
    middle = center / divisor
    deviations = small - middle
    base = MAD_TO_SIGMA * median(np.abs(deviations))
    low, high = quantiles(deviations, (0.1, 0.9))
    scales = [max(base, -float(low) / 1.2815515655446004), max(base, float(high) / 1.2815515655446004)]
    if min(scales) <= 0.0:
        fallback = math.sqrt(math.pi / 2) * float(np.abs(deviations).mean())
        scales = [scale if scale > 0.0 else fallback for scale in scales]
    return finite(scales[0] * divisor), finite(scales[1] * divisor)


def two_sided_p(z: float) -> float:
    """Probability of a standard normal at least as far from 0 as `z`."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def autocorrelation(values: Values, lag: int = 1) -> float:
    """Sample autocorrelation at `lag` (biased: divided by the full sum of squares). 0 for a series that lies still."""
    small, _ = tamed(values)
    deviations = small - small.mean()
    total = float(deviations @ deviations)
    if total <= 0.0 or len(small) <= lag:
        return 0.0
    return float(deviations[:-lag] @ deviations[lag:]) / total


def rolling_median(values: Values, width: int) -> Values:
    """Centred running median of odd `width`; at the ends the window is mirrored. Shape (n,) in, shape (n,) out."""
    half = min(width, len(values)) // 2
    if half < 1:
        return values.copy()
    padded = np.pad(values, half, mode="reflect" if half < len(values) else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    ordered: Values = np.partition(windows, half, axis=1)[:, half]
    return ordered
