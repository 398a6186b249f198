"""Figures of buckets. Pure; finite in, finite out, however large."""

from __future__ import annotations

import numpy as np

from storage.models import Buckets, Values


def means(buckets: Buckets) -> Values:
    """The mean of each bucket, shape (n,). Held within the bucket's own range: the sum of huge values is not exact."""
    middles = buckets.minimum / 2 + buckets.maximum / 2
    raw = buckets.total / buckets.count
    result: Values = np.clip(np.where(np.isfinite(raw), raw, middles), buckets.minimum, buckets.maximum)
    return result
