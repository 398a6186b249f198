from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.seasonal import DAY, HOUR_MS, _half_width, forecast_hours, hourly_grid
from tests.accuracy import forecasts as accuracy

Noise = Callable[[str, int], np.ndarray]
MIDNIGHT = 19_675 * 24 * HOUR_MS


def hours(count: int) -> np.ndarray:
    return MIDNIGHT + np.arange(count, dtype=np.int64) * HOUR_MS


def day(count: int) -> np.ndarray:
    return np.sin(np.arange(count) / 12 * np.pi)


def test_the_smoke_part_of_the_accuracy_table() -> None:
    rows = [row for rows in accuracy.measure(seed=99, count=90).values() for row in rows]
    ours, naive, held, _ = np.array(rows).mean(axis=0)
    assert ours <= 0.85 * naive
    assert 0.92 <= held <= 0.985


def test_a_cycle_goes_on_within_its_interval(noise: Noise) -> None:
    series = 20 + 5 * day(15 * DAY) + 0.3 * noise("white", 15 * DAY)
    found = forecast_hours(hours(14 * DAY), series[: 14 * DAY])
    assert found is not None
    assert found.at_ms.tolist() == hours(15 * DAY)[14 * DAY :].tolist()
    assert np.abs(found.values - (20 + 5 * day(15 * DAY))[14 * DAY :]).max() < 0.6
    assert ((found.low <= series[14 * DAY :]) & (series[14 * DAY :] <= found.high)).mean() > 0.85
    assert found.error < found.naive_error
    assert found.days == 11


def test_a_week_is_used_when_it_helps(noise: Noise) -> None:
    at = np.arange(43 * DAY)
    series = day(len(at)) * np.where(at // DAY % 7 >= 5, 0.1, 1.0) - 3.0 * (at // DAY % 7 >= 5)
    series = series + 0.05 * noise("white", len(at))
    found = forecast_hours(hours(42 * DAY), series[: 42 * DAY])
    assert found is not None
    assert "week" in found.method
    assert np.abs(found.values - series[42 * DAY :]).max() < 0.4


def test_nights_without_sun_stay_narrow(noise: Noise) -> None:
    sun = np.maximum(0, -day(20 * DAY)) * 100 * (0.7 + 0.2 * noise("white", 20).repeat(DAY))
    found = forecast_hours(hours(20 * DAY), sun)
    assert found is not None
    width = found.high - found.low
    assert width[:10].max() < 0.5 * width[13:22].min()


def test_a_past_that_was_foretold_without_error_leaves_no_doubt() -> None:
    assert _half_width(np.zeros((5, DAY))).tolist() == [0.0] * DAY


def test_holes_are_filled_by_what_the_hour_usually_is(noise: Noise) -> None:
    series = 20 + 5 * day(10 * DAY)
    keep = np.ones(len(series), dtype=bool)
    keep[60:72] = False
    laid_out = hourly_grid(hours(len(series))[keep], series[keep])
    assert laid_out is not None
    assert laid_out[1][60:72] == pytest.approx(series[60:72], abs=1.0)
    keep[50:200] = False
    assert hourly_grid(hours(len(series))[keep], series[keep]) is None


@pytest.mark.parametrize("values", [[], [1.0], [4.0] * 200, list(range(60))])
def test_too_little_to_choose_and_to_test(values: list[float]) -> None:
    assert forecast_hours(hours(len(values)), np.array(values, dtype=np.float64)) is None


def test_samples_of_any_cadence_are_put_into_hours() -> None:
    times = MIDNIGHT + np.arange(8 * 96, dtype=np.int64) * 900_000
    found = forecast_hours(times, np.sin(np.arange(8 * 96) / 48 * np.pi))
    assert found is not None
    assert int(found.at_ms[0]) == int(times[-1]) // HOUR_MS * HOUR_MS + HOUR_MS
