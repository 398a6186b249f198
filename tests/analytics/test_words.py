from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.words import apart, difference, duration, hour_of_day, number


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(12.3456, "V", "12.35 V"), (-0.04, "°C", "0.0 °C"), (84.6, "%", "85 %"), (1234.5678, None, "1235"),
     (0.012345, None, "0.0123"),
     (1e300, "W", "1e+300 W"), (0, None, "0"), (1.0, None, "1"), (100, None, "100"), (1e-9, "x", "1e-09 x"),
     (1500, "rpm", "1500 rpm")],
)  # fmt: skip
def test_numbers_are_rounded_for_their_unit(value: float, unit: str | None, text: str) -> None:
    assert number(value, unit) == text


@given(st.floats(-1e307, 1e307))
def test_the_number_read_back_is_near(value: float) -> None:
    assert float(number(value, None)) == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize(
    ("span_ms", "text"),
    [(0, "a moment"), (90_000, "90 s"), (25 * 60_000, "25 min"), (3.5 * 3_600_000, "3.5 h"), (20 * 3_600_000, "20 h"),
     (50 * 3_600_000, "2.1 days")],
)  # fmt: skip
def test_spans(span_ms: float, text: str) -> None:
    assert duration(span_ms) == text


def test_hours_of_the_day() -> None:
    assert hour_of_day(1_700_000_000_000) == "22:13 UTC"


def test_a_difference_of_temperatures_is_marked_by_a_narrow_space() -> None:
    assert difference(67.2, "%") == "67 %"
    assert difference(-3.04, "°C") == "-3.0\u202f°C"
    assert difference(1234.5678, None) == "1235"


def test_two_numbers_that_are_compared_are_told_apart() -> None:
    assert apart(10, 11, None) == ("10", "11")
    assert apart(10, 10.0001, None) == ("10", "10.0001")
    assert apart(8, 8.04, "°C") == ("8.00 °C", "8.04 °C")
    assert apart(0, -0.001, "V") == ("0.000 V", "-0.001 V")
    assert apart(999.96, 1000, None) == ("999.96", "1000")
    assert apart(2e7, 2e7 + 1, "W") == ("20000000 W", "20000001 W")
    assert apart(10, 10, "V") == ("10.00 V", "10.00 V")
