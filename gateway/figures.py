"""Figures of buckets: means, and quantiles weighted by samples. Pure; finite in, finite out, however large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.models import Buckets, Values


def means(buckets: Buckets) -> Values:
    """The mean of each bucket, shape (n,). Held within the bucket's own range: the sum of huge values is not exact."""
    middles = buckets.minimum / 2 + buckets.maximum / 2
    raw = buckets.total / buckets.count
    result: Values = np.clip(np.where(np.isfinite(raw), raw, middles), buckets.minimum, buckets.maximum)
    return result


def weighted_quantiles(values: Values, weights: NDArray[np.int64], fractions: tuple[float, ...]) -> list[float]:
    """For each fraction the smallest value at which that share of the weight is reached. `values` is not empty."""
    order = np.argsort(values)
    shares = np.cumsum(weights[order]) / weights.sum()
    places = np.minimum(np.searchsorted(shares, np.array(fractions) - 1e-12), len(values) - 1)
    return [float(value) for value in values[order][places]]
