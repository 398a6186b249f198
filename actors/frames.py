"""Records as the JSON members that REST and WebSocket share: times become unix seconds, tuples become lists."""

from __future__ import annotations

from typing import Any

from analytics.action_state import Action
from analytics.records import Correlation, Insight, Pattern, Prediction
from storage.insight_marks import InsightMarks


def seconds(time_ms: int) -> float:
    """Unix milliseconds as unix seconds."""
    return time_ms / 1000


def insight_frame(insight: Insight) -> dict[str, Any]:
    """An insight with every member of the contract's `/insights` list."""
    return {
        "insight_id": insight.insight_id,
        "title": insight.title,
        "description": insight.description,
        "category": insight.category,
        "severity": insight.severity,
        "confidence": round(insight.confidence, 4),
        "impact_score": round(insight.impact_score, 4),
        "created_at": seconds(insight.created_at_ms),
        "updated_at": seconds(insight.updated_at_ms),
        "expires_at": None if insight.expires_at_ms is None else seconds(insight.expires_at_ms),
        "recommendations": list(insight.recommendations),
        "actions": [
            {
                "text": action.text,
                "action": action.action,
                "estimated_impact": action.estimated_impact,
                "severity": action.severity,
            }
            for action in insight.actions
        ],
        "evidence": dict(insight.evidence),
        "status": insight.status,
        "supporting_data": dict(insight.supporting_data),
        "metric": insight.metric,
    }


def alert_type(insight: Insight) -> str:
    """What an alert is about, the same word wherever it is told: the kind of finding behind it."""
    kind = insight.evidence.get("kind")
    return kind if isinstance(kind, str) and kind else "insight"


def alert_frame(insight: Insight) -> dict[str, Any]:
    """An open insight that cannot wait, as the WebSocket tells it."""
    return {
        "type": alert_type(insight),
        "insight_id": insight.insight_id,
        "metric": insight.metric,
        "severity": insight.severity,
        "message": insight.title,
        "recommendation": insight.recommendations[0] if insight.recommendations else None,
    }


def marked_frame(insight: Insight, marks: InsightMarks, now_ms: int) -> dict[str, Any]:
    """An insight as people see it: with what they have said to it."""
    return {**insight_frame(insight), **marks.members(insight, now_ms)}


def pattern_frame(pattern: Pattern) -> dict[str, Any]:
    """A pattern with every member of the contract's `/historical` list."""
    return {
        "pattern_id": pattern.pattern_id,
        "pattern_type": pattern.pattern_type,
        "metric": pattern.metric,
        "description": pattern.description,
        "confidence": round(pattern.confidence, 4),
        "frequency": pattern.frequency,
        "correlation_factors": list(pattern.correlation_factors),
        "prediction_window": pattern.prediction_window,
        "created_at": seconds(pattern.created_at_ms),
        "data": dict(pattern.data),
    }


def correlation_frame(correlation: Correlation) -> dict[str, Any]:
    return {
        "metric_a": correlation.metric_a,
        "metric_b": correlation.metric_b,
        "coefficient": round(correlation.coefficient, 4),
        "lag_seconds": seconds(correlation.lag_ms),
        "p_value": float(f"{correlation.p_value:.3g}"),
        "samples": correlation.samples,
    }


def prediction_frame(prediction: Prediction) -> dict[str, Any]:
    return {
        "metric": prediction.metric,
        "timestamp": seconds(prediction.at_ms),
        "value": prediction.value,
        "low": prediction.low,
        "high": prediction.high,
        "confidence": round(prediction.confidence, 4),
        "method": prediction.method,
        "earliest": None if prediction.earliest_ms is None else seconds(prediction.earliest_ms),
        "latest": None if prediction.latest_ms is None else seconds(prediction.latest_ms),
    }


def action_frame(action: Action) -> dict[str, Any]:
    """An action as JSON members."""
    return {
        "action_id": action.action_id,
        "recommendation_id": action.recommendation_id,
        "insight_id": action.insight_id,
        "metric": action.metric,
        "template": action.template,
        "entity_id": action.entity_id,
        "entity_name": action.entity_name,
        "risk": action.risk,
        "state": action.phase,
        "created_at": action.created_ms / 1000,
        "changed_at": action.changed_ms / 1000,
        "expires_at": action.expires_ms / 1000,
        "undo_until": None if action.undo_until_ms is None else seconds(action.undo_until_ms),
        "by": action.owner,
        "needs_confirmation": action.phase == "proposed",
        "consequence": action.facts.get("consequence"),
        "reason": action.facts.get("reason"),
        "effect_seen": action.facts.get("effect_seen"),
        "effect": action.facts.get("effect"),
        "helped": action.facts.get("helped"),
    }
