"""Figures of buckets stay within what was measured."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.figures import means, weighted_quantiles
from storage.models import Buckets


def buckets(total: float, low: float, high: float, count: int) -> Buckets:
    return Buckets(1_000, np.array([0]), np.array([count]), np.array([total]), np.array([low]), np.array([high]))


def test_a_mean() -> None:
    assert means(buckets(6.0, 1.0, 3.0, 3)).tolist() == [2.0]


def test_sums_beyond_a_double() -> None:
    assert means(buckets(1.797e308, 1.7e308, 1.7e308, 100)).tolist() == [1.7e308]
    assert means(buckets(float("nan"), -1.7e308, 1.7e308, 2)).tolist() == [0.0]


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 9)), min_size=1, max_size=30))
def test_weighted_quantiles_are_those_of_the_repeated_values(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs])
    weights = np.array([weight for _, weight in pairs])
    repeated = np.sort(np.repeat(values, weights))
    for fraction, found in zip((0.5, 0.95), weighted_quantiles(values, weights, (0.5, 0.95)), strict=True):
        assert found == repeated[int(np.ceil(fraction * len(repeated) - 1e-9)) - 1]
