"""Evidence: bounded, honest about gaps, and what moved along is named."""

from __future__ import annotations

import json

import numpy as np

from analytics.evidence import NAMED, POINTS, co_moving, evidence, thinned

NOW = 1_790_000_000_000


def samples(values: np.ndarray, step_ms: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """The last one now."""
    return NOW - step_ms * np.arange(len(values), dtype=np.int64)[::-1], values


def test_the_course_begins_before_it_and_keeps_peaks() -> None:
    values = np.sin(np.arange(7200) / 300)
    values[6000] = 50.0
    made = evidence(*samples(values), "m", NOW - 1_800_000, NOW)
    (series,) = made["series"]
    assert (series["metric"], len(series["values"])) == ("m", POINTS)
    assert 50.0 in series["values"]
    assert series["timestamps"][0] <= (NOW - 3_500_000) / 1000
    assert made["coverage"] > 0.99
    json.dumps(made, allow_nan=False)


def test_gaps_lower_the_coverage_and_nothing_is_none() -> None:
    times, values = samples(np.ones(3600))
    kept = (times < NOW - 2_400_000) | (times > NOW - 600_000)
    assert 0.4 < evidence(times[kept], values[kept], "m", NOW - 1_800_000, NOW)["coverage"] < 0.6
    none = evidence(times[:0], values[:0], "m", NOW, NOW)
    assert none["coverage"] == 0.0
    assert none["series"][0]["values"] == []


def test_few_samples_are_shown_as_they_are() -> None:
    times, values = samples(np.arange(5.0))
    assert thinned(times, values)[1].tolist() == [0, 1, 2, 3, 4]


def test_what_moved_along() -> None:
    dice = np.random.default_rng(2)
    at_ms = NOW - 600_000
    around = {}
    for number in range(10):
        times, values = samples(dice.normal(20, 0.1, 1500))
        around[f"m{number}"] = (times, values + number * 0.5 * (times >= at_ms))
    around["still"] = samples(np.full(1500, 7.0))
    around["few"] = samples(np.arange(4.0))
    found = co_moving(around, "m9", at_ms)
    assert [each["metric"] for each in found] == ["m8", "m7", "m6", "m5", "m4"]
    assert len(found) == NAMED
    assert found[0]["shift"] == np.float64(found[0]["shift"])
    assert abs(found[0]["shift"] - 4) < 0.05
    assert co_moving({"m": around["m0"], "still": around["still"]}, "x", at_ms) == []


def test_one_sample_says_nothing_of_how_often_it_was_measured() -> None:
    times, values = samples(np.ones(2))
    assert "coverage" not in evidence(times[1:], values[1:], "m", NOW, NOW)
    assert evidence(times, values, "m", NOW, NOW)["coverage"] > 0.99
