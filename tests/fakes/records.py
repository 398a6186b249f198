"""A finding and an insight that are complete, of whatever a test cares for."""

from __future__ import annotations

from typing import Any

from analytics.records import Finding, FindingKind, Insight


def finding(metric: str, at_ms: int) -> Finding:
    """A limit crossed from below."""
    return Finding(
        kind=FindingKind.LIMIT, metric=metric, at_ms=at_ms, start_ms=at_ms, value=99.0, expected_low=0.0,
        expected_high=50.0, score=5.0, confidence=0.9, samples=5, direction="above",
    )  # fmt: skip


def insight(title: str, at_ms: int, **members: Any) -> Insight:
    """Its id and the end of its key are its title."""
    given: dict[str, Any] = {
        "insight_id": title, "key": f"limit:{title}", "title": title, "description": "", "category": "reliability",
        "severity": "low", "confidence": 0.9, "impact_score": 0.5, "created_at_ms": at_ms, "updated_at_ms": at_ms,
        "expires_at_ms": None, "recommendations": (),
    }  # fmt: skip
    return Insight(**{**given, **members})
