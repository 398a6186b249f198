from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from msgspec import to_builtins

from analytics.catalogue import MetricSpec
from analytics.local_time import UTC_TIME, LocalTime
from analytics.periods import Period
from analytics.records import Pattern
from analytics.regularities import Regularities, patterns_of, regularities, short_period_patterns
from analytics.trend import direction

Noise = Callable[[str, int], np.ndarray]
HOUR = 3_600_000
MONDAY = 19_723 * 24 * HOUR  # 2024-01-01
SPEC = MetricSpec(unit="W", title="Load")


def hours(count: int, start: int = MONDAY) -> np.ndarray:
    return start + np.arange(count, dtype=np.int64) * HOUR


def told(times: np.ndarray, values: np.ndarray, local: LocalTime = UTC_TIME) -> list[Pattern]:
    found = regularities(times, values, local)
    patterns = patterns_of("load", times, values, SPEC, found, now_ms=int(times[-1]), local=local)
    assert len({pattern.pattern_id for pattern in patterns}) == len(patterns)
    for pattern in patterns:
        json.dumps(to_builtins(pattern), allow_nan=False)
        assert set(pattern.data) >= {"strength", "support", "predicts", "last_error", "error_without"}
        assert 0 <= pattern.data["strength"] <= 1
        assert 0 <= pattern.confidence <= 1
    return patterns


def test_a_day_says_what_it_predicts_and_how_well_that_did(noise: Noise) -> None:
    times = hours(240)
    [daily] = told(times, 100 + 50 * np.sin((times // HOUR % 24 - 9) / 12 * np.pi) + 5 * noise("white", 240))
    assert (daily.pattern_type, daily.frequency, daily.prediction_window) == ("cyclical", "daily", "24 hours")
    assert "highest around 15:00" in daily.description
    assert daily.data["support"] == "10 days"
    assert daily.data["last_error"] < 0.3 * daily.data["error_without"]


@pytest.mark.parametrize("zone", ["America/Denver", "Europe/Berlin", "Australia/Lord_Howe"])
def test_days_are_the_coachs_also_across_a_change_of_the_clocks(zone: str, noise: Noise) -> None:
    """A furnace that comes on at 7 by the wall clock, three weeks around the change in spring."""
    month = 10 if zone.startswith("Australia") else 3
    start = int(datetime(2025, month, 1 if month == 10 else 16, tzinfo=UTC).timestamp()) * 1000
    if zone == "America/Denver":
        start -= 14 * 24 * HOUR
    local = LocalTime(ZoneInfo(zone))
    times = start + np.arange(21 * 48, dtype=np.int64) * (HOUR // 2)
    clock = local.wall(times) // HOUR % 24
    patterns = told(times, 20.0 + 5 * (clock == 7) + 0.3 * noise("white", len(times)), local)
    [daily] = [each for each in patterns if each.frequency == "daily"]
    assert daily.data["peak_hour"] == 7
    assert daily.data["r2"] > 0.9
    by_utc = [each for each in told(times, 20.0 + 5 * (clock == 7)) if each.frequency == "daily"]
    assert not by_utc or by_utc[0].data["r2"] < daily.data["r2"]


def test_a_week_is_told_beside_its_days(noise: Noise) -> None:
    times = hours(24 * 35)
    free = times // (24 * HOUR) % 7 >= 5  # the epoch's Tuesday and Wednesday
    values = 100 + 30 * np.sin(times // HOUR % 24 / 12 * np.pi) + 60 * free + 5 * noise("white", len(times))
    daily, weekly = told(times, values)
    assert (daily.frequency, weekly.frequency) == ("daily", "weekly")
    assert weekly.data["peak_day"] in ("Tuesday", "Wednesday")
    assert weekly.data["support"] == "5 weeks"
    assert weekly.data["last_error"] < weekly.data["error_without"]


def test_another_period_in_words(noise: Noise) -> None:
    times = hours(500)
    patterns = told(times, 10 * np.sin(times / HOUR / 31 * 2 * np.pi) + noise("white", 500))
    [period] = patterns
    assert period.frequency == "every 31 h"
    assert period.data["period_hours"] == pytest.approx(31, rel=0.02)
    assert period.data["last_error"] < 0.4 * period.data["error_without"]


def test_a_compressor_in_two_hours(noise: Noise) -> None:
    times = MONDAY + 10_000 * np.arange(720, dtype=np.int64)
    values = 4 + 2.0 * (times // 10_000 % 90 < 30) + 0.2 * noise("white", 720)
    [found] = short_period_patterns("fridge", times, values, SPEC, now_ms=int(times[-1]))
    assert found.frequency == "every 15 min"
    assert found.data["cycles"] == 8.0


def test_a_trend_and_a_new_level(noise: Noise) -> None:
    times = hours(300)
    [rise] = told(times, 50 + times.astype(float) / HOUR % 1e4 / 10 + noise("white", 300))
    assert (rise.pattern_type, rise.frequency) == ("trending", None)
    assert "rises by" in rise.description
    assert rise.data["last_error"] < rise.data["error_without"]
    [level] = told(times, np.where(np.arange(300) < 200, 13.0, 11.0) + 0.1 * noise("white", 300))
    assert level.pattern_type == "baseline"
    assert "has a new level: 11 W since 08:00" in level.description
    assert level.data["last_error"] < 0.2 * level.data["error_without"]


@pytest.mark.parametrize("kind", ["white", "t3", "ar0.9", "ar0.95", "walk"])
@pytest.mark.parametrize("count", [168, 720])
def test_noise_has_no_patterns(noise: Noise, kind: str, count: int) -> None:
    found = [pattern for _ in range(25) for pattern in told(hours(count), noise(kind, count))]
    assert len(found) <= (2 if kind in ("walk", "ar0.95") else 1)


def test_ids_are_stable_and_apart(noise: Noise) -> None:
    times = hours(24 * 35)
    free = times // (24 * HOUR) % 7 >= 5
    values = 30 * np.sin(times // HOUR % 24 / 12 * np.pi) + 60 * free + noise("white", len(times))
    ids = [pattern.pattern_id for pattern in told(times, values)]
    assert len(set(ids)) == len(ids) == 2
    assert ids == [pattern.pattern_id for pattern in told(times, values + noise("white", len(times)))]


@pytest.mark.parametrize(("span_hours", "step_minutes"), [(24, 2), (168, 15), (12, 1)])
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_one_period_is_told_once_and_by_itself(span_hours: int, step_minutes: int, share: float, noise: Noise) -> None:
    """Seventy minutes are no whole number of quarter hours, three times seventy are."""
    count = span_hours * 60 // step_minutes
    fine = np.arange(count * 20).reshape(count, 20) * step_minutes / 20
    times = MONDAY + np.arange(count, dtype=np.int64) * step_minutes * 60_000
    ids = set()
    for _ in range(3):
        [period] = told(times, 20 + 5.0 * (fine / 70 % 1 < share).mean(axis=1) + 0.3 * noise("white", count))
        assert period.data["period_hours"] == pytest.approx(70 / 60, rel=0.01)
        ids.add(period.pattern_id)
    assert len(ids) == 1


@pytest.mark.parametrize("minutes", [(7, 18), (70, 83), (190, 330)])
def test_two_periods_have_two_ids_whichever_comes_first(minutes: tuple[int, int]) -> None:
    times = MONDAY + np.arange(12_000, dtype=np.int64) * 60_000
    values = sum(np.sin(times / 60_000 / each * 2 * np.pi) for each in minutes)
    periods = tuple(Period(each * 60_000.0, 0.5, 0.5, 12_000 / each) for each in minutes)
    seen = []
    for some in (periods, periods[::-1]):
        found = Regularities(None, None, some, direction(times, values))
        patterns = patterns_of("load", times, values, SPEC, found, now_ms=int(times[-1]), local=UTC_TIME)
        seen.append({each.frequency: each.pattern_id for each in patterns if each.pattern_type == "cyclical"})
    assert seen[0] == seen[1]
    assert len(set(seen[0].values())) == len(seen[0]) == 2


def test_a_cycle_that_has_ended_or_says_little_is_not_told(noise: Noise) -> None:
    times = hours(240)
    faint = np.sin(times // HOUR % 24 / 12 * np.pi) + 1.6 * noise("white", 240)
    ended = np.where(np.arange(240) < 192, 3 * faint, 50.0)
    for values in (faint, ended):
        for pattern in told(times, values):
            if pattern.pattern_type == "cyclical":
                assert pattern.data["r2"] >= 0.5 or pattern.data["last_error"] < pattern.data["error_without"]


def test_one_step_of_a_coarse_sensor_is_no_new_level() -> None:
    times = hours(100)
    values = np.where(np.arange(100) < 60, 51.0, 50.0)
    tank = MetricSpec(unit="%", role="fresh_tank")
    found = regularities(times, values, UTC_TIME)
    assert found.trend.direction == "down"
    assert patterns_of("tank", times, values, tank, found, now_ms=int(times[-1]), local=UTC_TIME) == []
    assert [pattern.pattern_type for pattern in told(times, values)] == ["baseline"]


@pytest.mark.parametrize("every", [6, 8, 42])
def test_what_divides_a_day_or_a_week_is_named_itself(every: int, noise: Noise) -> None:
    times = hours(24 * 30)
    values = 10 * np.sin(times / HOUR / every * 2 * np.pi) + 3 * noise("white", len(times))
    assert [pattern.frequency for pattern in told(times, values)] == [
        f"every {every}.0 h" if every < 10 else "every 42 h"
    ]


def test_a_cycle_on_a_steep_drift_is_told(noise: Noise) -> None:
    times = hours(240)
    values = np.arange(240) * 0.5 + 10 * np.sin(times // HOUR % 24 / 12 * np.pi) + 3 * noise("white", 240)
    keep = np.sort(np.random.default_rng(5).permutation(240)[:168])
    cycles = [each for each in told(times[keep], values[keep]) if each.pattern_type == "cyclical"]
    assert [round(each.data["period_hours"]) for each in cycles] == [24]
