"""What people said to an insight: seen, not now, not at all, not useful; and what that does to it.

Pure. A `Mark` belongs to the key of an insight (rule and metric) and speaks of one episode (`insight_id`): when the
condition has ended and comes again, that is news again, whatever was said of the last time. Only `not_useful` stays
with the key: each episode it is said of, what comes of this rule for this metric ranks lower. Saying the same again
changes nothing but the time: what `undo` brings back is what was said before the first of them.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from .records import Insight, Json

Said = Literal["new", "acknowledged", "snoozed", "dismissed"]
Verb = Literal["acknowledge", "snooze", "dismiss", "undo", "renew", "not_useful"]

RANK_STEP: Final = 0.5  # an insight that was not useful weighs half as much the next time
QUIET_RANK: Final = 0.5  # at this rank and below, nobody is notified of less than critical


class NothingToUndoError(Exception):
    """Nothing was said about this insight."""


class Mark(Struct, frozen=True):
    """`until_ms`: of a snooze. `before`: what undo brings back: the words before these, and then
    (`before` of that) the state in which nothing was said; two steps are what a slip of the finger needs."""

    insight_id: str
    said: Said = "new"
    until_ms: int | None = None
    at_ms: int = 0
    by: str | None = None
    not_useful: int = 0
    before: Mark | None = None

    @property
    def rank(self) -> float:
        """1.0, halved each time it was called not useful."""
        return float(RANK_STEP**self.not_useful)


def marked(
    mark: Mark | None, insight_id: str, verb: Verb, *, at_ms: int, by: str | None, until_ms: int | None = None
) -> Mark:
    """The mark after `verb`; `renew` takes back all that was said. Raises NothingToUndoError."""
    present = of_episode(mark, insight_id)
    if verb in ("undo", "renew"):
        if present.said == "new":
            raise NothingToUndoError("nothing was said about this insight")
        earlier = present.before if verb == "undo" and present.before is not None else _unsaid(present)
        return replace(earlier, at_ms=at_ms, by=earlier.by or by)  # who said what holds again, not who took back
    said: Said = {"acknowledge": "acknowledged", "snooze": "snoozed"}.get(verb, "dismissed")  # type: ignore[assignment]
    unsaid = _unsaid(present)
    not_useful = max(present.not_useful, unsaid.not_useful + (verb == "not_useful"))
    if (present.said, present.not_useful) == (said, not_useful):
        before = present.before
    else:
        before = unsaid if present.said == "new" else replace(present, before=unsaid)
    return Mark(insight_id, said, until_ms if verb == "snooze" else None, at_ms, by, not_useful, before)


def _unsaid(mark: Mark) -> Mark:
    """Where the words about this episode began."""
    first = mark
    while first.before is not None:
        first = first.before
    return first if first.said == "new" else Mark(mark.insight_id, not_useful=first.not_useful)


def of_episode(mark: Mark | None, insight_id: str) -> Mark:
    """The mark as far as it speaks of this episode."""
    if mark is None:
        return Mark(insight_id)
    return mark if mark.insight_id == insight_id else Mark(insight_id, not_useful=mark.not_useful)


def is_hidden(mark: Mark, now_ms: int) -> bool:
    """Whether the insight stays out of people's way."""
    return mark.said == "dismissed" or (mark.said == "snoozed" and mark.until_ms is not None and now_ms < mark.until_ms)


def status(insight: Insight, mark: Mark, now_ms: int) -> str:
    """One word: resolved, dismissed, snoozed, acknowledged, new."""
    if insight.status == "resolved":
        return "resolved"
    if mark.said == "snoozed" and not is_hidden(mark, now_ms):
        return "new"  # its time is over
    return mark.said


def wants_telling(insight: Insight, mark: Mark, now_ms: int) -> bool:
    """Whether a person should be sent a message of it."""
    if is_hidden(mark, now_ms) or mark.said == "acknowledged":
        return False
    return insight.severity == "critical" or mark.rank > QUIET_RANK


def renewed(known: Insight, insight: Insight) -> Insight:
    """`insight` with the furthest value of the whole episode in its evidence (`peak`)."""
    value, before = insight.evidence.get("value"), known.evidence.get("peak", known.evidence.get("value"))
    numbers = [each for each in (value, before) if isinstance(each, int | float)]
    if not numbers:
        return insight
    peak = min(numbers) if insight.evidence.get("direction") == "below" else max(numbers)
    return replace(insight, evidence={**insight.evidence, "peak": peak})


def ended(insight: Insight, at_ms: int, *, expired: bool = False) -> Insight:
    """Resolved, with how long it lasted. `expired`: nobody saw it end; its time was over."""
    at_ms = max(at_ms, insight.updated_at_ms)
    start = insight.evidence.get("start")
    start_ms = round(start * 1000) if isinstance(start, int | float) else insight.created_at_ms
    over: Json = {"resolved_at": at_ms / 1000, "duration_s": max(0, at_ms - start_ms) / 1000, "expired": expired}
    peak = insight.evidence.get("peak", insight.evidence.get("value"))
    more = {} if peak is None else {"peak": peak}
    return replace(insight, status="resolved", updated_at_ms=at_ms, evidence={**insight.evidence, **more, **over})


def mark_json(mark: Mark) -> dict[str, Any]:
    """For storage."""
    return {
        "insight_id": mark.insight_id,
        "said": mark.said,
        "until_ms": mark.until_ms,
        "at_ms": mark.at_ms,
        "by": mark.by,
        "not_useful": mark.not_useful,
        "before": None if mark.before is None else mark_json(mark.before),
    }


def mark_from(document: Json) -> Mark:
    before = document["before"]
    return Mark(**{**document, "before": None if before is None else mark_from(before)})
