"""Six significant digits, never coarser than a whole number, never NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.rounding import known, number, numbers, seconds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, 0.0),
        (13.123456789, 13.1235),
        (-0.000123456789, -0.000123457),
        (1234567.89, 1234568.0),
        (1e-300, 1e-300),
        (999999.96, 1000000.0),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_one_number(value: float | None, shown: float | None) -> None:
    assert number(value) == shown
    assert known(value if value is not None else math.nan) == (shown or 0.0)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
@example([100.2425, -100.2425, 2.5, 0.5, 999999.5, 1e-17 / 8])  # ties
def test_many_are_as_one(values: list[float]) -> None:
    shown = numbers(np.array(values, dtype=np.float64))
    assert all(math.isfinite(each) for each in shown)
    for value, each in zip(values, shown, strict=True):
        assert each == pytest.approx(value, rel=1e-5)
        assert each == pytest.approx(number(value) or 0.0, rel=1e-12)


def test_seconds_keep_their_milliseconds() -> None:
    assert seconds(np.array([1_760_000_000_123, 0])) == [1760000000.123, 0.0]
    assert numbers(np.empty(0)) == []
