"""Insights and patterns as rows, and back."""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec.structs import asdict

from analytics.records import Action, Insight, Pattern

PUT_INSIGHT: Final = """
    INSERT OR REPLACE INTO analytics_insights (
        insight_id, title, description, category, severity, confidence, impact_score, recommendations,
        supporting_data, created_at, expires_at, insight_key, updated_at, status, metric_name, actions, evidence
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

GET_INSIGHTS: Final = """
    SELECT insight_id, title, description, category, severity, confidence, impact_score, recommendations,
        supporting_data, created_at, expires_at, insight_key, updated_at, status, metric_name, actions, evidence
    FROM analytics_insights WHERE updated_at >= ? ORDER BY updated_at DESC, insight_id LIMIT ?"""

PUT_PATTERN: Final = """
    INSERT OR REPLACE INTO analytics_patterns (
        pattern_id, pattern_type, description, confidence, frequency, correlation_factors, prediction_window,
        created_at, metric_name, pattern_data
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

GET_PATTERNS: Final = """
    SELECT pattern_id, pattern_type, description, confidence, frequency, correlation_factors, prediction_window,
        created_at, metric_name, pattern_data
    FROM analytics_patterns WHERE created_at >= ? ORDER BY created_at DESC, pattern_id LIMIT ?"""

Row = tuple[Any, ...]


def insight_row(insight: Insight) -> Row:
    """Raises ValueError or TypeError when a mapping holds what JSON can't."""
    return (
        insight.insight_id,
        insight.title,
        insight.description,
        insight.category,
        insight.severity,
        insight.confidence,
        insight.impact_score,
        _text(list(insight.recommendations)),
        _text(dict(insight.supporting_data)),
        insight.created_at_ms / 1000,
        None if insight.expires_at_ms is None else insight.expires_at_ms / 1000,
        insight.key,
        insight.updated_at_ms / 1000,
        insight.status,
        insight.metric,
        _text([asdict(action) for action in insight.actions]),
        _text(dict(insight.evidence)),
    )


def insight_of(row: Row) -> Insight:
    (insight_id, title, description, category, severity, confidence, impact, recommendations, supporting) = row[:9]
    (created_at, expires_at, key, updated_at, status, metric, actions, evidence) = row[9:]
    return Insight(
        insight_id=insight_id,
        key=key,
        title=title,
        description=description,
        category=category,
        severity=severity,
        confidence=confidence,
        impact_score=impact,
        created_at_ms=_ms(created_at),
        updated_at_ms=_ms(updated_at),
        expires_at_ms=None if expires_at is None else _ms(expires_at),
        recommendations=tuple(json.loads(recommendations)),
        actions=tuple(Action(**action) for action in json.loads(actions)),
        evidence=json.loads(evidence),
        supporting_data=json.loads(supporting),
        status=status,
        metric=metric,
    )


def pattern_row(pattern: Pattern) -> Row:
    """Raises ValueError or TypeError when the mapping holds what JSON can't."""
    return (
        pattern.pattern_id,
        pattern.pattern_type,
        pattern.description,
        pattern.confidence,
        pattern.frequency,
        _text(list(pattern.correlation_factors)),
        pattern.prediction_window,
        pattern.created_at_ms / 1000,
        pattern.metric,
        _text(dict(pattern.data)),
    )


def pattern_of(row: Row) -> Pattern:
    pattern_id, pattern_type, description, confidence, frequency, factors, window, created_at, metric, data = row
    return Pattern(
        pattern_id=pattern_id,
        pattern_type=pattern_type,
        metric=metric,
        description=description,
        confidence=confidence,
        frequency=frequency,
        correlation_factors=tuple(json.loads(factors)),
        prediction_window=window,
        created_at_ms=_ms(created_at),
        data=json.loads(data),
    )


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
