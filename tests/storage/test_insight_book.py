"""The book: identities, order, bounds, and nothing lost on the way to the archive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analytics.records import Insight, Pattern, Severity
from storage.insight_book import UNSTORED_FACTOR, InsightBook

NOW_MS = 1_790_000_000_000


def insight(key: str, at_ms: int = NOW_MS, severity: Severity = "medium", expires_ms: int | None = None) -> Insight:
    return Insight(
        insight_id=f"{key}@{at_ms}",
        key=key,
        title=key,
        description="",
        category="reliability",
        severity=severity,
        confidence=0.5,
        impact_score=0.5,
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
        expires_at_ms=expires_ms,
        recommendations=(),
    )


def pattern(pattern_id: str, at_ms: int = NOW_MS, confidence: float = 0.5, frequency: str | None = "daily") -> Pattern:
    return Pattern(
        pattern_id=pattern_id,
        pattern_type="cyclical",
        metric=pattern_id,
        description="",
        confidence=confidence,
        frequency=frequency,
        correlation_factors=(),
        prediction_window=None,
        created_at_ms=at_ms,
    )


def test_an_open_insight_keeps_its_identity() -> None:
    book = InsightBook()
    assert book.upsert_insight(insight("a"))
    assert not book.upsert_insight(replace(insight("a", NOW_MS + 5, "critical"), title="worse"))
    kept = book.insight("a")
    assert kept is not None
    assert (kept.insight_id, kept.created_at_ms) == (f"a@{NOW_MS}", NOW_MS)
    assert (kept.updated_at_ms, kept.severity, kept.title) == (NOW_MS + 5, "critical", "worse")


def test_raised_again_after_it_ended_it_is_new() -> None:
    book = InsightBook()
    book.upsert_insight(insight("a", expires_ms=NOW_MS + 100))
    assert book.upsert_insight(insight("a", NOW_MS + 100))  # expired
    assert book.resolve("a", NOW_MS + 200) is not None
    assert book.upsert_insight(insight("a", NOW_MS + 300))
    assert book.insight("a") == insight("a", NOW_MS + 300)


def test_resolving() -> None:
    book = InsightBook()
    assert book.resolve("a", NOW_MS) is None
    book.upsert_insight(insight("a"))
    resolved = book.resolve("a", NOW_MS + 7)
    assert resolved is not None
    assert (resolved.status, resolved.updated_at_ms, resolved.insight_id) == ("resolved", NOW_MS + 7, f"a@{NOW_MS}")
    assert book.resolve("a", NOW_MS + 8) is None
    assert book.open_insights(NOW_MS + 8) == []
    assert book.insights() == [resolved]


def test_open_ones_most_severe_first_then_the_newest() -> None:
    book = InsightBook()
    for key, at_ms, severity in (("a", 1, "low"), ("b", 2, "high"), ("c", 3, "high"), ("d", 4, "critical")):
        book.upsert_insight(insight(key, NOW_MS + at_ms, severity))  # type: ignore[arg-type]
    book.upsert_insight(insight("e", NOW_MS, "critical", expires_ms=NOW_MS + 5))
    assert [item.key for item in book.open_insights(NOW_MS + 5)] == ["d", "c", "b", "a"]
    assert [item.key for item in book.open_insights(NOW_MS + 4)] == ["d", "e", "c", "b", "a"]
    assert [item.key for item in book.expired(NOW_MS + 5)] == ["e"]


def test_a_full_book_lets_go_of_ended_then_mild_then_old_ones() -> None:
    book = InsightBook(max_insights=3)
    book.upsert_insight(insight("ended", NOW_MS, "critical"))
    book.resolve("ended", NOW_MS)
    book.upsert_insight(insight("mild", NOW_MS + 1, "low"))
    book.upsert_insight(insight("old", NOW_MS + 2, "high"))
    book.upsert_insight(insight("newer", NOW_MS + 3, "high"))
    assert {item.key for item in book.insights()} == {"mild", "old", "newer"}
    book.upsert_insight(insight("newest", NOW_MS + 4, "high"))
    assert {item.key for item in book.insights()} == {"old", "newer", "newest"}
    book.upsert_insight(insight("mild again", NOW_MS + 5, "low"))  # the one that just came is never the one to go
    assert {item.key for item in book.insights()} == {"newer", "newest", "mild again"}


def test_patterns_are_news_when_they_change_in_kind() -> None:
    book = InsightBook(max_patterns=2)
    assert book.upsert_pattern(pattern("a"))
    assert not book.upsert_pattern(pattern("a", NOW_MS + 1, 0.6))
    assert book.upsert_pattern(pattern("a", NOW_MS + 2, 0.6, "weekly"))
    book.upsert_pattern(pattern("b", NOW_MS + 3, 0.1))
    book.upsert_pattern(pattern("c", NOW_MS + 4, 0.2))
    assert [item.pattern_id for item in book.patterns()] == ["c", "a"]


def test_dirty_until_these_very_records_are_stored() -> None:
    book = InsightBook()
    book.upsert_insight(insight("a"))
    book.upsert_pattern(pattern("p"))
    insights, patterns = book.dirty()
    assert book.dirty() == (insights, patterns)  # asking changes nothing: the commit may fail
    book.resolve("a", NOW_MS + 1)
    book.upsert_pattern(pattern("p", NOW_MS + 1))
    book.mark_clean(insights, patterns)
    assert [item.status for item in book.dirty()[0]] == ["resolved"]
    assert [item.created_at_ms for item in book.dirty()[1]] == [NOW_MS + 1]
    book.mark_clean(*book.dirty())
    assert book.dirty() == ([], [])


def test_an_insight_that_left_the_book_is_still_stored() -> None:
    book = InsightBook(max_insights=1)
    book.upsert_insight(insight("a"))
    book.upsert_insight(insight("b", NOW_MS + 1))
    assert [item.key for item in book.dirty()[0]] == ["a", "b"]


def test_what_waits_is_bounded_when_nobody_stores_it() -> None:
    book = InsightBook(max_insights=2, max_patterns=2)
    for index in range(50):
        book.upsert_insight(insight(f"k{index}", NOW_MS + index))
        book.upsert_pattern(pattern(f"p{index}", NOW_MS + index))
    insights, patterns = book.dirty()
    assert len(insights) == len(patterns) == 2 * UNSTORED_FACTOR
    assert insights[-1].key == "k49"


def test_restored_records_are_clean_and_older_than_what_is_there() -> None:
    book = InsightBook(max_insights=2, max_patterns=1)
    book.upsert_insight(insight("a", NOW_MS + 5))
    book.upsert_pattern(pattern("p", NOW_MS + 5))
    book.mark_clean(*book.dirty())
    book.restore_insight(insight("a", NOW_MS))
    book.restore_insight(insight("b", NOW_MS))
    book.restore_pattern(pattern("p", NOW_MS))
    book.restore_pattern(pattern("q", NOW_MS, confidence=0.1))
    assert book.insight("a") == insight("a", NOW_MS + 5)
    assert book.insight("b") == insight("b", NOW_MS)
    assert book.patterns() == [pattern("p", NOW_MS + 5)]
    assert book.dirty() == ([], [])


def test_a_book_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        InsightBook(max_insights=0)


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["raise", "resolve", "store", "fail"])), max_size=40)
)
def test_every_last_state_reaches_the_archive(steps: list[tuple[str, str]]) -> None:
    book = InsightBook(max_insights=6)
    archive: dict[str, Insight] = {}
    for at, (key, what) in enumerate(steps):
        if what == "raise":
            book.upsert_insight(insight(key, NOW_MS + at))
        elif what == "resolve":
            book.resolve(key, NOW_MS + at)
        else:
            insights, patterns = book.dirty()
            if what == "store":
                archive.update((item.insight_id, item) for item in insights)
                book.mark_clean(insights, patterns)
    archive.update((item.insight_id, item) for item in book.dirty()[0])
    for item in book.insights():
        assert archive[item.insight_id] == item


def test_an_insight_raised_before_the_archive_was_read_goes_on_as_the_stored_one() -> None:
    book = InsightBook()
    start = NOW_MS / 1000
    book.upsert_insight(replace(insight("a", NOW_MS), evidence={"start": start - 60}))
    book.restore_insight(replace(insight("a", NOW_MS - 7_200_000), evidence={"start": start - 7_300}))
    (known,) = book.open_insights(NOW_MS)
    assert (known.insight_id, known.created_at_ms) == (f"a@{NOW_MS - 7_200_000}", NOW_MS - 7_200_000)
    assert book.start_ms("a", NOW_MS) == NOW_MS - 7_300_000
    assert [item.insight_id for item in book.dirty()[0]] == [known.insight_id]


def test_a_stored_insight_that_had_ended_is_another_one() -> None:
    book = InsightBook()
    book.upsert_insight(insight("a", NOW_MS))
    book.restore_insight(replace(insight("a", NOW_MS - 7_200_000), status="resolved"))
    assert [item.insight_id for item in book.open_insights(NOW_MS)] == [f"a@{NOW_MS}"]


def test_since_when_an_open_insight_has_held() -> None:
    book = InsightBook()
    assert book.start_ms("a", NOW_MS) is None
    book.upsert_insight(insight("a", NOW_MS))
    assert book.start_ms("a", NOW_MS) == NOW_MS
    book.upsert_insight(replace(insight("a", NOW_MS), evidence={"start": NOW_MS / 1000 - 5}))
    assert book.start_ms("a", NOW_MS) == NOW_MS - 5000
    book.resolve("a", NOW_MS + 1)
    assert book.start_ms("a", NOW_MS + 1) is None


def test_all_of_it_is_dirty_when_the_archive_is_a_new_one() -> None:
    book = InsightBook()
    book.upsert_insight(insight("a"))
    book.upsert_pattern(pattern("p"))
    book.mark_clean(*book.dirty())
    assert book.dirty() == ([], [])
    book.mark_dirty()
    insights, patterns = book.dirty()
    assert [each.key for each in insights] == ["a"]
    assert [each.pattern_id for each in patterns] == ["p"]
