"""The words and numbers of a finding: what a rule's texts may name, and the evidence that goes with the insight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .catalogue import MetricSpec, title_from
from .coach_facts import FACTS
from .records import Finding
from .robust import rounded
from .words import difference, duration, number

FIELDS: Final = frozenset({
    "title", "metric", "value", "limit", "low", "high", "range", "since", "samples", "side", "distance",
})  # fmt: skip


def words_for(finding: Finding, spec: MetricSpec, now_ms: int) -> Mapping[str, str]:
    """What the texts of a rule may name, in words."""
    unit = spec.unit
    low, high, value = finding.expected_low, finding.expected_high, finding.value
    limit = low if finding.direction == "below" else high
    if low is not None and high is not None:
        between = f"{number(low, None)} to {number(high, unit)}"
    elif low is not None:
        between = f"at least {number(low, unit)}"
    else:
        between = "unknown" if high is None else f"at most {number(high, unit)}"
    distance = beyond(finding)
    return dict.fromkeys(FACTS.get(finding.kind, ()), "unknown") | {
        "title": spec.title or title_from(finding.metric),
        "metric": finding.metric,
        "value": "unknown" if value is None else number(value, unit),
        "limit": "unknown" if limit is None else number(limit, unit),
        "low": "unknown" if low is None else number(low, unit),
        "high": "unknown" if high is None else number(high, unit),
        "range": between,
        "since": duration(max(0, now_ms - finding.start_ms)),
        "samples": str(finding.samples),
        "side": {"above": "above", "below": "below"}.get(finding.direction, "away from"),
        "distance": "" if distance is None else difference(distance, unit),
        **finding.facts,
    }


def beyond(finding: Finding) -> float | None:
    """How far the value lies from the limit on its side, in the metric's unit. None: there is no such limit."""
    limit = finding.expected_low if finding.direction == "below" else finding.expected_high
    if finding.value is None or limit is None:
        return None
    return abs(finding.value / 2 - limit / 2) * 2  # halved first: the ends of the floats are a distance apart, too


def evidence(finding: Finding, spec: MetricSpec) -> dict[str, Any]:
    """The numbers a finding rests on; times in unix seconds, as everywhere in the REST interface."""

    distance = beyond(finding)

    def plain(value: float | None) -> float | None:
        return None if value is None else rounded(value)

    return {
        "kind": finding.kind.value,
        "metric": finding.metric,
        "unit": spec.unit,
        "start": finding.start_ms / 1000,
        "end": finding.at_ms / 1000,
        "value": plain(finding.value),
        "expected_low": plain(finding.expected_low),
        "expected_high": plain(finding.expected_high),
        "distance": None if distance is None else rounded(distance),
        "direction": finding.direction,
        "level": finding.level,
        "score": rounded(finding.score, 4),
        "samples": finding.samples,
        **finding.evidence,
    }
