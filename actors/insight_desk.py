"""The desk of the insight generator: what becomes of a finding, without a clock, a mailbox or a task.

Owns the passage from findings to the book of insights. Promises
- an insight is new once, however often its finding comes; it keeps the earliest start that is known of it;
- when many metrics turn at the same moment (power was lost, a gateway died) people hear of one incident, not of each:
  what it gathers is named in its evidence and told by itself only if it outlives the incident;
- one fault is one notification a day: of which changes people hear is said with each (analytics/news.py);
- one trouble of one metric is told once: what only says that a metric is unusual is not told of one about which
  something more definite is open, nor a second time in other words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from analytics.budget import JUDGED
from analytics.catalogue import Catalogue, MetricSpec
from analytics.counter import rate_spec
from analytics.news import News, subject_of
from analytics.records import Finding, FindingKind, Insight
from analytics.rules import EVERYTHING, Rules, insight_key
from storage.insight_book import InsightBook

TOGETHER_MS: Final = 120_000  # what starts so close together has one cause
MANY: Final = 5  # metrics that make an incident
SETTLED_MS: Final = 600_000  # before so long a life everything seems to have started together
NAMED: Final = 50  # members an incident names at most
UNUSUAL: Final = frozenset({  # kinds that say little more than that a metric is not as it was
    FindingKind.DEVIATION, FindingKind.SPIKE, FindingKind.STEP, FindingKind.DRIFT, FindingKind.SHAPE,
    FindingKind.STUCK, FindingKind.NOISY, FindingKind.RATE_DROP, FindingKind.SLOWED, FindingKind.ERRORS,
    FindingKind.WARMING,
})  # fmt: skip
WHOLE: Final = frozenset({FindingKind.SILENT, FindingKind.INCIDENT})  # kinds that may be about the feed as a whole
INCIDENT: Final = f"{FindingKind.INCIDENT}:{EVERYTHING}"


class Change(Struct, frozen=True):
    """An insight was raised, renewed or (status resolved) ended. `is_news`: people are to be called for it."""

    insight: Insight
    is_new: bool
    is_news: bool = False


class InsightDesk:
    """Used from one task only. `started_ms`: when the process began to look."""

    def __init__(self, *, book: InsightBook, rules: Rules, catalogue: Catalogue, started_ms: int = 0) -> None:
        self._book = book
        self._rules = rules
        self._catalogue = catalogue
        self._started_ms = started_ms
        self._opened: dict[str, Finding] = {}  # by key: what was raised lately, candidates for an incident
        self._members: dict[str, Finding] = {}  # by key: what the open incident gathers
        self._incident_ms = 0
        self._news = News()
        self._raised: set[str] = set()  # ids of the book's insights that this process raised or renewed

    def take(self, findings: Iterable[Finding], now_ms: int) -> list[Change]:
        """What these findings change in the book, in order."""
        changes: list[Change] = []
        for finding in findings:
            changes += self._over(finding, now_ms) if finding.over else self._holds(finding, now_ms)
        return changes

    def resolve(self, key: str, now_ms: int) -> list[Change]:
        """End the open insight of this key, if there is one."""
        self._opened.pop(key, None)
        insight = self._book.resolve(key, now_ms)
        return [] if insight is None else [Change(insight, is_new=False)]

    def is_left_over(self, insight: Insight) -> bool:
        """Whether it speaks for many metrics out of an earlier process, which would have told its end. What still holds
        of it is told anew."""
        kind = insight.evidence.get("kind")
        return kind in WHOLE and insight.metric is None and insight.insight_id not in self._raised

    def gathered(self) -> frozenset[str]:
        """The keys of what the open incident speaks for."""
        return frozenset(self._members)

    def _over(self, finding: Finding, now_ms: int) -> list[Change]:
        key = insight_key(finding)
        if self._members.pop(key, None) is not None and len(self._members) < MANY / 2:
            self._members.clear()  # what is left is told by itself when it is found again
            return self.resolve(INCIDENT, now_ms)
        return self.resolve(key, now_ms)

    def _holds(self, finding: Finding, now_ms: int) -> list[Change]:
        key = insight_key(finding)
        start_ms = self._book.start_ms(key, now_ms)
        if start_ms is not None and start_ms < finding.start_ms:
            finding = replace(finding, start_ms=start_ms)  # whoever looks again sees less of the past than was known
        if start_ms is None and finding.kind in UNUSUAL and self._is_known(finding.metric, now_ms):
            return []
        if start_ms is None and finding.metric != EVERYTHING:
            gathered = self._gather(key, finding, now_ms)
            if gathered is not None:
                return gathered
        return self._raise(finding, now_ms)

    def _raise(self, finding: Finding, now_ms: int) -> list[Change]:
        spec = self._catalogue.spec(finding.metric)
        if spec.kind == "counter" and finding.kind in JUDGED:
            spec = rate_spec(spec)
        insight = self._rules.insight(finding, spec, now_ms)
        if insight is None:
            return []
        is_new = self._book.upsert_insight(insight)
        insight = self._book.insight(insight.key) or insight
        is_news = self._is_news(insight, is_new, spec, now_ms)
        self._raised.add(insight.insight_id)
        return [Change(insight, is_new, is_news)]

    def _is_news(self, insight: Insight, is_new: bool, spec: MetricSpec, now_ms: int) -> bool:
        insights = self._book.insights()
        self._raised.intersection_update(each.insight_id for each in insights)
        for each in insights:
            if each.insight_id not in self._raised and not (is_new and each.key == insight.key):
                self._news.remember(each, subject_of(each.metric, self._catalogue.spec(each.metric or "")))
        keys = {each.key for each in self._book.open_insights(now_ms)}
        if is_new:
            keys.discard(insight.key)
        return self._news.take(insight, subject_of(insight.metric, spec), now_ms, keys)

    def _is_known(self, metric: str, now_ms: int) -> bool:
        return any(insight.metric == metric for insight in self._book.open_insights(now_ms))

    def _gather(self, key: str, finding: Finding, now_ms: int) -> list[Change] | None:
        """The changes when the finding is part of an incident; None: it stands for itself."""
        if key in self._members:
            self._members[key] = finding
            return []
        if self._members and abs(finding.start_ms - self._incident_ms) <= TOGETHER_MS:
            self._members[key] = finding
            return self._tell_incident(now_ms)
        if 0 <= now_ms - self._started_ms < SETTLED_MS:  # unless the clock was ahead at the start
            return None
        self._opened = {each: other for each, other in self._opened.items() if now_ms - other.at_ms <= 2 * TOGETHER_MS}
        self._opened[key] = finding
        near = {
            each: other for each, other in self._opened.items() if abs(other.start_ms - finding.start_ms) <= TOGETHER_MS
        }
        if len({other.metric for other in near.values()}) < MANY:
            return None
        self._members, self._incident_ms = near, min(other.start_ms for other in near.values())
        ended = [change for each in near for change in self.resolve(each, now_ms)]
        return ended + self._tell_incident(now_ms)

    def _tell_incident(self, now_ms: int) -> list[Change]:
        members = sorted(self._members.values(), key=lambda each: (each.level != "critical", each.metric))
        names = sorted({self._catalogue.spec(each.metric).title or each.metric for each in members})
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        finding = Finding(
            FindingKind.INCIDENT, EVERYTHING, now_ms, self._incident_ms, None, None, None,
            score=float(len(members)), confidence=max(each.confidence for each in members), samples=len(names),
            level="critical" if any(each.level == "critical" for each in members) else "warning",
            facts={"members": some},
            evidence={"members": [insight_key(each) for each in members[:NAMED]], "coverage": 1.0},
        )  # fmt: skip
        return self._raise(finding, now_ms)
