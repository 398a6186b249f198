"""The desk: new once, one incident instead of many insights, and what outlives it."""

from __future__ import annotations

import pytest

from actors.insight_desk import INCIDENT, MANY, SETTLED_MS, TOGETHER_MS, InsightDesk
from analytics.catalogue import Catalogue, MetricSpec
from analytics.records import Finding, FindingKind
from analytics.rules import parse_rules
from conf.loader import read_mapping
from storage.insight_book import InsightBook

NOW = 1_790_000_000_000


def found(metric: str, at_ms: int = NOW, **changes: object) -> Finding:
    members = {
        "kind": FindingKind.LIMIT, "metric": metric, "at_ms": at_ms, "start_ms": at_ms - 1000, "value": 3.0,
        "expected_low": 5.0, "expected_high": None, "score": 1.5, "confidence": 0.8, "samples": 24,
        "direction": "below",
    }  # fmt: skip
    return Finding(**(members | changes))  # type: ignore[arg-type]


@pytest.fixture
def desk() -> InsightDesk:
    rules = parse_rules(read_mapping("rules.yaml"))
    return InsightDesk(book=InsightBook(), rules=rules, catalogue=Catalogue(), started_ms=NOW - SETTLED_MS)


def keys(desk: InsightDesk, now_ms: int = NOW) -> list[str]:
    return sorted(insight.key for insight in desk._book.open_insights(now_ms))


def test_new_once_then_renewed_then_over(desk):
    changes = desk.take([found("a"), found("a", NOW + 1), found("a", NOW + 2, over=True)], NOW)
    assert [(change.is_new, change.insight.status) for change in changes] == [
        (True, "new"), (False, "new"), (False, "resolved"),
    ]  # fmt: skip
    assert desk.take([found("a", over=True)], NOW) == []


def test_four_at_once_are_four(desk):
    changes = desk.take([found(name) for name in "abcd"], NOW)
    assert sum(change.is_new for change in changes) == 4
    assert keys(desk) == [f"limit:{name}" for name in "abcd"]


def test_two_hundred_at_once_are_one_incident(desk):
    told = []
    for number in range(200):  # one by one, as they are noticed over a minute
        told += desk.take([found(f"m{number:03d}", NOW + 300 * number)], NOW + 300 * number)
    new = [change.insight for change in told if change.is_new]
    assert len(new) == MANY  # four that came before it could be known, and the incident
    assert keys(desk) == [INCIDENT]
    (incident,) = desk._book.open_insights(NOW)
    assert incident.title == "200 things changed at the same moment"
    assert len(incident.evidence["members"]) == 50
    assert desk.gathered() == {f"limit:m{number:03d}" for number in range(200)}


def test_a_batch_of_many_is_one_incident_and_nothing_else_is_open(desk):
    desk.take([found(name, level="critical" if name == "c" else "warning") for name in "abcdefgh"], NOW)
    assert keys(desk) == [INCIDENT]
    assert desk._book.open_insights(NOW)[0].severity == "critical"


def test_what_starts_later_is_another_matter(desk):
    desk.take([found(name) for name in "abcdefgh"], NOW)
    later = NOW + TOGETHER_MS + 2000
    desk.take([found("z", later)], later)
    assert keys(desk, later) == [INCIDENT, "limit:z"]


def test_an_incident_ends_with_most_of_it_and_the_rest_is_told(desk):
    desk.take([found(name) for name in "abcdefgh"], NOW)
    desk.take([found(name, over=True) for name in "abcde"], NOW + 60_000)
    assert keys(desk) == [INCIDENT]
    desk.take([found("f", over=True)], NOW + 61_000)
    assert keys(desk) == []
    changes = desk.take([found("g", NOW + 600_000, start_ms=NOW - 1000)], NOW + 600_000)  # the sweep finds it again
    assert [change.is_new for change in changes] == [True]
    assert keys(desk) == ["limit:g"]


def test_at_the_start_everything_seems_to_have_begun_together(desk):
    rules = parse_rules(read_mapping("rules.yaml"))
    fresh = InsightDesk(book=InsightBook(), rules=rules, catalogue=Catalogue(), started_ms=NOW - 1000)
    fresh.take([found(name) for name in "abcdefgh"], NOW)
    assert len(keys(fresh)) == 8


@pytest.mark.parametrize("started_ms", [60_000, NOW + 5 * 365 * 86_400_000])
def test_whatever_the_clock_said_at_the_start(started_ms):
    """Of 1970, or years ahead: what an earlier process told is known, and many at once are one incident."""
    rules = parse_rules(read_mapping("rules.yaml"))
    book = InsightBook()
    told = rules.insight(found("a", NOW - 60_000), MetricSpec(), NOW - 60_000)
    assert told is not None
    book.restore_insight(told)
    late = InsightDesk(book=book, rules=rules, catalogue=Catalogue(), started_ms=started_ms)
    assert [(change.is_new, change.is_news) for change in late.take([found("a")], NOW)] == [(False, False)]
    late.take([found(name, start_ms=NOW) for name in "bcdefgh"], NOW)
    assert INCIDENT in keys(late)


def test_what_was_open_before_joins_no_incident(desk):
    desk.take([found("a", NOW - 3_600_000)], NOW - 3_600_000)
    desk.take([found(name) for name in "abcdefgh"], NOW)
    assert keys(desk) == [INCIDENT, "limit:a"]


def test_one_trouble_of_one_metric_is_told_once(desk):
    desk.take([found("a")], NOW)
    assert desk.take([found("a", kind=FindingKind.DEVIATION), found("a", kind=FindingKind.WARMING)], NOW) == []
    assert desk.take([found("b", kind=FindingKind.DEVIATION)], NOW)[0].is_new
    assert desk.take([found("b")], NOW)[0].is_new  # the definite one is news
    assert keys(desk) == ["deviation:b", "limit:a", "limit:b"]


def test_one_fault_of_two_metrics_of_one_thing_is_news_once():
    catalogue = Catalogue(
        [MetricSpec(pattern="soc", role="battery_soc"), MetricSpec(pattern="volt", role="battery_voltage")]
    )
    desk = InsightDesk(book=InsightBook(), rules=parse_rules(read_mapping("rules.yaml")), catalogue=catalogue)
    (first,) = desk.take([found("soc")], NOW)
    (second,) = desk.take([found("volt", NOW + 1)], NOW + 1)
    assert (first.is_new, first.is_news) == (True, True)
    assert (second.is_new, second.is_news) == (True, False)  # on the page, but nobody is called
    (worse,) = desk.take([found("volt", NOW + 2, level="critical")], NOW + 2)
    assert (worse.is_new, worse.is_news) == (False, True)
    desk.take([found("soc", NOW + 3, over=True)], NOW + 3)
