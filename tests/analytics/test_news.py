from __future__ import annotations

import pytest
from msgspec.structs import replace

from analytics.catalogue import MetricSpec
from analytics.news import AGAIN_MS, News, subject_of
from analytics.records import FindingKind, Insight

NOW = 1_790_000_000_000
HOUR = 3_600_000


def insight(key: str, kind: FindingKind, severity: str = "medium", at_ms: int = NOW) -> Insight:
    return Insight(
        insight_id=key, key=key, title=key, description="", category="reliability", severity=severity,  # type: ignore[arg-type]
        confidence=0.8, impact_score=0.5, created_at_ms=at_ms, updated_at_ms=at_ms, expires_at_ms=None,
        recommendations=(), evidence={"kind": str(kind)},
    )  # fmt: skip


WARMING = insight("warming:fridge", FindingKind.WARMING)
LIMIT = insight("limit:fridge", FindingKind.LIMIT)
DUTY = insight("duty_grew:fridge.state", FindingKind.DUTY_GREW)


def test_one_fault_with_three_insights_is_told_once() -> None:
    news = News()
    assert news.take(WARMING, "fridge", NOW, [])
    assert not news.take(LIMIT, "fridge", NOW + HOUR, [WARMING.key])
    assert not news.take(DUTY, "fridge", NOW + 2 * HOUR, [WARMING.key, LIMIT.key])
    assert news.take(insight("leak:fresh", FindingKind.LEAK), "fresh", NOW + HOUR, [WARMING.key])  # another fault


def test_worse_and_critical_are_always_news() -> None:
    news = News()
    assert news.take(WARMING, "fridge", NOW, [])
    assert news.take(replace(LIMIT, severity="high"), "fridge", NOW + 1, [WARMING.key])
    critical = replace(LIMIT, severity="critical")
    assert news.take(critical, "fridge", NOW + 2, [WARMING.key, LIMIT.key])
    assert not news.take(critical, "fridge", NOW + 3, [WARMING.key, LIMIT.key])  # renewed, not again
    assert news.take(critical, "fridge", NOW + HOUR, [WARMING.key])  # it was over and is back


def test_a_judgement_that_comes_and_goes_is_told_once_a_day_and_a_fact_each_time() -> None:
    news = News()
    assert news.take(WARMING, "fridge", NOW, [])
    assert not news.take(WARMING, "fridge", NOW + HOUR, [])
    assert news.take(WARMING, "fridge", NOW + AGAIN_MS, [])
    other = News()
    assert other.take(LIMIT, "fridge", NOW, [])
    assert other.take(LIMIT, "fridge", NOW + HOUR, [])


def test_what_is_milder_than_what_was_told_that_day_is_no_news() -> None:
    news = News()
    assert news.take(replace(LIMIT, severity="critical"), "fridge", NOW, [])
    assert not news.take(LIMIT, "fridge", NOW + HOUR, [])  # over, and back at its warning
    assert news.take(LIMIT, "fridge", NOW + AGAIN_MS, [])


def test_what_was_told_by_a_clock_that_was_ahead_silences_nothing() -> None:
    news = News()
    assert news.take(WARMING, "fridge", NOW + 5 * 365 * AGAIN_MS, [])
    assert news.take(WARMING, "fridge", NOW, [])
    assert not news.take(DUTY, "fridge", NOW - HOUR, [])  # set back by an hour: lately all the same


def test_what_was_left_untold_is_told_when_it_outlives_what_spoke_for_it() -> None:
    news = News()
    news.take(WARMING, "fridge", NOW, [])
    assert not news.take(LIMIT, "fridge", NOW + 1, [WARMING.key])
    assert news.take(LIMIT, "fridge", NOW + HOUR, [LIMIT.key])  # the other one is over


def test_what_an_earlier_life_told_is_known() -> None:
    news = News()
    news.remember(WARMING, "fridge")
    assert not news.take(DUTY, "fridge", NOW + HOUR, [WARMING.key])


@pytest.mark.parametrize(
    ("role", "subject"), [("battery_soc", "house battery"), ("battery_current", "house battery"), (None, "m")]
)
def test_a_subject_is_the_thing_of_the_role_or_the_metric(role: str | None, subject: str) -> None:
    assert subject_of("m", MetricSpec(pattern="m", role=role)) == subject
