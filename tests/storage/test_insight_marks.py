"""Marks over the book: what is shown, in which order, and how many are kept."""

from __future__ import annotations

import pytest

from analytics.lifecycle import Mark
from analytics.notices import Standing
from analytics.records import Insight
from storage.insight_book import InsightBook
from storage.insight_marks import MAX_MARKS, InsightMarks

NOW_MS = 1_700_000_000_000


def insight(key: str, **members: object) -> Insight:
    given = {
        "insight_id": f"id-{key}", "key": key, "title": "t", "description": "d", "category": "cost",
        "severity": "low", "confidence": 0.5, "impact_score": 0.8, "created_at_ms": NOW_MS, "updated_at_ms": NOW_MS,
        "expires_at_ms": None, "recommendations": (),
    }  # fmt: skip
    return Insight(**{**given, **members})


@pytest.fixture
def marks() -> InsightMarks:
    book = InsightBook()
    for key in ("a", "b", "c"):
        book.upsert_insight(insight(key))
    return InsightMarks(book)


def test_what_is_out_of_the_way_is_not_shown(marks) -> None:
    marks.put("a", Mark("id-a", "dismissed"))
    marks.put("b", Mark("of an earlier time", "dismissed", not_useful=1))
    assert [each.key for each in marks.visible(NOW_MS)] == ["c", "b"]
    assert marks.find("id-a").key == "a"
    assert marks.find("nothing") is None


def test_members_of_a_frame(marks) -> None:
    marks.put("b", Mark("id-b", "snoozed", NOW_MS + 1000, NOW_MS, "anna", 1))
    marks.note_effect("id-b", "Fan on 14:02")
    members = marks.members(marks.find("id-b"), NOW_MS)
    assert members == {
        "status": "snoozed",
        "impact_score": 0.4,
        "first_seen": NOW_MS / 1000,
        "last_seen": NOW_MS / 1000,
        "snoozed_until": NOW_MS / 1000 + 1,
        "marked_at": NOW_MS / 1000,
        "marked_by": "anna",
        "not_useful": 1,
        "effects": ["Fan on 14:02"],
    }


def test_what_people_want_to_be_told_of(marks) -> None:
    marks.put("a", Mark("id-a", "acknowledged"))
    marks.put("b", Mark("id-b", "snoozed", NOW_MS + 1000))
    assert marks.standing(NOW_MS) == Standing(frozenset({"c"}), frozenset({"a", "b"}))
    assert marks.standing(NOW_MS + 1000) == Standing(frozenset({"b", "c"}), frozenset({"a"}))


def test_what_is_here_is_newer_than_what_was_stored(marks) -> None:
    marks.put("a", Mark("id-a", "dismissed"))
    marks.load({"a": Mark("id-a"), "b": Mark("id-b", "dismissed")})
    assert [each.key for each in marks.visible(NOW_MS)] == ["c"]


def test_bounded(marks) -> None:
    marks.put("a", Mark("id-a", "dismissed"))
    for number in range(MAX_MARKS):
        marks.put(str(number), Mark("x", "dismissed"))
    assert marks.status(marks.find("id-a"), NOW_MS) == "new"
