from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analytics.catalogue import MetricSpec
from analytics.cycle import DAY_MS, daily_cycle
from analytics.forecast import predictions
from analytics.records import Prediction
from analytics.trend import direction

Noise = Callable[[str, int], np.ndarray]
STEP = 900_000
MIDNIGHT = 19_675 * DAY_MS
WEEK = 672


def times(count: int) -> np.ndarray:
    return MIDNIGHT + np.arange(count, dtype=np.int64) * STEP


def forecast(values: np.ndarray, spec: MetricSpec | None = None) -> list[Prediction]:
    at = times(len(values))
    return predictions(
        "m",
        at,
        values,
        trend=direction(at, values),
        cyclical=daily_cycle(at, values) is not None,
        spec=spec or MetricSpec(),
    )


@pytest.mark.parametrize("level", [0.0, 20.0, 1e9])
def test_the_ends_of_an_interval_differ_however_large_the_level(noise: Noise, level: float) -> None:
    found = forecast(level + 5 * np.sin(times(WEEK) / DAY_MS * 2 * np.pi) + 0.5 * noise("white", WEEK))
    assert len(found) == 3
    for each in found:
        assert each.low < each.value < each.high
        assert len(f"{each.high:.15g}") <= (14 if level == 1e9 else 10)


@pytest.mark.parametrize("kind", ["white", "ar0.9", "walk"])
def test_noise_has_no_forecast(noise: Noise, kind: str) -> None:
    assert sum(bool(forecast(noise(kind, WEEK))) for _ in range(20)) <= (3 if kind == "walk" else 0)


def covered(make: Callable[[int], np.ndarray]) -> float:
    hits: list[bool] = []
    for _ in range(25):
        values = make(WEEK + 96)
        for found in forecast(values[:WEEK]):
            truth = values[(found.at_ms - MIDNIGHT) // STEP]
            hits.append(found.low <= truth <= found.high)
    assert len(hits) > 40
    return float(np.mean(hits))


def test_intervals_hold_the_truth(noise: Noise) -> None:
    """Nine in ten is the aim; what comes out must be near it."""
    assert covered(lambda count: np.arange(count) / 30 + noise("white", count)) >= 0.85
    assert covered(lambda count: 5 * np.sin(np.arange(count) / 48 * np.pi) + noise("ar0.6", count)) >= 0.85


def test_a_tank_is_forecast_to_reach_its_limit(noise: Noise) -> None:
    spec = MetricSpec(warn_low=15, critical_low=5, plausible_low=0, plausible_high=110)
    values = 80 - np.arange(210) * 0.28 + 0.3 * noise("white", 210)
    found = [one for one in forecast(values, spec) if one.method == "robust trend reaches limit"]
    [empty] = found
    truth = MIDNIGHT + (80 - 15) / 0.28 * STEP
    assert abs(empty.at_ms - truth) < 2 * 3_600_000
    assert empty.value == 15


def test_no_forecast_leaves_what_is_plausible(noise: Noise) -> None:
    spec = MetricSpec(plausible_low=0)
    for found in forecast(np.maximum(0, 50 - np.arange(300) * 0.17) + 0.01 * noise("white", 300), spec):
        assert 0 <= found.low <= found.value <= found.high


def test_the_profile_goes_on(noise: Noise) -> None:
    values = 20 + 5 * np.sin(np.arange(WEEK) / 48 * np.pi)
    one, six, day = forecast(values + 0.2 * noise("white", WEEK))
    assert [each.at_ms // 3_600_000 % 24 for each in (one, six, day)] == [0, 5, 23]
    assert six.method.startswith("hourly mean")
    assert six.value == pytest.approx(20 + 5 * np.sin(5.5 / 12 * np.pi), abs=0.5)
    assert six.low < six.value < six.high
    assert six.confidence == 0.95


@pytest.mark.parametrize("values", [np.zeros(0), np.ones(2), np.ones(300), np.arange(300) * 1e305])
def test_nothing_to_go_on_is_no_forecast(values: np.ndarray) -> None:
    assert forecast(values) == []


def level(role: str, **members: Any) -> MetricSpec:
    return MetricSpec(unit="%", role=role, plausible_low=-1, plausible_high=110, **members)


def test_a_fresh_tank_with_refills_runs_to_its_limits_and_empty(noise: Noise) -> None:
    at = MIDNIGHT + np.arange(480, dtype=np.int64) * 3_600_000
    values = 95 - (np.arange(480) * 0.6) % 70 + 0.2 * noise("white", 480)
    found = predictions(
        "tank", at, values, trend=direction(at, values), cyclical=True,
        spec=level("fresh_tank", warn_low=15, critical_low=5),
    )  # fmt: skip
    assert [each.value for each in found] == [15, 5, 0]
    assert [each.method.split(":")[0] for each in found] == ["time to limit", "time to limit", "time to empty"]
    for each in found:
        truth = int(at[-1]) + (values[-1] - each.value) / 0.6 * 3_600_000
        assert each.earliest_ms is not None
        assert each.latest_ms is not None
        assert each.earliest_ms <= truth <= each.latest_ms
        assert each.earliest_ms <= each.at_ms <= each.latest_ms
        assert each.confidence == 0.9


@pytest.mark.parametrize(("role", "name"), [("waste_tank", "full"), ("tank", "full")])
def test_a_tank_that_fills(role: str, name: str, noise: Noise) -> None:
    at = MIDNIGHT + np.arange(480, dtype=np.int64) * 3_600_000
    values = 5 + (np.arange(480) * 0.5) % 60
    found = predictions("tank", at, values, trend=direction(at, values), cyclical=False, spec=level(role))
    assert [each.method.split(":")[0] for each in found] == [f"time to {name}"]


def test_a_battery_that_is_charged_each_day_has_no_end(noise: Noise) -> None:
    at = MIDNIGHT + np.arange(480, dtype=np.int64) * 3_600_000
    values = np.clip(80 + 15 * np.sin(np.arange(480) / 12 * np.pi), 0, 100)
    spec = level("battery_soc", warn_low=30, critical_low=15)
    by_hour = predictions("soc", at, values, trend=direction(at, values), cyclical=True, spec=spec)
    assert [each.earliest_ms for each in by_hour] == [None] * 3
    running_down = values - np.arange(480) * 0.06
    found = predictions("soc", at, running_down, trend=direction(at, running_down), cyclical=True, spec=spec)
    assert next(each.value for each in found if each.earliest_ms is not None) == 30


def test_what_was_never_negative_is_not_forecast_to_be(noise: Noise) -> None:
    values = 100 * np.maximum(0, np.sin(np.arange(WEEK) / 48 * np.pi)) * (0.7 + 0.2 * noise("white", 7).repeat(96))
    found = forecast(np.maximum(0, values))
    assert found
    assert min(each.low for each in found) >= 0
