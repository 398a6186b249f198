"""One metric's trend: the grid its direction is told by, its answer, and the sentences about several."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import MetricSpec
from gateway.rest.metric_trend import FINE_POINTS, KEY_INSIGHTS, Asked, fine_step_ms, key_insights, trends
from gateway.steps import STEP_MS
from storage.grid import sum_up
from storage.models import Window

HOUR_MS = 3_600_000
SPEC = MetricSpec(pattern="a", title="Fresh water", unit="%")


def asked(name: str, values: np.ndarray, step_ms: int = 60_000) -> Asked:
    times = HOUR_MS + step_ms * np.arange(len(values))
    buckets = sum_up(Window(times, values.astype(float)), step_ms)
    return Asked(name, SPEC, None, buckets, buckets, None, int(times[-1]) + 1)


@pytest.mark.parametrize("hours", [1, 5, 24, 168, 10_000])
def test_the_fine_grid_has_a_bounded_number_of_points(hours):
    step_ms = fine_step_ms(hours * HOUR_MS)
    finer = [step for step in STEP_MS.values() if step < step_ms]
    assert all(hours * HOUR_MS // step > FINE_POINTS for step in finer)
    assert hours * HOUR_MS // step_ms <= FINE_POINTS or step_ms == max(STEP_MS.values())


def test_a_metric_without_samples_is_stable_and_says_why():
    answer = trends([Asked("a", SPEC, 7.0, None, None, None, HOUR_MS)])["a"]
    assert (answer["trend_direction"], answer["data_quality"], answer["data_points"]) == ("stable", "no_data", [])
    assert (answer["current_value"], answer["unit"]) == (7.0, "%")


def test_a_level_that_falls_goes_down_point_by_point():
    answer = trends([asked("a", np.linspace(80, 40, 60))])["a"]
    assert answer["trend_direction"] == "down"
    assert answer["change_percent"] == pytest.approx(-50, abs=2)
    assert [point["count"] for point in answer["data_points"]] == [1] * 60
    assert answer["current_value"] == pytest.approx(40)  # without a latest one: the last level


def test_the_sentences_name_the_largest_changes_first_and_are_few():
    some = [asked(f"m{n}", np.linspace(50, 60 + 5 * n, 60)) for n in range(8)]
    said = key_insights(some, trends(some), [])
    assert len(said) == KEY_INSIGHTS
    changes = [float(sentence.split(" by ")[1].removesuffix(" %")) for sentence in said]
    assert changes == sorted(changes, reverse=True)
    assert said[0].startswith("Fresh water went up by ")
