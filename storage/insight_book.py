"""The book of insights and patterns: what is open now, bounded, and what of it still has to be stored.

Owns the current state of every insight (one per `key`) and pattern (one per `pattern_id`); the archive keeps their
history. Promises
- an insight keeps its id, its time of creation and its key for as long as it is open; raised again after it was
  resolved or had expired, it is a new one;
- never more than `max_insights` and `max_patterns`: resolved and expired ones go first, then the least severe, then
  the oldest;
- `dirty()` hands out what changed since it was last stored, and only `mark_clean` with these very records takes them
  off the list: a commit that failed, or a change made while it ran, loses nothing.

Used from the event loop only. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from analytics.lifecycle import ended, renewed
from analytics.records import SEVERITIES, Insight, Pattern

T = TypeVar("T")

UNSTORED_FACTOR: Final = 4  # at most so many times the book's size waits for the archive
_RANK: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class InsightBook:
    """See the module docstring for the promises. All times are unix milliseconds."""

    def __init__(self, max_insights: int = 100, max_patterns: int = 50) -> None:
        if max_insights < 1 or max_patterns < 1:
            raise ValueError("an insight book needs room for at least one insight and one pattern")
        self.max_insights: Final = max_insights
        self.max_patterns: Final = max_patterns
        self._insights: dict[str, Insight] = {}  # by key
        self._patterns: dict[str, Pattern] = {}  # by pattern id
        # What waits for the archive: by key, by id. A record evicted from the book stays here until it is stored.
        self._dirty_insights: dict[str, Insight] = {}  # by insight id
        self._dirty_patterns: dict[str, Pattern] = {}

    def upsert_insight(self, insight: Insight) -> bool:
        """Raise or renew an insight. True: it was not open before. Renewed, it keeps its id and time of creation."""
        known = self._insights.get(insight.key)
        is_new = known is None or not _is_open(known, insight.updated_at_ms)
        if known is not None and not is_new:
            insight = replace(insight, insight_id=known.insight_id, created_at_ms=known.created_at_ms)
            insight = renewed(known, insight)
        self._put_insight(insight)
        return is_new

    def resolve(self, key: str, at_ms: int, *, expired: bool = False) -> Insight | None:
        """End the open insight of this key; returns it as resolved, with duration and peak in its evidence, or None
        when none is open."""
        known = self._insights.get(key)
        if known is None or known.status == "resolved":
            return None
        resolved = ended(known, at_ms, expired=expired)
        self._put_insight(resolved)
        return resolved

    def insight(self, key: str) -> Insight | None:
        """The insight of this key, whatever its status."""
        return self._insights.get(key)

    def open_insight(self, key: str, now_ms: int) -> Insight | None:
        """The insight of this key, unless it is resolved or expired."""
        known = self._insights.get(key)
        return known if known is not None and _is_open(known, now_ms) else None

    def start_ms(self, key: str, now_ms: int) -> int | None:
        """Since when the open insight of this key has held, as far back as is known; None: none is open."""
        known = self.open_insight(key, now_ms)
        if known is None:
            return None
        start = known.evidence.get("start")
        return round(start * 1000) if isinstance(start, int | float) else known.created_at_ms

    def open_insights(self, now_ms: int) -> list[Insight]:
        """Neither resolved nor expired: most severe first, then the newest."""
        return _ordered(insight for insight in self._insights.values() if _is_open(insight, now_ms))

    def insights(self) -> list[Insight]:
        """Everything the book holds, resolved and expired ones included: most severe first, then the newest."""
        return _ordered(self._insights.values())

    def expired(self, now_ms: int) -> list[Insight]:
        """Insights whose time is over though nobody resolved them."""
        return _ordered(
            insight
            for insight in self._insights.values()
            if insight.status != "resolved" and not _is_open(insight, now_ms)
        )

    def upsert_pattern(self, pattern: Pattern) -> bool:
        """Keep what an analysis found last. True: it is new, or another regularity than before, so people are told."""
        known = self._patterns.get(pattern.pattern_id)
        self._patterns[pattern.pattern_id] = pattern
        self._dirty_patterns[pattern.pattern_id] = pattern
        _bound(self._dirty_patterns, self.max_patterns * UNSTORED_FACTOR)
        self._trim_patterns(pattern.pattern_id)
        return known is None or _regularity(pattern) != _regularity(known)

    def patterns(self) -> list[Pattern]:
        """Newest first, then the most certain."""
        return sorted(
            self._patterns.values(), key=lambda item: (-item.created_at_ms, -item.confidence, item.pattern_id)
        )

    def restore_insight(self, insight: Insight) -> None:
        """Take back what the archive kept; what the book already holds of the same key is newer and stays.

        An insight that was open when it was stored and has been raised again since is the same one: the book's goes on
        under its id, its time of creation and its earlier start.
        """
        known = self._insights.get(insight.key)
        if known is None:
            self._insights[insight.key] = insight
            self._trim_insights(insight)
        elif (
            known.insight_id != insight.insight_id
            and known.insight_id in self._dirty_insights  # nobody has stored it as another one yet
            and _is_open(known, known.updated_at_ms)
            and _is_open(insight, known.updated_at_ms)
        ):
            evidence = dict(known.evidence)
            if "start" in evidence and "start" in insight.evidence:
                evidence["start"] = min(evidence["start"], insight.evidence["start"])
            self._dirty_insights.pop(known.insight_id, None)
            self._put_insight(
                replace(
                    known,
                    insight_id=insight.insight_id,
                    created_at_ms=min(known.created_at_ms, insight.created_at_ms),
                    evidence=evidence,
                )
            )

    def restore_pattern(self, pattern: Pattern) -> None:
        """As `restore_insight`."""
        if pattern.pattern_id not in self._patterns:
            self._patterns[pattern.pattern_id] = pattern
            self._trim_patterns(None)

    def dirty(self) -> tuple[list[Insight], list[Pattern]]:
        """What the archive has not got yet, in order of change. Stays until `mark_clean`."""
        return list(self._dirty_insights.values()), list(self._dirty_patterns.values())

    def mark_dirty(self) -> None:
        """The archive is a new one: it has nothing of what the book holds."""
        for insight in self._insights.values():
            self._dirty_insights.setdefault(insight.insight_id, insight)
        for pattern in self._patterns.values():
            self._dirty_patterns.setdefault(pattern.pattern_id, pattern)

    def mark_clean(self, insights: Sequence[Insight], patterns: Sequence[Pattern]) -> None:
        """These very records are stored. One that changed in the meantime stays dirty."""
        for insight in insights:
            if self._dirty_insights.get(insight.insight_id) is insight:
                del self._dirty_insights[insight.insight_id]
        for pattern in patterns:
            if self._dirty_patterns.get(pattern.pattern_id) is pattern:
                del self._dirty_patterns[pattern.pattern_id]

    def _put_insight(self, insight: Insight) -> None:
        self._insights[insight.key] = insight
        self._dirty_insights.pop(insight.insight_id, None)  # so that the order is that of the last change
        self._dirty_insights[insight.insight_id] = insight
        self._trim_insights(insight)

    def _trim_patterns(self, spared: str | None) -> None:
        _trim(self._patterns, self.max_patterns, lambda item: (item.confidence, item.created_at_ms), spared)

    def _trim_insights(self, newest: Insight) -> None:
        now_ms = newest.updated_at_ms
        _trim(
            self._insights,
            self.max_insights,
            lambda item: (_is_open(item, now_ms), _RANK[item.severity], item.updated_at_ms),
            newest.key if _is_open(newest, now_ms) else None,
        )
        _bound(self._dirty_insights, self.max_insights * UNSTORED_FACTOR)


def _is_open(insight: Insight, now_ms: int) -> bool:
    return insight.status != "resolved" and (insight.expires_at_ms is None or insight.expires_at_ms > now_ms)


def _ordered(insights: Iterable[Insight]) -> list[Insight]:
    return sorted(insights, key=lambda item: (-_RANK[item.severity], -item.updated_at_ms, item.key))


def _regularity(pattern: Pattern) -> tuple[object, ...]:
    """What makes a pattern another one. Its wording and confidence move a little with every analysis."""
    return (pattern.pattern_type, pattern.metric, pattern.frequency, pattern.correlation_factors)


def _trim(items: dict[str, T], limit: int, worth: Callable[[T], tuple[float, ...]], spared: str | None) -> None:
    """Take out the least worth until `limit` are left, but never the one that was just put in."""
    while len(items) > limit:
        del items[min((key for key in items if key != spared), key=lambda key: worth(items[key]))]


def _bound(items: dict[str, T], limit: int) -> None:
    """Forget the oldest changes that nobody came to store: persistence is off, or has failed for very long."""
    while len(items) > limit:
        del items[next(iter(items))]
