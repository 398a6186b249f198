"""Insight rules: which finding becomes which words (conf/rules.yaml as values).

Promises
- The first rule that fits a finding wins; a finding that no rule fits is told to nobody.
- Rules that parse can be applied: their texts name only known numbers, their severities and categories exist.
- Whatever is built is safe for JSON, and all its texts are plain sentences with numbers rounded for people.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final, cast, get_args

from .catalogue import MetricSpec, title_from
from .records import CATEGORIES, SEVERITIES, Action, Category, Finding, FindingKind, Insight, Severity
from .robust import rounded
from .words import duration, number

FIELDS: Final = frozenset({
    "title", "metric", "value", "limit", "low", "high", "range", "since", "samples", "side", "distance",
})  # fmt: skip
EVERYTHING: Final = "*"  # the metric of findings about the feed as a whole
HOUR_MS: Final = 3_600_000


class RulesError(ValueError):
    """The rules cannot be used; `str()` names the rule and what is wrong with it."""


def insight_key(finding: Finding) -> str:
    """The key of the insight a finding opens, updates or (when it is over) resolves: one per kind and metric."""
    return f"{finding.kind}:{finding.metric}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When it fits (`kind`, and `metric`, `roles`, `direction`, `level` where given), and what it says then."""

    name: str
    kind: FindingKind
    metric: str | None
    roles: tuple[str, ...]
    direction: str | None
    level: str | None
    title: str
    text: str
    category: Category
    severity: Mapping[str, Severity]  # by the finding's level
    impact: float
    recommendations: tuple[str, ...]
    actions: tuple[Action, ...]
    expires_h: float | None

    def fits(self, finding: Finding, spec: MetricSpec) -> bool:
        return (
            self.kind == finding.kind
            and self.metric in (None, finding.metric)
            and (not self.roles or spec.role in self.roles)
            and self.direction in (None, finding.direction)
            and self.level in (None, finding.level)
        )


class Rules:
    """Rules in order of precedence."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = tuple(rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._rules

    def insight(
        self, finding: Finding, spec: MetricSpec, now_ms: int, related: Mapping[str, float] | None = None
    ) -> Insight | None:
        """What a person is told of `finding`; None when no rule fits, or when the finding says that it is over.

        `related`: other metrics' values worth keeping beside it.
        """
        rule = None if finding.over else next((rule for rule in self._rules if rule.fits(finding, spec)), None)
        if rule is None:
            return None
        words = _words(finding, spec, now_ms)
        key = insight_key(finding)
        severity = rule.severity[finding.level]
        impact = min(1.0, rule.impact * (1.0 if finding.level == "critical" else 0.7))
        return Insight(
            insight_id=hashlib.sha256(f"{key}:{finding.start_ms}".encode()).hexdigest()[:16],
            key=key,
            title=rule.title.format_map(words),
            description=rule.text.format_map(words),
            category=rule.category,
            severity=severity,
            confidence=min(1.0, max(0.0, finding.confidence)),
            impact_score=round(impact, 3),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            expires_at_ms=None if rule.expires_h is None else now_ms + int(rule.expires_h * HOUR_MS),
            recommendations=tuple(text.format_map(words) for text in rule.recommendations),
            actions=rule.actions,
            evidence=_evidence(finding, spec),
            supporting_data={name: rounded(value) for name, value in (related or {}).items()},
            metric=None if finding.metric == EVERYTHING else finding.metric,
        )


def _words(finding: Finding, spec: MetricSpec, now_ms: int) -> Mapping[str, str]:
    unit = spec.unit
    low, high, value = finding.expected_low, finding.expected_high, finding.value
    limit = low if finding.direction == "below" else high
    if low is not None and high is not None:
        between = f"{number(low, None)} to {number(high, unit)}"
    elif low is not None:
        between = f"at least {number(low, unit)}"
    else:
        between = "unknown" if high is None else f"at most {number(high, unit)}"
    distance = "" if value is None or limit is None else number(abs(value / 2 - limit / 2) * 2, unit)
    return {
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
        "distance": distance,
    }


def _evidence(finding: Finding, spec: MetricSpec) -> dict[str, Any]:
    """The numbers a finding rests on; times in unix seconds, as everywhere in the REST interface."""

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
        "direction": finding.direction,
        "level": finding.level,
        "score": rounded(finding.score, 4),
        "samples": finding.samples,
    }


_MEMBERS: Final = frozenset({
    "name", "kind", "metric", "roles", "direction", "level", "title", "text", "category", "severity", "impact",
    "recommendations", "actions", "expires_h",
})  # fmt: skip


def parse_rules(document: Mapping[str, Any]) -> Rules:
    """Read `{"rules": [rule, ...]}`: members as in Rule; `severity` is one word for both levels, or
    `{warning: ..., critical: ...}`. Raises RulesError."""
    if not isinstance(document, Mapping) or not isinstance(document.get("rules"), list) or len(document) != 1:
        raise RulesError("the rules must be a mapping with the one member `rules`, a list")
    rules = [_rule(index, entry) for index, entry in enumerate(document["rules"])]
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise RulesError(f"rule `{name}`: the name is given twice")
    return Rules(rules)


def _rule(index: int, entry: object) -> Rule:
    where = f"rules[{index}]"
    if not isinstance(entry, Mapping):
        raise RulesError(f"{where}: must be a mapping")
    name = _text(where, entry, "name")
    where = f"rule `{name}`"
    for key in entry:
        if key not in _MEMBERS:
            raise RulesError(f"{where}: unknown member `{key}`")
    impact = entry.get("impact", 0.5)
    if isinstance(impact, bool) or not isinstance(impact, int | float) or not 0 <= impact <= 1:
        raise RulesError(f"{where}: `impact` must be a number from 0 to 1")
    expires_h = entry.get("expires_h")
    if expires_h is not None and (
        isinstance(expires_h, bool) or not isinstance(expires_h, int | float) or not 0 < expires_h < math.inf
    ):
        raise RulesError(f"{where}: `expires_h` must be a positive number of hours")
    return Rule(
        name=name,
        kind=FindingKind(_word(where, entry, "kind", tuple(kind.value for kind in FindingKind))),
        metric=_text(where, entry, "metric") if "metric" in entry else None,
        roles=_texts(where, entry, "roles"),
        direction=_word(where, entry, "direction", ("above", "below")) if "direction" in entry else None,
        level=_word(where, entry, "level", ("warning", "critical")) if "level" in entry else None,
        title=_template(where, "title", _text(where, entry, "title")),
        text=_template(where, "text", " ".join(_text(where, entry, "text").split())),
        category=cast(Category, _word(where, entry, "category", CATEGORIES)),
        severity=_severity(where, entry),
        impact=float(impact),
        recommendations=tuple(
            _template(where, "recommendations", text) for text in _texts(where, entry, "recommendations")
        ),
        actions=_actions(where, entry.get("actions", [])),
        expires_h=None if expires_h is None else float(expires_h),
    )


def _text(where: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RulesError(f"{where}: `{key}` must be a text")
    return value


def _texts(where: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise RulesError(f"{where}: `{key}` must be a list of texts")
    return tuple(value)


def _word(where: str, entry: Mapping[str, Any], key: str, choices: Sequence[str]) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or value not in choices:
        raise RulesError(f"{where}: `{key}` must be one of {', '.join(choices)}, not {value!r}")
    return value


def _template(where: str, key: str, text: str) -> str:
    """A text whose {fields} are all known."""
    try:
        fields = [(field, spec, turn) for _, field, spec, turn in Formatter().parse(text) if field is not None]
    except ValueError as error:
        raise RulesError(f"{where}: `{key}`: {error}") from None
    for field, spec, turn in fields:
        if field not in FIELDS or spec or turn:
            raise RulesError(f"{where}: `{key}` has an unknown field {{{field}}}; known: {', '.join(sorted(FIELDS))}")
    return text


def _severity(where: str, entry: Mapping[str, Any]) -> Mapping[str, Severity]:
    value = entry.get("severity")
    levels = {"warning": value, "critical": value} if isinstance(value, str) else value
    if not isinstance(levels, Mapping) or set(levels) != {"warning", "critical"}:
        raise RulesError(f"{where}: `severity` must be a word, or one each for warning and critical")
    return {level: cast(Severity, _word(where, levels, level, SEVERITIES)) for level in ("warning", "critical")}


def _actions(where: str, value: object) -> tuple[Action, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise RulesError(f"{where}: `actions` must be a list of mappings")
    actions = []
    for entry in value:
        unknown = set(entry) - {"text", "action", "estimated_impact", "severity"}
        if unknown:
            raise RulesError(f"{where}: `actions` has an unknown member `{sorted(map(str, unknown))[0]}`")
        texts = {key: _text(where, entry, key) for key in ("text", "action", "estimated_impact")}
        if not re.fullmatch(r"[a-z][a-z0-9_]*", texts["action"]):
            raise RulesError(f"{where}: `action` must be a lower case identifier")
        actions.append(Action(**texts, severity=cast(Severity, _word(where, entry, "severity", get_args(Severity)))))
    return tuple(actions)
