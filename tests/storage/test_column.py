"""Columns on disk come back bit for bit, in the form that is smallest."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from storage.column import QUICK, TIGHT, ColumnError, pack_column, pack_times, unpack_column

FLOATS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)
CENTS = st.integers(-10_000, 10_000).map(lambda number: number / 100)


@given(arrays(np.float64, st.integers(1, 300), elements=st.one_of(FLOATS, CENTS)), st.sampled_from([QUICK, TIGHT]))
def test_values_come_back_bit_for_bit(values: np.ndarray, level: int) -> None:
    assert unpack_column(pack_column(values, level), "float64", len(values)).tobytes() == values.tobytes()


@given(arrays(np.int64, st.integers(1, 300), elements=st.integers(0, 2**52)), st.sampled_from([QUICK, TIGHT]))
def test_any_times_come_back(times: np.ndarray, level: int) -> None:
    times = np.unique(times)
    assert unpack_column(pack_times(times, level), "int64", len(times)).tolist() == times.tolist()


@given(
    st.integers(0, 2**50),
    st.floats(1, 1e8),
    st.lists(st.integers(-40, 40), min_size=64, max_size=400),
    st.integers(0, 10**9),
)
def test_times_along_a_line_with_a_gap_come_back(first: int, step: float, off: list[int], gap: int) -> None:
    times = first + np.rint(np.arange(len(off)) * step).astype(np.int64) + np.array(off)
    times[len(off) // 2 :] += gap
    assert unpack_column(pack_times(times, TIGHT), "int64", len(times)).tolist() == times.tolist()


def test_the_signs_of_zero_and_denormals_survive() -> None:
    values = np.array([0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308] * 50)
    assert unpack_column(pack_column(values, TIGHT), "float64", len(values)).tobytes() == values.tobytes()


def test_jitter_around_a_schedule_is_stored_once() -> None:
    rng = np.random.default_rng(1)
    times = 1_790_000_000_000 + np.arange(8_640) * 10_000 + rng.integers(-30, 31, 8_640)
    packed = pack_times(times, TIGHT)
    assert packed[:1] == b"L"
    assert len(packed) / len(times) < 0.78  # log2(61) / 8 = 0.74; plain differences: 0.85


def test_a_cadence_that_drifts_is_stored_as_differences() -> None:
    rng = np.random.default_rng(1)
    times = 1_790_000_000_000 + np.cumsum(10_000 + rng.integers(-30, 31, 8_640))
    packed = pack_times(times, TIGHT)
    assert packed[:1] == b"P"
    assert len(packed) / len(times) < 0.78


def test_a_thousand_thirds_of_a_second_are_a_line() -> None:
    times = 1_790_000_000_000 + np.rint(np.arange(4_096) * (1000 / 3)).astype(np.int64)
    assert len(pack_times(times, TIGHT)) < 1_100


def test_one_item_and_noise_are_not_made_larger_than_they_are() -> None:
    for column in (np.array([0.1]), np.random.default_rng(1).random(3)):
        packed = pack_column(column, TIGHT)
        assert packed[:1] == b"R"
        assert len(packed) == 1 + column.nbytes


@pytest.mark.parametrize(
    ("blob", "dtype", "size"),
    [
        (b"", "int64", 1),
        (b"X1234", "int64", 1),
        (b"P1234", "int64", 1),
        (b"L12", "int64", 1),
        (b"L" + struct.pack("<qd", 0, 1e300) + pack_column(np.arange(100), TIGHT)[1:], "int64", 100),
        (b"R1234", "int64", 1),
        (b"R" + bytes(16), "int64", 1),
        (pack_column(np.arange(100), TIGHT), "float64", 100),
        (pack_column(np.arange(100), TIGHT), "int64", 99),
    ],
)
def test_what_is_not_such_a_column(blob: bytes, dtype: str, size: int) -> None:
    with pytest.raises(ColumnError):
        unpack_column(blob, dtype, size)
