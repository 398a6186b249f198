"""Which metrics move together, also with a delay; with honest significance.

Method: all series on one grid of bucket means, each without its robust line (two things that merely grow are not
related); Spearman's rank correlation (1904) of every pair at every lag within the window, on the buckets that both
have. Chance is judged with the effective number of samples of Bartlett (1946) / Pyper & Peterman (1998),
n / n_eff = 1 + 2 sum_k r_a(k) r_b(k), Fisher's z, Bonferroni over the lags, Benjamini & Hochberg (1995) over the
pairs. Two random walks have few independent samples in common, and so are rarely taken for related.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .records import Correlation
from .robust import Times, Values, tamed, two_sided_p
from .trend import grouped_medians, theil_sen

Matrix = NDArray[np.float64]

MAX_POINTS: Final = 720  # buckets on the grid
MAX_METRICS: Final = 120  # pairs grow with the square
MIN_POINTS: Final = 24  # common buckets
MAX_LAGS: Final = 12  # to either side
MIN_COEFFICIENT: Final = 0.6
FALSE_DISCOVERIES: Final = 0.01
MIN_STEP_MS: Final = 1_000
MAX_RESTING: Final = 0.9  # share of buckets at one value
LINE_POINTS: Final = 100


def correlations(series: Mapping[str, tuple[Times, Values]], *, limit: int = 50) -> list[Correlation]:
    """The related pairs among `series` (rising times, ms), strongest first, at most `limit`.

    With more than MAX_METRICS series those with the most samples are looked at.
    """
    names = sorted((name for name, (times, _) in series.items() if len(times) >= MIN_POINTS),
                   key=lambda name: (-len(series[name][0]), name))[:MAX_METRICS]  # fmt: skip
    if len(names) < 2:
        return []
    step_ms = _step(series, names)
    start = min(int(series[name][0][0]) for name in names) // step_ms
    size = max(int(series[name][0][-1]) for name in names) // step_ms - start + 1
    data = np.zeros((len(names), size))
    mask = np.zeros((len(names), size))
    for row, name in enumerate(names):
        _fill(data[row], mask[row], *series[name], start, step_ms)
    useful = (mask.sum(axis=1) >= MIN_POINTS) & ((data * data).sum(axis=1) > 0)
    names = [name for name, use in zip(names, useful, strict=True) if use]
    if len(names) < 2:
        return []
    return _related(names, data[useful], mask[useful], step_ms, limit)


def _step(series: Mapping[str, tuple[Times, Values]], names: list[str]) -> int:
    """A bucket that the typical metric fills, and of which the whole span has no more than MAX_POINTS: a multiple of
    the typical gap, so that means of buckets fall into it whole."""
    gaps = sorted(float(np.median(np.diff(series[name][0]))) for name in names)
    span = max(int(series[name][0][-1]) for name in names) - min(int(series[name][0][0]) for name in names)
    usual = max(1, math.ceil(gaps[len(gaps) // 2]))
    return usual * math.ceil(max(MIN_STEP_MS, span / MAX_POINTS) / usual)


def _fill(row: Values, present: Values, times: Times, values: Values, start: int, step_ms: int) -> None:
    """Ranks of the bucket means without their robust line, at unit variance; absent buckets stay 0.

    A metric that rests at one value but for a few buckets is left out: two lone pulses that coincide prove nothing.
    """
    places = (times // step_ms - start).astype(np.intp)
    counts = np.bincount(places, minlength=len(row))
    filled = counts > 0
    small, _ = tamed(values)
    means = np.bincount(places, weights=small, minlength=len(row))[filled] / counts[filled]
    if len(means) < MIN_POINTS:
        return
    at = np.flatnonzero(filled).astype(np.float64)
    where, what = grouped_medians(at, means, LINE_POINTS)
    rest = means - theil_sen(where, what) * at
    grain = 1e-9 * float(np.abs(means).max())
    _, inverse, ties = np.unique(np.round(rest / grain) if grain > 0 else rest, return_inverse=True, return_counts=True)
    if ties.max() > MAX_RESTING * len(rest):
        return
    ranks = (np.cumsum(ties) - (ties - 1) / 2.0)[inverse]
    ranks -= ranks.mean()
    row[filled] = ranks / math.sqrt(float(ranks @ ranks) / len(ranks))
    present[filled] = 1.0


def _related(names: list[str], data: Matrix, mask: Matrix, step_ms: int, limit: int) -> list[Correlation]:
    count = len(names)
    size = data.shape[1]
    lags = min(MAX_LAGS, (size - MIN_POINTS) // 2)
    best = np.zeros((count, count))
    best_lag = np.zeros((count, count), dtype=np.int64)
    best_common = np.zeros((count, count))
    for lag in range(lags + 1):  # (a, b) at lag > 0: b follows a; the other order is the pair (b, a)
        coefficient, common = _at_lag(data, mask, lag)
        better = np.abs(coefficient) > np.abs(best) + (1e-9 if lag == 0 else 0.01)  # a later lag must earn it
        best = np.where(better, coefficient, best)
        best_lag = np.where(better, lag, best_lag)
        best_common = np.where(better, common, best_common)
    swapped = np.abs(best.T) > np.abs(best)  # the better of the two orders
    inflation = _inflation(data)
    tests = 2 * lags + 1
    pairs: list[tuple[float, int, int]] = []
    for a in range(count):
        for b in range(a + 1, count):
            first, second = (b, a) if swapped[a, b] else (a, b)
            common = best_common[first, second]
            effective = max(3.0, common / max(1.0, inflation[a, b]))
            size_of_effect = min(0.999999, abs(float(best[first, second])))
            z = math.atanh(size_of_effect) * math.sqrt(max(0.0, effective - 3.0))
            pairs.append((min(1.0, tests * two_sided_p(z)), first, second))
    chosen = [
        Correlation(
            metric_a=names[a],
            metric_b=names[b],
            coefficient=round(float(best[a, b]), 4),
            lag_ms=int(best_lag[a, b]) * step_ms,
            p_value=p,
            samples=int(best_common[a, b]),
        )
        for p, a, b in _discoveries(pairs)
        if abs(best[a, b]) >= MIN_COEFFICIENT
    ]
    chosen.sort(key=lambda found: (-abs(found.coefficient), found.metric_a, found.metric_b))
    return chosen[:limit]


def _at_lag(data: Matrix, mask: Matrix, lag: int) -> tuple[Matrix, Matrix]:
    """Correlation of every row a with every row b read `lag` buckets later, and the number of common buckets."""
    size = data.shape[1] - lag
    x, y, u, v = data[:, :size], data[:, lag:], mask[:, :size], mask[:, lag:]
    common = u @ v.T
    n = np.maximum(common, 1.0)
    mean_x, mean_y = (x @ v.T) / n, (u @ y.T) / n
    variance_x = np.maximum((x * x) @ v.T / n - mean_x**2, 0.0)
    variance_y = np.maximum(u @ (y * y).T / n - mean_y**2, 0.0)
    scale = np.sqrt(variance_x * variance_y)
    usable = (common >= MIN_POINTS) & (scale > 1e-6)
    coefficient = ((x @ y.T) / n - mean_x * mean_y) / np.where(usable, scale, 1.0)
    return np.where(usable, np.clip(coefficient, -1.0, 1.0), 0.0), common


def _inflation(data: Matrix) -> Matrix:
    """n / n_eff of every pair: 1 + 2 sum over lags of the products of both autocorrelations."""
    size = data.shape[1]
    spectrum = np.fft.rfft(data, 2 * size)
    own = np.fft.irfft(np.abs(spectrum) ** 2)[:, : max(2, size // 4)]
    own = own / own[:, :1]
    own[:, 0] = 0.0
    result: Matrix = 1.0 + 2.0 * np.maximum(own, 0.0) @ np.maximum(own, 0.0).T
    return result


def _discoveries(pairs: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """Benjamini-Hochberg: the pairs up to the last rank k with p_(k) <= FALSE_DISCOVERIES k / m."""
    ordered = sorted(pairs)
    kept = 0
    for rank, (p, _, _) in enumerate(ordered, 1):
        if p <= FALSE_DISCOVERIES * rank / len(ordered):
            kept = rank
    return ordered[:kept]
