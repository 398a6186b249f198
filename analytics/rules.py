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
from string import Formatter
from typing import Any, Final, cast, get_args

from msgspec import Struct

from .catalogue import MetricSpec
from .coach_facts import FACTS
from .records import CATEGORIES, SEVERITIES, Action, Category, Finding, FindingKind, Insight, Severity
from .robust import rounded
from .rule_words import FIELDS, evidence, words_for

EVERYTHING: Final = "*"  # the metric of findings about the feed as a whole
HOUR_MS: Final = 3_600_000
NO_BUTTON: Final = (  # never offered as a button, whatever a rule says
    "propane", "engine", "transmission", "brake", "steering", "jack", "leveling", "generator",
)  # fmt: skip


class RulesError(ValueError):
    """The rules cannot be used; `str()` names the rule and what is wrong with it."""


def insight_key(finding: Finding) -> str:
    """The key of the insight a finding opens, updates or (when it is over) resolves: one per kind and metric."""
    return f"{finding.kind}:{finding.metric}"


class Rule(Struct, frozen=True, kw_only=True):
    """When it fits (`kind`, and `metric`, `roles`, `but_roles`, `direction`, `level` where given), and what it says."""

    name: str
    kind: FindingKind
    metric: str | None
    roles: tuple[str, ...]
    but_roles: tuple[str, ...]
    direction: str | None
    level: str | None
    title: str
    text: str
    category: Category
    severity: Mapping[str, Severity]  # by the finding's level
    impact: float
    confidence: float  # factor on the finding's own: how often what this rule says of it is right
    recommendations: tuple[str, ...]
    actions: tuple[Action, ...]
    expires_h: float | None

    def fits(self, finding: Finding, spec: MetricSpec) -> bool:
        return (
            self.kind == finding.kind
            and self.metric in (None, finding.metric)
            and (not self.roles or spec.role in self.roles)
            and spec.role not in self.but_roles
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
        words = words_for(finding, spec, now_ms)
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
            confidence=round(min(1.0, max(0.0, finding.confidence * rule.confidence)), 3),
            impact_score=round(impact, 3),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            expires_at_ms=None if rule.expires_h is None else now_ms + int(rule.expires_h * HOUR_MS),
            recommendations=tuple(text.format_map(words) for text in rule.recommendations),
            actions=rule.actions,
            evidence=evidence(finding, spec),
            supporting_data={name: rounded(value) for name, value in (related or {}).items()},
            metric=None if finding.metric == EVERYTHING else finding.metric,
        )


_MEMBERS: Final = frozenset({
    "name", "kind", "metric", "roles", "but_roles", "direction", "level", "title", "text", "category", "severity",
    "impact", "confidence", "recommendations", "actions", "expires_h",
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
    kind = FindingKind(_word(where, entry, "kind", tuple(kind.value for kind in FindingKind)))
    known = FIELDS | FACTS.get(kind, frozenset())
    expires_h = entry.get("expires_h")
    if expires_h is not None and (
        isinstance(expires_h, bool) or not isinstance(expires_h, int | float) or not 0 < expires_h < math.inf
    ):
        raise RulesError(f"{where}: `expires_h` must be a positive number of hours")
    return Rule(
        name=name,
        kind=kind,
        metric=_text(where, entry, "metric") if "metric" in entry else None,
        roles=_texts(where, entry, "roles"),
        but_roles=_texts(where, entry, "but_roles"),
        direction=_word(where, entry, "direction", ("above", "below")) if "direction" in entry else None,
        level=_word(where, entry, "level", ("warning", "critical")) if "level" in entry else None,
        title=_template(where, "title", _text(where, entry, "title"), known),
        text=_template(where, "text", " ".join(_text(where, entry, "text").split()), known),
        category=cast(Category, _word(where, entry, "category", CATEGORIES)),
        severity=_severity(where, entry),
        impact=_share(where, entry, "impact", 0.5),
        confidence=_share(where, entry, "confidence", 1.0),
        recommendations=tuple(
            _template(where, "recommendations", text, known) for text in _texts(where, entry, "recommendations")
        ),
        actions=_actions(where, entry.get("actions", [])),
        expires_h=None if expires_h is None else float(expires_h),
    )


def _share(where: str, entry: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = entry.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RulesError(f"{where}: `{key}` must be a number from 0 to 1")
    return float(value)


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


def _template(where: str, key: str, text: str, known: frozenset[str]) -> str:
    """A text whose {fields} are all known."""
    try:
        fields = [(field, spec, turn) for _, field, spec, turn in Formatter().parse(text) if field is not None]
    except ValueError as error:
        raise RulesError(f"{where}: `{key}`: {error}") from None
    for field, spec, turn in fields:
        if field not in known or spec or turn:
            raise RulesError(f"{where}: `{key}` has an unknown field {{{field}}}; known: {', '.join(sorted(known))}")
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
        unknown = set(entry) - {"text", "action", "estimated_impact", "severity", "template", "entity_role"}
        if unknown:
            raise RulesError(f"{where}: `actions` has an unknown member `{sorted(map(str, unknown))[0]}`")
        texts = {key: _text(where, entry, key) for key in ("text", "action", "estimated_impact")}
        if not re.fullmatch(r"[a-z][a-z0-9_]*", texts["action"]):
            raise RulesError(f"{where}: `action` must be a lower case identifier")
        severity = cast(Severity, _word(where, entry, "severity", get_args(Severity)))
        actions.append(Action(**texts, severity=severity, **_execution(where, entry)))
    return tuple(actions)


def _execution(where: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """What may be done at the press of a button: a template, and the role of the entity it is done to."""
    given = {key: _text(where, entry, key) for key in ("template", "entity_role") if key in entry}
    if len(given) == 1:
        raise RulesError(f"{where}: `template` and `entity_role` go together")
    if any(word in given.get("entity_role", "") for word in NO_BUTTON):
        raise RulesError(f"{where}: `entity_role` {given['entity_role']} is never operated from here")
    return given
