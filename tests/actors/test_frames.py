"""Records as JSON members: every member of the contract, nothing that JSON cannot hold."""

from __future__ import annotations

import json

from actors.frames import correlation_frame, insight_frame, pattern_frame, prediction_frame
from analytics.records import Action, Correlation, Insight, Pattern, Prediction

INSIGHT = Insight(
    insight_id="i1",
    key="limit:fridge",
    title="The fridge is warm",
    description="12.5 °C for 20 minutes",
    category="reliability",
    severity="high",
    confidence=0.93333333,
    impact_score=0.7,
    created_at_ms=1_700_000_000_500,
    updated_at_ms=1_700_000_001_000,
    expires_at_ms=None,
    recommendations=("Close the door",),
    actions=(Action("Close the door", "inspect", "keeps the food", "high"),),
    evidence={"value": 12.5},
    metric="fridge",
)


def test_an_insight_has_the_members_the_dashboard_reads():
    frame = insight_frame(INSIGHT)
    assert frame["created_at"] == 1_700_000_000.5
    assert frame["expires_at"] is None
    assert frame["recommendations"] == ["Close the door"]
    assert frame["actions"][0]["estimated_impact"] == "keeps the food"
    assert frame["confidence"] == 0.9333
    assert json.loads(json.dumps(frame)) == frame


def test_a_pattern_always_has_its_list_of_factors():
    pattern = Pattern("p1", "cyclical", "soc", "daily", 0.8, "daily", (), None, 1_700_000_000_000)
    frame = pattern_frame(pattern)
    assert frame["correlation_factors"] == []
    assert frame["created_at"] == 1_700_000_000.0
    assert json.loads(json.dumps(frame)) == frame


def test_correlations_and_predictions_are_plain_numbers():
    correlation = correlation_frame(Correlation("a", "b", -0.876543, 90_000, 1.23456e-9, 200))
    assert correlation["lag_seconds"] == 90.0
    assert correlation["p_value"] == 1.23e-9
    prediction = prediction_frame(Prediction("a", 1_700_000_000_000, 1.23457, 1.0, 1.5, 0.9, "trend"))
    assert prediction["value"] == 1.23457
    assert prediction["timestamp"] == 1_700_000_000.0
