from __future__ import annotations

import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import robust

numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40)


@given(numbers)
def test_the_median_is_the_middle_and_never_overflows(values: list[float]) -> None:
    result = robust.median(np.array(values))
    assert min(values) <= result <= max(values)
    if max(map(abs, values)) < 1e100:
        assert result == pytest.approx(statistics.median(values), rel=1e-12, abs=1e-300)


@given(numbers, st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values: list[float], fraction: float) -> None:
    if max(map(abs, values)) < 1e100:
        expected = float(np.quantile(np.array(values), fraction))
        assert robust.quantile(np.array(values), fraction) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(numbers)
def test_scales_are_finite_and_not_negative(values: list[float]) -> None:
    array = np.array(values)
    scales = (robust.mad_sigma(array), *robust.side_scales(array, robust.median(array)))
    assert all(math.isfinite(scale) and scale >= 0 for scale in scales)


def test_mad_sigma_sees_the_deviation_of_a_normal_through_outliers(rng: np.random.Generator) -> None:
    values = rng.normal(10, 2, 4000)
    values[::10] = 1e6
    assert robust.mad_sigma(values) == pytest.approx(2.0, rel=0.25)


def test_each_side_has_its_own_scale(rng: np.random.Generator) -> None:
    values = np.abs(rng.normal(0, 1, 2000))
    values[:300] += 20  # high for 15 % of the time
    below, above = robust.side_scales(values, robust.median(values))
    assert above > 10 * below


def test_a_series_that_lies_still_has_no_scale() -> None:
    assert robust.mad_sigma(np.full(9, 4.2)) == 0.0
    assert robust.side_scales(np.full(9, 4.2), 4.2) == (0.0, 0.0)


@pytest.mark.parametrize(("number", "expected"), [(math.inf, robust.BIGGEST), (-math.inf, -robust.BIGGEST), (1.5, 1.5)])
def test_finite_numbers_come_back_and_infinite_ones_are_cut(number: float, expected: float) -> None:
    assert robust.finite(number) == expected
    assert robust.finite(math.nan) == 0.0


@given(st.floats())
def test_rounded_numbers_can_be_written_as_json(number: float) -> None:
    json.dumps(robust.rounded(number), allow_nan=False)


def test_large_numbers_are_rounded_to_whole_ones() -> None:
    assert [robust.rounded(each) for each in (1e9 + 5.4, -1234567.8, 999_999.96, 12.3456789)] == [
        1e9 + 5, -1234568.0, 1e6, 12.3457,
    ]  # fmt: skip
    assert robust.rounded(123_456.7, 4) == 123_457.0


def test_the_normal_tail_is_that_of_the_tables() -> None:
    assert robust.two_sided_p(1.959964) == pytest.approx(0.05, rel=1e-5)
    assert robust.two_sided_p(0.0) == 1.0


def test_autocorrelation_against_its_definition(rng: np.random.Generator) -> None:
    values = rng.normal(size=50)
    mean = values.mean()
    expected = sum((values[i] - mean) * (values[i + 2] - mean) for i in range(48)) / sum(
        (v - mean) ** 2 for v in values
    )
    assert robust.autocorrelation(values, 2) == pytest.approx(expected)
    assert robust.autocorrelation(np.ones(5)) == 0.0
    assert robust.autocorrelation(np.ones(1)) == 0.0


@given(numbers, st.sampled_from([1, 3, 5, 25]))
def test_the_running_median_against_brute_force(values: list[float], width: int) -> None:
    array = np.array(values)
    result = robust.rolling_median(array, width)
    half = min(width, len(array)) // 2
    assert len(result) == len(array)
    for index in range(half, len(array) - half):
        if half:
            assert result[index] == statistics.median(values[index - half : index + half + 1])


def test_samples_are_put_in_order_and_equal_times_keep_theirs() -> None:
    times, values = robust.rising(np.array([3, 1, 3, 2]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert times.tolist() == [1, 2, 3, 3]
    assert values.tolist() == [2.0, 4.0, 1.0, 3.0]
