from __future__ import annotations

import json

import pytest
from msgspec import to_builtins

from analytics.baseline import Baseline
from analytics.cadence import Cadence
from analytics.catalogue import BadDirection, MetricSpec
from analytics.condition import Turn
from analytics.finding import anomaly_finding, finding, silent_finding
from analytics.judge import Verdict
from analytics.records import FindingKind


def test_a_limit_is_scored_in_bands() -> None:
    spec = MetricSpec(warn_low=15, critical_low=5, warn_high=90)
    found = finding("m", spec, None, FindingKind.LIMIT, Turn(2, "below", 1, 2, 0.0, 3))
    assert (found.score, found.level, found.over, found.direction) == (1.5, "critical", False, "below")
    assert (found.expected_low, found.expected_high) == (15, 90)
    lone = finding("m", spec, None, FindingKind.LIMIT, Turn(1, "above", 1, 2, 97.5, 1))
    assert lone.score == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("bad", "low", "high"), [("above", None, 214.0), ("below", -186.0, None), ("both", -186.0, 214.0)]
)
def test_a_side_that_is_not_judged_has_no_bound(bad: BadDirection, low: float | None, high: float | None) -> None:
    """A response time that is usually above -186 ms would be news to its reader."""
    baseline = Baseline()
    baseline.low, baseline.median, baseline.high = -186.0, 14.0, 214.0
    spec = MetricSpec(bad_direction=bad)
    found = finding("m", spec, baseline, FindingKind.DEVIATION, Turn(1, "above", 1, 2, 400.0, 3))
    assert (found.expected_low, found.expected_high) == (low, high)


def test_over_is_said() -> None:
    assert finding("m", MetricSpec(), None, FindingKind.LIMIT, Turn(0, "below", 1, 2, 0.0, 3)).over


@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 0.0])
@pytest.mark.parametrize("kind", list(FindingKind))
def test_scores_are_finite_whatever_the_value(value: float, kind: FindingKind) -> None:
    spec = MetricSpec(plausible_low=-1e-300, plausible_high=1e-300, warn_low=-1e-300, warn_high=1e-300)
    found = finding("m", spec, Baseline(), kind, Turn(1, "above", 1, 2, value, 0))
    json.dumps(to_builtins(found), allow_nan=False)
    assert found.samples == 1
    assert found.score >= 0


@pytest.mark.parametrize("kind", [FindingKind.SPIKE, FindingKind.STEP, FindingKind.DRIFT])
def test_what_left_its_band_is_told_with_the_band(kind: FindingKind) -> None:
    found = anomaly_finding("m", Verdict(kind, False, 1.0, 35.0, 18.0, 22.0, 7.0, 5.0, "above"), 2_000, 1)
    assert (found.value, found.expected_low, found.expected_high) == (35.0, 18.0, 22.0)


@pytest.mark.parametrize("kind", [FindingKind.SHAPE, FindingKind.STUCK, FindingKind.DRIFT])
def test_what_is_strange_within_its_band_is_told_without(kind: FindingKind) -> None:
    """A range that the value lies in would speak against the finding."""
    found = anomaly_finding("m", Verdict(kind, False, 1.0, 20.0, 18.0, 22.0, 7.0, 5.0, "none"), 2_000, 1)
    assert (found.value, found.expected_low, found.expected_high) == (20.0, None, None)


def test_silence() -> None:
    cadence = Cadence()
    for second in range(700):
        cadence.note(second * 1_000)
    found = silent_finding("m", cadence, 3.0, 819_000)
    assert (found.start_ms, found.at_ms, found.value, found.score, found.over) == (699_000, 819_000, 3.0, 2.0, False)
    again = silent_finding("m", cadence, None, 900_000, over_since_ms=699_000)
    assert (again.start_ms, again.over) == (699_000, True)
