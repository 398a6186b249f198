"""Which further words each kind of finding brings along, for the texts of conf/rules.yaml to name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .records import FindingKind

FACTS: Final[Mapping[FindingKind, frozenset[str]]] = {
    FindingKind.EMPTY_AHEAD: frozenset({"by", "within", "rate"}),
    FindingKind.FULL_AHEAD: frozenset({"by", "within", "rate"}),
    FindingKind.OVERNIGHT_DROP: frozenset({"usual", "times"}),
    FindingKind.AGEING: frozenset({"usual", "times"}),
    FindingKind.NO_CHARGE: frozenset({"source", "sign", "span"}),
    FindingKind.ALTERNATOR_WEAK: frozenset({"usual", "days", "earlier"}),
    FindingKind.OUTPUT_LOW: frozenset({"share", "days"}),
    FindingKind.PARASITIC: frozenset({"usual", "extra"}),
    FindingKind.WARMING: frozenset({"usual"}),
    FindingKind.DUTY_GREW: frozenset({"share", "times"}),
    FindingKind.LEAK: frozenset({"lost", "span", "rate"}),
    FindingKind.LEVEL_STUCK: frozenset({"used", "span"}),
    FindingKind.SHORT_CYCLING: frozenset({"starts", "run", "usual"}),
    FindingKind.NOT_COOLING: frozenset({"span", "wanted"}),
    FindingKind.LONG_RUN: frozenset({"span", "charge", "why"}),
    FindingKind.LOAD_GREW: frozenset({"usual"}),
    FindingKind.RUNNING_HOTTER: frozenset({"usual", "more"}),
    FindingKind.SERVICE_DUE: frozenset({"hours", "every"}),
    FindingKind.USE_GREW: frozenset({"lost", "span", "rate"}),
    FindingKind.NOISY: frozenset({"times"}),
    FindingKind.RATE_DROP: frozenset({"usual"}),
    FindingKind.SLOWED: frozenset({"usual"}),
    FindingKind.ERRORS: frozenset({"usual"}),
    FindingKind.INCIDENT: frozenset({"members"}),
}
COACH_KINDS: Final = frozenset(FACTS) - {FindingKind.INCIDENT}
