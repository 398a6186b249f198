"""Numbers for print: six significant digits, never coarser than a whole number, never NaN or Infinity."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DIGITS: Final = 6
EXACT: Final = 22  # powers of ten up to this one are exact


def number(value: float | None) -> float | None:
    """`value` rounded; None for what JSON cannot say."""
    if value is None or not math.isfinite(value):
        return None
    if value == 0:
        return 0.0
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))
    if decimals > EXACT:
        return float(f"{value:.{DIGITS}g}")
    factor = 10.0**decimals
    return round(value * factor) / factor  # not `round` to decimals, which decides ties in another way than `numbers`


def known(value: float) -> float:
    """`number` of what is known to be finite; 0 stands for anything else."""
    return number(value) or 0.0


def numbers(values: NDArray[np.floating[Any]]) -> list[float]:
    """`number` of each, quickly. Values must be finite."""
    if not len(values):
        return []
    sizes = np.abs(values)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        decimals = np.clip(DIGITS - 1 - np.floor(np.log10(sizes)), 0, None)
        decimals[sizes == 0] = 0
        factors = 10.0**decimals
        rounded: NDArray[np.float64] = np.rint(values * factors) / factors
    tiny = decimals > EXACT
    rounded[tiny] = [float(f"{value:.{DIGITS}g}") for value in values[tiny]]
    shown: list[float] = rounded.tolist()
    return shown


def seconds(times_ms: NDArray[np.int64]) -> list[float]:
    """Unix ms as unix seconds, exact to the millisecond."""
    whole: list[float] = (times_ms / 1000).tolist()
    return whole
