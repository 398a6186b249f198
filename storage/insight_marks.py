"""The marks people put on insights, in memory: who hears of what, and what is shown.

A plain object over the book that survives every restart; the control store keeps what it holds (`control_marks.py`).
Bounded: marks without effect go when there are more than MAX_MARKS, the oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from analytics.lifecycle import Mark, Verb, is_hidden, marked, of_episode, status, wants_telling
from analytics.notices import Standing
from analytics.records import Insight

from .insight_book import InsightBook

MAX_MARKS: Final = 2_000
EFFECTS_KEPT: Final = 5  # sentences per insight


class InsightMarks:
    """See the module docstring. All times are unix milliseconds."""

    def __init__(self, book: InsightBook) -> None:
        self._book = book
        self._marks: dict[str, Mark] = {}  # by key
        self._effects: dict[str, tuple[str, ...]] = {}  # by insight id: what actions on its advice changed

    def load(self, marks: Mapping[str, Mark]) -> None:
        """What was stored; what is here already is newer."""
        self._marks = {**marks, **self._marks}

    def find(self, insight_id: str) -> Insight | None:
        """The insight of this id, resolved ones included."""
        return next((each for each in self._book.insights() if each.insight_id == insight_id), None)

    def mark(self, insight: Insight) -> Mark:
        return of_episode(self._marks.get(insight.key), insight.insight_id)

    def next_mark(
        self, insight: Insight, verb: Verb, *, at_ms: int, by: str | None, until_ms: int | None = None
    ) -> Mark:
        """The mark that `verb` would make, which `put` then makes. Raises NothingToUndoError."""
        return marked(self._marks.get(insight.key), insight.insight_id, verb, at_ms=at_ms, by=by, until_ms=until_ms)

    def put(self, key: str, mark: Mark) -> None:
        self._marks.pop(key, None)
        self._marks[key] = mark
        while len(self._marks) > MAX_MARKS:
            del self._marks[next(iter(self._marks))]

    def note_effect(self, insight_id: str, sentence: str) -> None:
        """What an action on the insight's advice has changed."""
        known = self._effects.pop(insight_id, ())
        self._effects[insight_id] = (*known, sentence)[-EFFECTS_KEPT:]
        while len(self._effects) > MAX_MARKS:
            del self._effects[next(iter(self._effects))]

    def status(self, insight: Insight, now_ms: int) -> str:
        return status(insight, self.mark(insight), now_ms)

    def visible(self, now_ms: int) -> list[Insight]:
        """Open, and nobody has put it out of the way: most severe first, then rank, then the newest."""
        shown = [each for each in self._book.open_insights(now_ms) if not is_hidden(self.mark(each), now_ms)]
        return sorted(shown, key=lambda each: -self.mark(each).rank) if self._marks else shown

    def standing(self, now_ms: int) -> Standing:
        """Every open insight, by whether people want to be told of it."""
        keys = {each.key: self.wants_telling(each, now_ms) for each in self._book.open_insights(now_ms)}
        wanted = frozenset(key for key, is_wanted in keys.items() if is_wanted)
        return Standing(wanted, frozenset(keys) - wanted)

    def wants_telling(self, insight: Insight, now_ms: int) -> bool:
        return wants_telling(insight, self.mark(insight), now_ms)

    def members(self, insight: Insight, now_ms: int) -> dict[str, Any]:
        """What a frame says of an insight's life, over the frame's own members."""
        mark = self.mark(insight)
        start = insight.evidence.get("start")
        return {
            "status": status(insight, mark, now_ms),
            "impact_score": round(insight.impact_score * mark.rank, 4),
            "first_seen": start if isinstance(start, int | float) else insight.created_at_ms / 1000,
            "last_seen": insight.updated_at_ms / 1000,
            "snoozed_until": None if mark.until_ms is None or mark.said != "snoozed" else mark.until_ms / 1000,
            "marked_at": None if mark.said == "new" else mark.at_ms / 1000,
            "marked_by": None if mark.said == "new" else mark.by,
            "not_useful": mark.not_useful,
            "effects": list(self._effects.get(insight.insight_id, ())),
        }
