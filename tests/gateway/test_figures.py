"""Figures of buckets stay within what was measured."""

from __future__ import annotations

import numpy as np

from gateway.figures import means
from storage.models import Buckets


def buckets(total: float, low: float, high: float, count: int) -> Buckets:
    return Buckets(1_000, np.array([0]), np.array([count]), np.array([total]), np.array([low]), np.array([high]))


def test_a_mean() -> None:
    assert means(buckets(6.0, 1.0, 3.0, 3)).tolist() == [2.0]


def test_sums_beyond_a_double() -> None:
    assert means(buckets(1.797e308, 1.7e308, 1.7e308, 100)).tolist() == [1.7e308]
    assert means(buckets(float("nan"), -1.7e308, 1.7e308, 2)).tolist() == [0.0]
