"""Signs: when they are told and stay, what confidence they carry, and bounded evidence."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_sign import POINTS, Sign, confidence, mean, quantile, series
from analytics.coach_view import CoachView
from analytics.records import FindingKind

from .coach_days import START_MS, Days


@pytest.fixture
def view(shipped_catalogue: Catalogue) -> CoachView:
    return Days(3).view(shipped_catalogue)


def sign(view: CoachView, **changes: object) -> Sign:
    track = view.first("battery_soc")
    assert track is not None
    members = {"kind": FindingKind.PARASITIC, "track": track, "strength": 1.2, "span": view.last(5), "value": 50.0}
    return Sign(**(members | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strength", "cover", "told", "holds"),
    [(1.0, 1, False, True), (0.9, 1, False, False), (0.9, 1, True, True), (0.6, 1, True, False), (9, 0.4, True, False)],
)
def test_it_takes_more_to_begin_than_to_stay(
    view: CoachView, strength: float, cover: float, told: bool, holds: bool
) -> None:
    assert sign(view, strength=strength, cover=cover).holds(told=told) == holds


def test_confidence_rises_with_strength_and_coverage() -> None:
    assert confidence(1.0, 1.0) == 0.88
    assert confidence(2.0, 1.0) == pytest.approx(0.95, abs=0.001)
    assert confidence(1.0, 0.5) < confidence(1.0, 0.8) < confidence(1.0, 1.0) < confidence(50, 1.0) < 1


def test_a_finding_says_since_when_and_is_safe(view: CoachView) -> None:
    finding = sign(view, strength=1e9, numbers={"left": 3.00000001}, facts={"usual": "3 A"}).finding(view)
    assert finding.at_ms == START_MS + 3 * 86_400_000
    assert finding.start_ms == finding.at_ms - 5 * 3_600_000
    assert (finding.metric, finding.samples, finding.score) == ("battery.house.soc", 60, 100.0)
    assert finding.evidence["left"] == 3.0
    assert finding.evidence["coverage"] == 1.0
    json.dumps(finding.evidence, allow_nan=False)


def test_a_series_is_bounded_and_begins_before_the_span(view: CoachView) -> None:
    track = view.first("battery_soc")
    assert track is not None
    shown = series(view, track, view.last(24))
    assert len(shown["values"]) <= POINTS
    assert shown["timestamps"][0] <= (view.now_ms - 47 * 3_600_000) / 1000
    assert shown["timestamps"] == sorted(shown["timestamps"])
    whole = series(view, track, slice(0, view.slots))
    assert len(whole["values"]) <= POINTS  # most of these two weeks is unknown, and left out


def test_what_is_unlike_yesterday_is_named(shipped_catalogue: Catalogue) -> None:
    days = Days(4, 14)
    days.values["exterior.temperature"][days.last(3)] -= 25
    days.values["freezer.temperature"][days.last(3)] += 6
    view = days.view(shipped_catalogue)
    found = sign(view, span=view.last(2), track=view.first("battery_soc")).finding(view).evidence["co_moving"]
    assert {each["metric"] for each in found} == {"exterior.temperature", "freezer.temperature"}
    assert next(each["shift"] for each in found if each["metric"] == "freezer.temperature") == pytest.approx(6, abs=0.3)
    assert sign(view, span=slice(5, 20)).finding(view).evidence["co_moving"] == []


def test_means_and_quantiles_of_what_is_known() -> None:
    some = np.array([np.nan, 1.0, 2.0, 4.0])
    assert mean(some) == pytest.approx(7 / 3)
    for fraction in (0, 0.1, 0.5, 0.9, 1):
        assert quantile(some, fraction) == pytest.approx(np.quantile(some[1:], fraction))
    assert math.isnan(mean(some[:1]))
    assert math.isnan(quantile(some[:0], 0.5))
