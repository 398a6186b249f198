"""Which insights people are called for: one fault is one notification a day, however many insights it makes.

A fault of the fridge warms it, lengthens its compressor's runs and passes a limit: three insights of one subject. All
of them stand in the book and on the page; people are called for the first, and again when it becomes worse. Promises
- what is worse than what its subject was told for is always news, and what is critical whenever it begins;
- while something of a subject that was told is open, nothing else of it that is no worse is news;
- what is milder than its subject was told for within AGAIN_MS is no news;
- a judgement (not a passed limit, not a silent sensor) is news once in AGAIN_MS of its subject, though it ended and
  came back in between; what still holds then is told.

Pure: no clock, no I/O. Times are unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from .budget import JUDGED
from .catalogue import MetricSpec
from .coach_facts import COACH_KINDS
from .records import SEVERITIES, FindingKind, Insight

AGAIN_MS: Final = 86_400_000
KEPT: Final = 1_000  # insights that are remembered as told
_RANK: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}
_SUBJECTS: Final = {
    "house battery": ("battery_soc", "battery_current", "battery_voltage", "battery_temperature"),
    "solar panels": ("solar", "solar_power", "solar_voltage"),
    "fridge": ("fridge_temperature", "fridge_state"),
    "shore power": ("shore_voltage", "shore_current", "shore_frequency"),
    "generator": ("generator", "generator_load", "generator_state", "generator_temperature", "run_time"),
    "alternator": ("alternator_current", "starter_voltage"),
    "engine": ("engine", "engine_speed", "engine_state", "engine_temperature", "fuel_rate"),
    "vehicle bus": ("bus_rate", "bus_errors"),
}
SUBJECT_OF: Final = {role: subject for subject, roles in _SUBJECTS.items() for role in roles}


def subject_of(metric: str | None, spec: MetricSpec) -> str:
    """What a fault that shows in this metric is a fault of: the thing of its role, or the metric itself."""
    return SUBJECT_OF.get(spec.role or "", metric or "")


class _Told(Struct, frozen=True):
    subject: str
    at_ms: int
    rank: int


class News:
    """What was told, by the key of the insight."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def take(self, insight: Insight, subject: str, now_ms: int, open_keys: Iterable[str]) -> bool:
        """Whether people are to be called for this insight, which is open; if so, they have been. `open_keys`: what
        else is open."""
        rank, known = _RANK[insight.severity], self._told.get(insight.key)
        if known is not None and insight.key in open_keys and known.rank >= rank:
            return False
        others = set(open_keys) - {insight.key}
        same = [(key, told) for key, told in self._told.items() if told.subject == subject and told.rank >= rank]
        kind = FindingKind(insight.evidence.get("kind", FindingKind.LIMIT))
        judgement = kind in COACH_KINDS | JUDGED
        spoken_for = any(key in others for key, _ in same)
        lately = any((judgement or told.rank > rank) and abs(now_ms - told.at_ms) < AGAIN_MS for _, told in same)
        if spoken_for or (lately and insight.severity != "critical"):
            return False
        self._told.pop(insight.key, None)
        self._told[insight.key] = _Told(subject, now_ms, rank)
        while len(self._told) > KEPT:
            del self._told[next(iter(self._told))]
        return True

    def remember(self, insight: Insight, subject: str) -> None:
        """It was told by an earlier life of the process."""
        self._told.setdefault(insight.key, _Told(subject, insight.created_at_ms, _RANK[insight.severity]))
