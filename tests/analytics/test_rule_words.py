"""Words and evidence of findings that bring facts of their own."""

from __future__ import annotations

from analytics.catalogue import MetricSpec
from analytics.coach_facts import FACTS
from analytics.records import Finding, FindingKind
from analytics.rule_words import FIELDS, evidence, words_for

NOW = 1_790_000_000_000


def found(**changes: object) -> Finding:
    members = {
        "kind": FindingKind.LEAK, "metric": "tank.fresh.level", "at_ms": NOW, "start_ms": NOW - 7_200_000,
        "value": 41.26, "expected_low": None, "expected_high": None, "score": 1.5, "confidence": 0.8, "samples": 24,
    }  # fmt: skip
    return Finding(**(members | changes))  # type: ignore[arg-type]


def test_facts_are_words_and_what_is_missing_is_unknown() -> None:
    words = words_for(found(facts={"lost": "4 %"}), MetricSpec(unit="%", title="Fresh water"), NOW)
    assert (words["lost"], words["span"], words["value"], words["since"]) == ("4 %", "unknown", "41 %", "2.0 h")
    assert set(words) == FIELDS | FACTS[FindingKind.LEAK]


def test_evidence_goes_along() -> None:
    made = evidence(found(evidence={"coverage": 0.9, "series": []}), MetricSpec(unit="%"))
    assert (made["coverage"], made["series"], made["kind"], made["start"]) == (
        0.9,
        [],
        "leak",
        (NOW - 7_200_000) / 1000,
    )
