"""The notifier: hub and log hear everything, the courier what a person may have to be sent."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from actors.alarms import Alarms
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import AlertChanged, InsightChanged, PatternFound, Pressure, StatusChanged
from actors.notifier import Notifier
from analytics.catalogue import Catalogue, MetricSpec
from analytics.lifecycle import Mark
from analytics.notices import Notice
from analytics.records import Insight, Pattern
from analytics.threshold import INITIAL, AlertEvent, Threshold, advance
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks

NOW_MS = 1_700_000_000_000
INSIGHT = Insight(
    insight_id="i1",
    key="limit:fridge",
    title="The fridge is warm",
    description="",
    category="reliability",
    severity="high",
    confidence=0.9,
    impact_score=0.7,
    created_at_ms=1_700_000_000_000,
    updated_at_ms=1_700_000_000_000,
    expires_at_ms=None,
    recommendations=("Close the door",),
    metric="fridge",
)


@dataclass
class Heard:
    events: list[tuple[str, dict]]
    notices: list[Notice]


async def hear(*messages: object, mark: Mark | None = None) -> Heard:
    """What a dashboard and the courier hear of these messages."""
    mailbox: Mailbox = Mailbox("notifier", capacity=16, pressure=Pressure.DROP_OLDEST)
    hub, notices = Hub(lambda: 0), []
    marks = InsightMarks(InsightBook())
    if mark is not None:
        marks.put(INSIGHT.key, mark)
    alarms = Alarms(Catalogue([MetricSpec(pattern="m", title="Battery", unit="V")]), hub, mailbox)
    for message in messages:
        mailbox.put_nowait(message)
    mailbox.close()
    with hub.subscribe() as subscription:
        notifier = Notifier(
            mailbox=mailbox, hub=hub, marks=marks, alarms=alarms, tell=notices.append, wall_ms=lambda: NOW_MS
        )
        await notifier.run()
        hub.publish("end", {})
        found = [(event.topic, dict(event.data)) for event in await subscription.receive()]
    return Heard(found[:-1], notices)


async def events(*messages: object) -> list[tuple[str, dict]]:
    return (await hear(*messages)).events


async def test_a_new_severe_insight_is_an_insight_and_an_alert():
    heard = await events(InsightChanged(INSIGHT, True, True))
    assert [topic for topic, _ in heard] == ["insight", "alert"]
    assert heard[1][1] == {
        "type": "insight",
        "insight_id": "i1",
        "metric": "fridge",
        "severity": "high",
        "message": "The fridge is warm",
        "recommendation": "Close the door",
    }


@pytest.mark.parametrize(
    ("insight", "is_new", "topics"),
    [
        (replace(INSIGHT, severity="low"), True, ["insight"]),
        (INSIGHT, False, ["insight_update"]),
        (replace(INSIGHT, status="resolved"), False, ["insight_update"]),
    ],
)
async def test_less_is_no_alert(insight, is_new, topics):
    assert [topic for topic, _ in await events(InsightChanged(insight, is_new, is_new))] == topics


async def test_patterns_and_states_are_published():
    pattern = Pattern("p1", "cyclical", "soc", "daily", 0.8, "daily", (), None, 0)
    heard = await events(PatternFound(pattern), StatusChanged("persistence", "degraded", "the disk is full"))
    assert heard[0][0] == "pattern"
    assert heard[1] == ("status", {"part": "persistence", "state": "degraded", "reason": "the disk is full"})


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        (Mark("i1", "acknowledged"), False),
        (Mark("i1", "snoozed", NOW_MS + 1), False),
        (Mark("i1", "snoozed", NOW_MS), True),
        (Mark("i1", "dismissed"), False),
        (Mark("another", "dismissed"), True),
        (Mark("another", not_useful=1), False),
    ],
)
async def test_nobody_is_told_of_what_was_put_out_of_the_way(mark, told):
    heard = await hear(InsightChanged(INSIGHT, True, True), mark=mark)
    assert [topic for topic, _ in heard.events] == (["insight", "alert"] if told else ["insight"])
    assert bool(heard.notices) is told


async def test_the_courier_hears_what_is_new_and_what_is_over():
    over = replace(INSIGHT, status="resolved")
    heard = await hear(InsightChanged(INSIGHT, True, True), InsightChanged(INSIGHT, False), InsightChanged(over, False))
    assert [(notice.key, notice.firing) for notice in heard.notices] == [
        ("limit:fridge", True),
        ("limit:fridge", False),
    ]


async def test_the_courier_hears_silently_of_the_end_of_what_was_put_out_of_the_way():
    over = replace(INSIGHT, status="resolved")
    heard = await hear(InsightChanged(over, False), mark=Mark("i1", "acknowledged"))
    assert [(notice.key, notice.firing, notice.silent) for notice in heard.notices] == [("limit:fridge", False, True)]


async def test_the_courier_hears_of_thresholds_what_is_news():
    rule = Threshold(
        threshold_id="t", name="Low", metric="m", role=None, condition="below", low=12.0, high=None, severity="high"
    )
    firing = advance(rule, INITIAL, 11.0, NOW_MS)
    heard = await hear(AlertChanged(AlertEvent(rule, "m", INITIAL, firing, NOW_MS)))
    assert [(notice.key, notice.title, notice.severity) for notice in heard.notices] == [
        ("threshold:t:m", "Battery is below 12.00 V: 11.00 V", "high")
    ]


async def test_what_is_no_news_is_shown_and_nobody_is_called():
    heard = await hear(InsightChanged(INSIGHT, True, False))
    assert [topic for topic, _ in heard.events] == ["insight"]
    assert heard.notices == []
