from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import to_builtins

from analytics.catalogue import Catalogue, MetricSpec
from analytics.records import Finding, FindingKind
from analytics.rules import Rules, RulesError, insight_key, parse_rules

RULE = {"name": "r", "kind": "limit", "title": "{title}", "text": "{value}", "category": "cost", "severity": "low"}
NOW = 1_700_000_000_000


def found(kind: str, metric: str, value: float | None = None, **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "at_ms": NOW, "start_ms": NOW - 1_500_000, "expected_low": None, "expected_high": None, "score": 1.23456,
        "confidence": 0.9, "samples": 3,
    }  # fmt: skip
    return Finding(FindingKind(kind), metric, value=value, **(fields | changes))


def rules(*changes: dict[str, Any]) -> Rules:
    return parse_rules({"rules": [RULE | {"name": f"r{index}"} | change for index, change in enumerate(changes)]})


def test_the_first_rule_that_fits_wins() -> None:
    some = rules(
        {"roles": ["b"], "title": "B"}, {"direction": "below", "title": "below"}, {"level": "critical", "title": "C"}
    )
    assert [rule.name for rule in some.rules] == ["r0", "r1", "r2"]

    def title(finding: Finding, spec: MetricSpec) -> str | None:
        insight = some.insight(finding, spec, NOW)
        return None if insight is None else insight.title

    assert title(found("limit", "m", 1.0, direction="below"), MetricSpec(role="b")) == "B"
    assert title(found("limit", "m", 1.0, direction="below", level="critical"), MetricSpec()) == "below"
    assert title(found("limit", "m", 1.0, direction="above", level="critical"), MetricSpec()) == "C"
    assert title(found("limit", "m", 1.0), MetricSpec()) is None
    assert title(found("silent", "m"), MetricSpec(role="b")) is None


def test_what_is_over_has_no_words() -> None:
    finding = found("limit", "m", 1.0, over=True)
    assert rules({}).insight(finding, MetricSpec(), NOW) is None
    assert insight_key(finding) == insight_key(found("limit", "m", 5.0)) == "limit:m"


def test_the_words_carry_the_numbers(shipped_catalogue: Catalogue, shipped_rules: Rules) -> None:
    finding = found(
        "limit",
        "battery.house.voltage",
        11.2345,
        expected_low=12.0,
        expected_high=14.8,
        direction="below",
        level="critical",
    )
    insight = shipped_rules.insight(
        finding, shipped_catalogue.spec(finding.metric), NOW, related={"solar.power": 1 / 3}
    )
    assert insight is not None
    assert insight.title == "House battery voltage is low: 11.23 V"
    assert "has been below 12.00 V for 25 min and reads 11.23 V" in insight.description
    assert (insight.severity, insight.category, insight.key) == (
        "critical",
        "reliability",
        "limit:battery.house.voltage",
    )
    assert insight.evidence["start"] == finding.start_ms / 1000
    assert insight.evidence["expected_low"] == 12.0
    assert insight.supporting_data == {"solar.power": 0.333333}
    assert insight.expires_at_ms == NOW + 24 * 3_600_000
    assert insight.impact_score > 0.8
    assert all(isinstance(text, str) for text in insight.recommendations)
    assert insight.actions[0].action == "reduce_loads"


def test_the_id_is_that_of_the_occurrence() -> None:
    some = rules({})
    first = some.insight(found("limit", "m", 1.0), MetricSpec(), NOW)
    later = some.insight(found("limit", "m", 2.0, at_ms=NOW + 5), MetricSpec(), NOW + 5)
    other = some.insight(found("limit", "m", 1.0, start_ms=NOW), MetricSpec(), NOW)
    assert first is not None
    assert later is not None
    assert other is not None
    assert first.insight_id == later.insight_id != other.insight_id


@pytest.mark.parametrize("kind", list(FindingKind))
@pytest.mark.parametrize("value", [None, 1.7e308, -0.0, 5e-324])
@pytest.mark.parametrize("name", ["battery.house.voltage", "tank.gray.level", "unknown {name} %s", "*"])
def test_every_finding_has_words_and_they_are_safe(
    shipped_catalogue: Catalogue, shipped_rules: Rules, kind: FindingKind, value: float | None, name: str
) -> None:
    for direction in ("above", "below", "none"):
        finding = found(kind, name, value, direction=direction, expected_high=None if value is None else -value)
        insight = shipped_rules.insight(finding, shipped_catalogue.spec(name), NOW)
        assert insight is not None
        json.dumps(to_builtins(insight), allow_nan=False)
        assert insight.title
        assert insight.description
        assert insight.recommendations
        assert insight.metric == (None if name == "*" else name)


def test_every_role_a_shipped_rule_names_is_in_the_catalogue(
    shipped_catalogue: Catalogue, shipped_rules: Rules
) -> None:
    known = {spec.role for spec in shipped_catalogue.specs}
    assert {role for rule in shipped_rules.rules for role in (*rule.roles, *rule.but_roles)} <= known


def test_fresh_water_that_rests_is_told_of_only_when_water_is_used(
    shipped_catalogue: Catalogue, shipped_rules: Rules
) -> None:
    spec = shipped_catalogue.spec("tank.fresh.level")
    assert shipped_rules.insight(found("stuck", "tank.fresh.level", 64.0), spec, NOW) is None
    assert shipped_rules.insight(found("stuck", "tank.gray.level", 64.0), spec=MetricSpec(), now_ms=NOW) is not None


BAD: list[tuple[Any, str]] = [
    ([], "one member `rules`"),
    ({"rules": 3}, "one member `rules`"),
    ({"rules": [3]}, r"rules\[0\]: must be a mapping"),
    ({"rules": [{}]}, r"rules\[0\]: `name` must be a text"),
    ({"rules": [RULE, RULE]}, "rule `r`: the name is given twice"),
    ({"rules": [RULE | {"knid": 1}]}, "rule `r`: unknown member `knid`"),
    ({"rules": [RULE | {"kind": "limits"}]}, "`kind` must be one of limit, implausible"),
    ({"rules": [RULE | {"title": "{valeu}"}]}, "`title` has an unknown field {valeu}"),
    ({"rules": [RULE | {"text": "{value:.2f}"}]}, "`text` has an unknown field"),
    ({"rules": [RULE | {"text": "{title.__class__}"}]}, "`text` has an unknown field"),
    ({"rules": [RULE | {"text": "{"}]}, "`text`: "),
    ({"rules": [RULE | {"recommendations": ["{x}"]}]}, "`recommendations` has an unknown field"),
    ({"rules": [RULE | {"recommendations": "x"}]}, "`recommendations` must be a list of texts"),
    ({"rules": [RULE | {"severity": "bad"}]}, "`warning` must be one of low"),
    ({"rules": [RULE | {"severity": {"warning": "low"}}]}, "one each for warning and critical"),
    ({"rules": [RULE | {"category": "comfort"}]}, "`category` must be one of"),
    ({"rules": [RULE | {"impact": 2}]}, "`impact` must be a number from 0 to 1"),
    ({"rules": [RULE | {"expires_h": 0}]}, "`expires_h` must be a positive number"),
    ({"rules": [RULE | {"direction": "up"}]}, "`direction` must be one of above, below"),
    ({"rules": [RULE | {"actions": "x"}]}, "`actions` must be a list"),
    ({"rules": [RULE | {"actions": [{"texts": "x"}]}]}, "`actions` has an unknown member"),
    (
        {"rules": [RULE | {"actions": [{"text": "x", "action": "Run!", "estimated_impact": "x", "severity": "low"}]}]},
        "identifier",
    ),
]


@pytest.mark.parametrize(("document", "message"), BAD)
def test_every_mistake_is_named(document: Any, message: str) -> None:
    with pytest.raises(RulesError, match=message):
        parse_rules(document)
