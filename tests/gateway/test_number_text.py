"""Numbers as JSON text: whatever goes in is read back bit for bit, whichever way it was written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.number_text import SLICE, seconds_text, values_text

RNG = np.random.default_rng(4)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
DECIMAL = st.builds(lambda whole, power: whole / 10**power, st.integers(-(10**12), 10**12), st.integers(0, 6))


def read(text: bytes) -> np.ndarray:
    found = json.loads(text)
    return np.array(found, dtype=np.float64)


def same_bits(values: np.ndarray) -> bool:
    return read(values_text(values)).tobytes() == values.tobytes()


@given(st.lists(FINITE | DECIMAL | st.just(-0.0), max_size=40))
def test_any_values(values: list[float]) -> None:
    assert same_bits(np.array(values, dtype=np.float64))


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, 5.0],
        [-0.0, -0.5, 12.25],
        [1e8, 1.0],
        [99_999_999.0, -99_999_999.0, 10_000.0, 9_999.0],
        [9_999.999, 10_000.001, -0.001],
        [5e-324, 1.7976931348623157e308],
        [0.1 + 0.2, 0.3],
        [],
    ],
)
def test_values_at_the_edges_of_each_way(values: list[float]) -> None:
    assert same_bits(np.array(values, dtype=np.float64))


@pytest.mark.parametrize("decimals", range(5))
def test_long_columns_of_decimals(decimals: int) -> None:
    assert same_bits(np.round(RNG.normal(0, 3_000, 2 * SLICE + 7), decimals))


def test_decimals_are_short() -> None:
    assert values_text(np.array([12.5, -3.25, 10_000.0])) == b"[12.50,-3.25,10000.00]"
    assert values_text(np.array([-1.0, 20.0])) == b"[-1,20]"
    assert values_text(np.array([1.0, 20.0])) == b"[   1,     20]"
    assert values_text(np.array([1.5, 20.0])) == b"[   1.5,   20.0]"
    assert values_text(np.array([1.25, 9999.99])) == b"[   1.25,9999.99]"


@pytest.mark.parametrize("decimals", range(4))
@pytest.mark.parametrize("most", [9_999.5, 10_000.5])
def test_columns_of_small_positive_decimals(decimals: int, most: float) -> None:
    assert same_bits(np.round(np.append(RNG.uniform(0, 9_999, 2 * SLICE + 7), [0.0, most]), decimals))


def test_a_column_may_change_its_ways_from_slice_to_slice() -> None:
    assert same_bits(np.concatenate([np.round(RNG.normal(0, 9, SLICE), 1), RNG.normal(0, 9, SLICE), np.zeros(3)]))


@given(st.lists(st.integers(0, 10**13 + 10**6), max_size=40))
def test_any_times(times_ms: list[int]) -> None:
    times = np.array(times_ms, dtype=np.int64)
    assert read(seconds_text(times)).tobytes() == (times / 1000).tobytes()


def test_times_of_this_century() -> None:
    times = np.cumsum(RNG.integers(1, 100_000, SLICE + 5)) + 1_790_000_000_000
    assert read(seconds_text(times)).tobytes() == (times / 1000).tobytes()
    assert seconds_text(times[:1] * 0 + 1_790_000_000_040) == b"[1790000000.040]"
