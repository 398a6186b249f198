"""The codec: bit for bit, small where it can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from storage.codec import pack_integers, pack_values, unpack_integers, unpack_values


@given(arrays(np.int64, st.integers(0, 300)))
def test_integers_come_back_bit_for_bit(column: np.ndarray) -> None:
    assert unpack_integers(pack_integers(column)).tobytes() == column.tobytes()


@given(arrays(np.float64, st.integers(0, 300), elements=st.floats()))
def test_values_come_back_bit_for_bit(column: np.ndarray) -> None:
    assert unpack_values(pack_values(column)).tobytes() == column.tobytes()


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**62), 2**62), st.integers(1, 50))
def test_lines_that_wrap_around_come_back(first: int, step: int, size: int) -> None:
    line = [(first + index * step + 2**63) % 2**64 - 2**63 for index in range(size)]
    column = np.array(line, dtype=np.int64)
    assert unpack_integers(pack_integers(column)).tolist() == line


def test_a_regular_cadence_and_a_constant_cost_next_to_nothing() -> None:
    assert len(pack_integers(np.arange(1_790_000_000_000, 1_790_000_512_000, 1_000))) < 30
    assert len(pack_values(np.full(512, 12.8))) < 30


def test_quantised_noise_gets_small_and_random_bits_no_larger() -> None:
    rng = np.random.default_rng(1)
    noise = np.round(12.8 + np.cumsum(rng.normal(0, 0.01, 512)), 2)
    times = np.arange(512) * 1_000 + rng.integers(-30, 31, 512)
    assert len(pack_values(noise)) < 512
    assert len(pack_integers(times)) < 600
    assert len(pack_values(rng.integers(0, 2**62, 512).view(np.float64))) <= 512 * 8 + 1


def test_the_sign_of_zero_is_kept() -> None:
    column = np.array([-0.0] * 9)
    assert np.signbit(unpack_values(pack_values(column))).all()
    assert np.signbit(unpack_values(pack_values(np.array([0.0, -0.0, 0.0])))).tolist() == [False, True, False]


def test_what_comes_out_is_read_only_and_aligned() -> None:
    rng = np.random.default_rng(1)
    for column in (np.full(9, 1.0), np.round(rng.normal(size=500), 1), rng.normal(size=500)):
        out = unpack_values(pack_values(column))
        assert not out.flags.writeable
        assert out.flags.aligned


def test_other_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="not a column"):
        unpack_integers(b"X123")
