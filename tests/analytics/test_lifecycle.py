"""What people say to insights, and what it does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analytics.lifecycle import (
    Mark,
    NothingToUndoError,
    ended,
    is_hidden,
    mark_from,
    mark_json,
    marked,
    of_episode,
    renewed,
    status,
    wants_telling,
)
from analytics.records import Insight

NOW_MS = 1_700_000_000_000
INSIGHT = Insight(
    insight_id="i", key="k", title="t", description="d", category="cost", severity="high", confidence=0.5,
    impact_score=0.5, created_at_ms=NOW_MS, updated_at_ms=NOW_MS, expires_at_ms=None, recommendations=(),
    evidence={"start": NOW_MS / 1000 - 60, "value": 9.0, "direction": "above"},
)  # fmt: skip


def said(verb: str, mark: Mark | None = None, **members: object) -> Mark:
    return marked(mark, "i", verb, at_ms=NOW_MS, by="anna", **members)


def test_each_word_can_be_taken_back() -> None:
    for verb, word in (("acknowledge", "acknowledged"), ("dismiss", "dismissed"), ("not_useful", "dismissed")):
        mark = said(verb)
        assert (mark.said, mark.by) == (word, "anna")
        assert said("undo", mark).said == "new"
        assert said("undo", mark).not_useful == 0
    twice = said("dismiss", said("acknowledge"))
    assert said("undo", twice).said == "acknowledged"
    assert said("undo", said("undo", twice)).said == "new"
    for verb in ("undo", "renew"):
        with pytest.raises(NothingToUndoError):
            said(verb, said("undo", said("undo", twice)))
        with pytest.raises(NothingToUndoError):
            said(verb)


def test_who_takes_back_has_not_said_what_was_said_before() -> None:
    snoozed = marked(said("acknowledge"), "i", "snooze", at_ms=NOW_MS, by="ben", until_ms=NOW_MS + 1)
    back = marked(snoozed, "i", "undo", at_ms=NOW_MS + 1, by="ben")
    assert (back.said, back.by) == ("acknowledged", "anna")


@pytest.mark.parametrize("verb", ["acknowledge", "snooze", "dismiss", "not_useful"])
def test_the_same_said_twice_is_taken_back_at_once(verb: str) -> None:
    twice = said(verb, said(verb))
    assert twice == said(verb)
    assert said("undo", twice) == said("undo", said(verb))
    before = "acknowledged" if verb != "acknowledge" else "dismissed"
    over = said("acknowledge" if verb != "acknowledge" else "dismiss")
    assert said("undo", said(verb, said(verb, over))).said == before


def test_all_can_be_taken_back_at_once() -> None:
    mark = None
    for verb in ("snooze", "not_useful", "acknowledge", "dismiss", "acknowledge"):
        mark = said(verb, mark)
        back = said("renew", mark)
        assert (back.said, back.not_useful, back.before) == ("new", 0, None)
    assert mark.before.before.before is None  # two steps are kept, not all
    assert said("undo", said("undo", mark)).said == "new"
    stored = Mark("i", "dismissed", before=Mark("i", "acknowledged"))  # as they were kept with one step
    assert said("renew", stored).said == "new"
    assert said("undo", said("undo", stored)).said == "new"


def test_a_snooze_ends_by_itself() -> None:
    mark = said("snooze", until_ms=NOW_MS + 10)
    assert is_hidden(mark, NOW_MS + 9)
    assert status(INSIGHT, mark, NOW_MS + 9) == "snoozed"
    assert not is_hidden(mark, NOW_MS + 10)
    assert status(INSIGHT, mark, NOW_MS + 10) == "new"


def test_the_next_episode_is_news_and_the_rank_stays() -> None:
    mark = said("not_useful")
    again = of_episode(mark, "another")
    assert (again.said, again.rank) == ("new", 0.5)
    assert not wants_telling(INSIGHT, again, NOW_MS)
    assert wants_telling(replace(INSIGHT, severity="critical"), again, NOW_MS)
    assert wants_telling(INSIGHT, Mark("another"), NOW_MS)


def test_the_peak_of_an_episode() -> None:
    lower = replace(INSIGHT, evidence={**INSIGHT.evidence, "value": 8.5})
    assert renewed(INSIGHT, lower).evidence["peak"] == 9.0
    higher = replace(INSIGHT, evidence={**INSIGHT.evidence, "value": 9.5})
    assert renewed(renewed(INSIGHT, lower), higher).evidence["peak"] == 9.5
    below = replace(INSIGHT, evidence={"value": 3.0, "direction": "below"})
    assert renewed(below, replace(below, evidence={"value": 2.0, "direction": "below"})).evidence["peak"] == 2.0
    assert renewed(replace(INSIGHT, evidence={}), replace(INSIGHT, evidence={})).evidence == {}


def test_an_end_tells_duration_and_peak() -> None:
    over = ended(INSIGHT, NOW_MS + 60_000)
    assert over.status == "resolved"
    assert over.evidence["duration_s"] == 120.0
    assert over.evidence["peak"] == 9.0
    assert over.evidence["expired"] is False
    assert ended(replace(INSIGHT, evidence={}), NOW_MS - 5).evidence["duration_s"] == 0.0
    assert status(over, said("dismiss"), NOW_MS) == "resolved"


def test_it_survives_storing() -> None:
    mark = said("snooze", said("not_useful"), until_ms=5)
    assert mark_from(mark_json(mark)) == mark
