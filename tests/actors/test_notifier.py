"""The notifier: hub and log hear everything, channels hear insights, and a failing channel holds up nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import InsightChanged, PatternFound, Pressure, StatusChanged
from actors.notifier import Notifier
from analytics.lifecycle import Mark
from analytics.records import Insight, Pattern
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


class Told:
    """A channel that remembers."""

    name = "told"

    def __init__(self, trouble: Exception | None = None) -> None:
        self.heard: list[tuple[str, bool]] = []
        self.trouble = trouble

    async def tell(self, insight: Insight, *, is_new: bool) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.heard.append((insight.insight_id, is_new))


async def events(
    *messages: object, channels: tuple[Told, ...] = (), mark: Mark | None = None
) -> list[tuple[str, dict]]:
    """What a dashboard hears of these messages."""
    mailbox: Mailbox = Mailbox("notifier", capacity=16, pressure=Pressure.DROP_OLDEST)
    hub = Hub(lambda: 0)
    marks = InsightMarks(InsightBook())
    if mark is not None:
        marks.put(INSIGHT.key, mark)
    for message in messages:
        mailbox.put_nowait(message)
    mailbox.close()
    with hub.subscribe() as subscription:
        await Notifier(mailbox=mailbox, hub=hub, marks=marks, wall_ms=lambda: NOW_MS, channels=channels).run()
        return [(event.topic, dict(event.data)) for event in await subscription.receive()]


async def test_a_new_severe_insight_is_an_insight_and_an_alert():
    heard = await events(InsightChanged(INSIGHT, True))
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
    assert [topic for topic, _ in await events(InsightChanged(insight, is_new))] == topics


async def test_patterns_and_states_are_published():
    pattern = Pattern("p1", "cyclical", "soc", "daily", 0.8, "daily", (), None, 0)
    heard = await events(PatternFound(pattern), StatusChanged("persistence", "degraded", "the disk is full"))
    assert heard[0][0] == "pattern"
    assert heard[1] == ("status", {"part": "persistence", "state": "degraded", "reason": "the disk is full"})


async def test_a_failing_channel_is_logged_and_the_next_one_told(caplog):
    broken, sound = Told(RuntimeError("no route")), Told()
    await events(InsightChanged(INSIGHT, True), channels=(broken, sound))
    assert sound.heard == [("i1", True)]
    assert "no route" in caplog.text


async def test_the_log_hears_of_beginnings_and_ends_alone(caplog):
    caplog.set_level("INFO")
    resolved = replace(INSIGHT, status="resolved")
    await events(InsightChanged(INSIGHT, True), InsightChanged(INSIGHT, False), InsightChanged(resolved, False))
    assert [record.getMessage().split(" [")[0] for record in caplog.records] == ["insight new", "insight resolved"]


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
    channel = Told()
    heard = await events(InsightChanged(INSIGHT, True), channels=(channel,), mark=mark)
    assert [topic for topic, _ in heard] == (["insight", "alert"] if told else ["insight"])
    assert bool(channel.heard) is told
