from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from msgspec import to_builtins

from analytics.catalogue import Catalogue, MetricSpec
from analytics.patterns import analyze, find_anomalies, overall_confidence

Noise = Callable[[str, int], np.ndarray]
STEP = 900_000
START = 19_675 * 86_400_000
WEEK = 672


def week(count: int = WEEK) -> np.ndarray:
    return START + np.arange(count, dtype=np.int64) * STEP


@pytest.mark.parametrize("kind", ["white", "ar0.9", "walk"])
def test_nothing_is_found_in_noise(noise: Noise, kind: str) -> None:
    series = {f"m{index}": (week(), noise(kind, WEEK)) for index in range(20)}
    found = analyze(series, START, Catalogue())
    assert len(found.patterns) <= (5 if kind == "walk" else 1)  # a walk does go somewhere now and then
    assert len(found.correlations) == len(found.anomalies) == 0
    assert len(found.predictions) <= 3


def test_what_is_there_is_found_and_safe_for_json(noise: Noise) -> None:
    outside = 15 + 8 * np.sin(np.arange(WEEK) / 48 * np.pi)
    rpm = noise("white", WEEK)
    rpm[500] += 40
    series = {
        "exterior.temperature": (week(), outside + 0.5 * noise("white", WEEK)),
        "tank.black.level": (week(), 5 + np.arange(WEEK) / 10 + 0.3 * noise("white", WEEK)),
        "strange": (week(), rpm),
        "light.on": (week(), (np.arange(WEEK) % 96 > 70) * 1.0),
    }
    catalogue = Catalogue(
        [
            MetricSpec(pattern="tank.*", unit="%", title="Tank", warn_high=85),
            MetricSpec(pattern="light.*", kind="state"),
        ]
    )
    found = analyze(series, START, catalogue)
    kinds = {(pattern.pattern_type, pattern.metric) for pattern in found.patterns}
    assert kinds == {("cyclical", "exterior.temperature"), ("trending", "tank.black.level")}
    [trend] = [pattern for pattern in found.patterns if pattern.pattern_type == "trending"]
    assert trend.description.startswith("Tank rises by 67 % in 7.0 days, from 5 % to 72 %")
    assert [(anomaly.metric, anomaly.at_ms) for anomaly in found.anomalies] == [("strange", int(week()[500]))]
    assert {one.metric for one in found.predictions} == {"exterior.temperature", "tank.black.level"}
    assert 0 < overall_confidence(found) <= 1
    for records in found:
        for record in records:
            json.dumps(to_builtins(record), allow_nan=False)
    again = analyze(series, START, catalogue)
    assert [pattern.pattern_id for pattern in again.patterns] == [pattern.pattern_id for pattern in found.patterns]


def test_partners_stand_in_the_patterns(noise: Noise) -> None:
    base = np.arange(WEEK) / 20 + noise("ar0.8", WEEK)
    found = analyze({"a": (week(), base), "b": (week(), 2 * base)}, START, Catalogue())
    assert [pattern.correlation_factors for pattern in found.patterns] == [("b",), ("a",)]


def test_what_is_switched_off_is_empty(noise: Noise) -> None:
    series = {"a": (week(), np.arange(WEEK) + noise("white", WEEK))}
    found = analyze(series, START, Catalogue(), patterns=False, correlations=False, anomalies=False, predictions=False)
    assert found == ([], [], [], [])
    assert overall_confidence(found) == 0.0
    assert analyze({}, START, Catalogue()) == ([], [], [], [])


@pytest.mark.parametrize(
    "values", [[], [1.0], [1.0, 2.0], [3.0] * 200, [1e300, -1e300] * 100, [1e308 * (i / 200) for i in range(200)]]
)
def test_degenerate_series(values: list[float]) -> None:
    array = np.array(values)
    found = analyze({"a": (week(len(values)), array), "b": (week(len(values)), array)}, START, Catalogue())
    for records in found:
        for record in records:
            json.dumps(to_builtins(record), allow_nan=False)


def test_an_anomaly_says_what_was_expected(noise: Noise) -> None:
    values = 20 + noise("white", WEEK)
    values[100:103] = 60
    [found] = find_anomalies("x.y", week(), values, MetricSpec(unit="°C"))
    assert (found.start_ms, found.end_ms, found.value) == (int(week()[100]), int(week()[102]), 60)
    assert found.expected_low < 20 < found.expected_high < 60
    assert found.severity == "high"
    assert found.description.startswith("X y was 60.0 °C at 01:00, far above its usual")


def test_holes_written_as_nan_are_holes(noise: Noise) -> None:
    values = 15 + 8 * np.sin(np.arange(WEEK) / 48 * np.pi) + 0.5 * noise("white", WEEK)
    whole = analyze({"a": (week(), values)}, START, Catalogue())
    values[::7] = np.nan
    values[300:330] = np.inf
    found = analyze({"a": (week(), values), "none": (week(), np.full(WEEK, np.nan))}, START, Catalogue())
    assert [pattern.pattern_id for pattern in found.patterns] == [pattern.pattern_id for pattern in whole.patterns]
    for records in found:
        for record in records:
            json.dumps(to_builtins(record), allow_nan=False)


@pytest.mark.parametrize(("intermittent", "told"), [(True, 0), (False, 1)])
def test_a_journey_is_no_anomaly_of_the_odometer(intermittent: bool, told: int) -> None:
    grown = np.zeros(WEEK)
    grown[400:404] = 20.0
    catalogue = Catalogue([MetricSpec(pattern="*", kind="counter", unit="km", intermittent=intermittent)])
    dice = np.random.default_rng(1).uniform(0, 0.01, WEEK)
    found = analyze({"odometer": (week(), np.cumsum(grown + dice))}, START, catalogue)
    assert len(found.anomalies) == told


def test_a_counter_is_looked_at_as_a_rate(noise: Noise) -> None:
    run_time = np.cumsum(np.maximum(0, np.sin(np.arange(WEEK) / 48 * np.pi)) * 0.25)
    run_time[400:] -= run_time[400]  # replaced
    catalogue = Catalogue([MetricSpec(pattern="*run_time", kind="counter", unit="h")])
    found = analyze({"generator.run_time": (week(), run_time)}, START, catalogue)
    [daily] = [pattern for pattern in found.patterns if pattern.frequency == "daily"]
    assert "h/h" in daily.description
    assert not [pattern for pattern in found.patterns if pattern.pattern_type == "trending"]
    assert {each.method.split(",")[0] for each in found.predictions} == {"its growth per hour"}
