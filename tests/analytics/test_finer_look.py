"""What a coarse grid shows of a fast cycle is not told; the finer look's period is."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue, MetricSpec
from analytics.finer_look import looked_at_again, told_a_period
from analytics.local_time import UTC_TIME
from analytics.patterns import analyze
from analytics.periods import find_periods
from analytics.regularities import regularities
from storage.grid import as_series, sum_up
from storage.models import Window

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NOW_MS = 1_700_006_400_000
CATALOGUE = Catalogue()


def wave(period_ms: int, days: int = 30) -> Window:
    times = np.arange(NOW_MS - days * DAY_MS, NOW_MS, 30_000, dtype=np.int64)
    noise = np.random.default_rng(3).normal(size=len(times))
    return Window(times, 20 + np.sin(2 * np.pi * times / period_ms) + 0.05 * noise)


@pytest.mark.parametrize("minutes", [17, 90])
def test_a_period_seen_through_the_grid_gives_way_to_the_real_one(minutes: int) -> None:
    window = wave(minutes * MINUTE_MS)
    patterns = analyze({"m": as_series(sum_up(window, HOUR_MS))}, NOW_MS, CATALOGUE).patterns
    assert told_a_period(patterns, CATALOGUE) == ["m"]
    newest = window.times >= NOW_MS - DAY_MS
    look = as_series(sum_up(Window(window.times[newest], window.values[newest]), 2 * MINUTE_MS))
    (pattern,) = looked_at_again(patterns, {"m": [look]}, CATALOGUE, NOW_MS, HOUR_MS)
    assert pattern.data["period_seconds"] == pytest.approx(minutes * 60, rel=0.01)


def test_a_period_that_the_finer_look_does_not_refute_stays() -> None:
    window = wave(5 * HOUR_MS)
    patterns = analyze({"m": as_series(sum_up(window, HOUR_MS))}, NOW_MS, CATALOGUE).patterns
    newest = window.times >= NOW_MS - DAY_MS
    look = as_series(sum_up(Window(window.times[newest], window.values[newest]), 2 * MINUTE_MS))
    assert looked_at_again(patterns, {"m": [look]}, CATALOGUE, NOW_MS, HOUR_MS) == patterns
    assert looked_at_again(patterns, {"m": []}, CATALOGUE, NOW_MS, HOUR_MS) == patterns


def test_rates_of_counters_are_not_looked_at_again() -> None:
    counts = parse_counter()
    patterns = analyze({"m": as_series(sum_up(wave(5 * HOUR_MS), HOUR_MS))}, NOW_MS, CATALOGUE).patterns
    assert patterns
    assert told_a_period(patterns, counts) == []


def parse_counter() -> Catalogue:
    return Catalogue([MetricSpec(pattern="m", kind="counter")])


@pytest.mark.parametrize("minutes", [10, 20, 40, 60, 120])
def test_what_goes_up_and_down_from_hour_to_hour_is_neither_a_period_nor_a_day(minutes: int) -> None:
    times, values = as_series(sum_up(wave(minutes * MINUTE_MS), HOUR_MS))
    found = regularities(times, values, UTC_TIME)
    assert (found.daily, found.weekly, found.periods) == (None, None, ())


def test_more_samples_than_the_grid_has_cells() -> None:
    window = wave(10 * MINUTE_MS, days=7)
    periods = find_periods(window.times, window.values)
    assert periods[0].period_ms == pytest.approx(10 * MINUTE_MS, rel=0.01)


RAMP = 100 - 80 * np.arange(8640) / 8640


@pytest.mark.parametrize("decimals", [0, 1, 3])
@pytest.mark.parametrize("days", [2, 7, 30])
def test_rounding_repeats_nothing(decimals: int, days: int) -> None:
    times = NOW_MS + 300_000 * np.arange(8640, dtype=np.int64)
    values = np.round(RAMP, decimals)
    some = slice(0, days * 288)
    assert find_periods(times[some], values[some]) == []
    assert find_periods(*as_series(sum_up(Window(times[some], values[some]), HOUR_MS))) == []


def test_what_is_coarse_and_repeats_is_still_told() -> None:
    times = NOW_MS + 300_000 * np.arange(8640, dtype=np.int64)
    day = np.sin(2 * np.pi * times / DAY_MS)
    for values in (np.round(20 + 1.2 * day), np.round(RAMP + 2 * day)):
        assert find_periods(times, values)[0].period_ms == pytest.approx(DAY_MS, rel=0.01)
    on_off = (np.arange(8640) % 9 < 4).astype(np.float64)
    assert find_periods(times, on_off)[0].period_ms == pytest.approx(9 * 300_000, rel=0.01)
