"""What came of an action, measured, told, and kept as a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import trio
import trio.testing
from msgspec.structs import replace

from actors import effect_meter
from actors.effect_meter import EffectMeter, is_better, was_done
from actors.hub import Hub
from analytics.action_state import Action
from analytics.catalogue import Catalogue, MetricSpec
from analytics.local_time import UTC_TIME
from analytics.records import Insight
from storage.archive import ArchiveError
from storage.control import ControlStore
from storage.control_actions import get_action, insert_action, scores, turn_action
from storage.history import History
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks
from storage.memory import MemoryTier
from storage.models import SeriesPart

DONE_MS = 20_000 * 86_400_000 + 14 * 3_600_000 + 120_000  # 14:02
NOW_MS = DONE_MS + 12 * 60_000
ACTION = Action(
    "a1", "local", "key-1", "i.0.fan", "i", "limit:fridge", "fridge", "switch_on", "fan", "Fan", "green", "proposed",
    DONE_MS, DONE_MS, DONE_MS + 30_000,
)  # fmt: skip
INSIGHT = Insight(
    insight_id="i", key="limit:fridge", title="warm", description="d", category="cost", severity="high",
    confidence=0.5, impact_score=0.5, created_at_ms=DONE_MS, updated_at_ms=DONE_MS, expires_at_ms=None,
    recommendations=(), metric="fridge", evidence={"direction": "above"},
)  # fmt: skip


@dataclass
class House:
    store: ControlStore
    memory: MemoryTier
    book: InsightBook
    marks: InsightMarks
    hub: Hub
    meter: EffectMeter

    def fill(self, before: float, after: float) -> None:
        times = np.arange(DONE_MS - 600_000, NOW_MS + 1, 10_000, dtype=np.int64)
        values = np.where(times <= DONE_MS, before, after).astype(float)
        self.memory.append(SeriesPart("fridge", times, values), seq=1, now_ms=NOW_MS)


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    store, memory, book = ControlStore(tmp_path / "control.db"), MemoryTier(retention_ms=7_200_000), InsightBook()
    marks, hub = InsightMarks(book), Hub(lambda: NOW_MS)
    await store.open(False)
    catalogue = Catalogue([MetricSpec(pattern="fridge", unit="°C", title="Fridge")])
    meter = EffectMeter(
        store=store, history=History(memory, lambda: NOW_MS), book=book, marks=marks, hub=hub, catalogue=catalogue,
        local_time=UTC_TIME, wall_ms=lambda: NOW_MS,
    )  # fmt: skip
    await store.write(lambda c: insert_action(c, ACTION))
    for phase in ("confirmed", "sending", "succeeded"):
        await store.write(lambda c, phase=phase: turn_action(c, "a1", phase, DONE_MS))
    book.upsert_insight(INSIGHT)
    yield House(store, memory, book, marks, hub, meter)
    await store.aclose()


async def measured(house: House) -> Action:
    action = await house.store.read(lambda c: get_action(c, "a1"))
    return await house.meter.measure(action)


async def test_the_insight_says_what_changed(house) -> None:
    house.fill(8.0, 5.0)
    with house.hub.subscribe() as dashboard:
        action = await measured(house)
        events = await dashboard.receive()
    assert action.facts["effect"] == "Fan on 14:02, Fridge -3.0\u202f°C in 12 min"
    assert action.facts["helped"] is True
    assert [event.topic for event in events] == ["action", "insight_update"]
    assert events[1].data["effects"] == ["Fan on 14:02, Fridge -3.0\u202f°C in 12 min"]
    assert await house.store.read(scores) == {"limit:fridge": (1, 1)}


async def test_what_sends_only_when_it_changes_stands(house) -> None:
    times = np.array([DONE_MS - 300_000, DONE_MS + 60_000], dtype=np.int64)
    house.memory.append(SeriesPart("fridge", times, np.array([8.0, 5.0])), seq=1, now_ms=NOW_MS)
    action = await measured(house)
    assert (action.facts["effect"], action.facts["helped"]) == ("Fan on 14:02, Fridge -3.0\u202f°C in 12 min", True)


async def test_what_did_not_help_is_said_too(house) -> None:
    house.fill(8.0, 8.5)
    action = await measured(house)
    assert action.facts["effect"] == "Fan on 14:02, Fridge +0.5\u202f°C in 12 min"
    assert action.facts["helped"] is False


async def test_an_insight_that_is_over_was_helped(house) -> None:
    house.fill(8.0, 8.0)
    house.book.resolve("limit:fridge", NOW_MS)
    assert (await measured(house)).facts["helped"] is True


async def test_without_samples(house) -> None:
    assert (await measured(house)).facts["effect"] == "Fan on 14:02; nothing was measured since"


async def test_after_a_restart_it_goes_on(house, nursery) -> None:
    house.fill(8.0, 5.0)
    await nursery.start(house.meter.run)
    with house.hub.subscribe() as dashboard:
        await dashboard.receive()
    assert (await house.store.read(lambda c: get_action(c, "a1"))).facts["helped"] is True
    fresh = InsightMarks(house.book)
    house.meter._marks = fresh
    assert await house.meter._unmeasured() == []
    assert fresh.members(INSIGHT, NOW_MS)["effects"] == ["Fan on 14:02, Fridge -3.0\u202f°C in 12 min"]


def test_what_was_done() -> None:
    assert was_done(replace(ACTION, phase="succeeded"))
    assert was_done(replace(ACTION, phase="reconciled", facts={"effect_seen": True}))
    assert not was_done(replace(ACTION, phase="reconciled", facts={"effect_seen": None}))
    assert not was_done(replace(ACTION, phase="rejected"))


def test_better_is_away_from_the_limit_by_more_than_the_noise() -> None:
    noisy = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    assert not is_better(-0.5, "above", noisy)
    assert is_better(-5, "above", noisy)
    assert is_better(5, "below", noisy)
    assert not is_better(5, "none", noisy)


async def test_a_journal_that_can_be_read_only_late_is_measured_then(house, monkeypatch, tmp_path) -> None:
    """And once, though it was told of meanwhile."""
    monkeypatch.setattr(effect_meter, "STORE_RETRY_S", 0.01)
    house.fill(8.0, 5.0)
    action = await house.store.read(lambda c: get_action(c, "a1"))
    real, asked = house.store.read, Counter()

    async def not_yet(work: Any) -> Any:
        asked["times"] += 1
        if asked["times"] < 3:
            raise ArchiveError("busy", "it is still being opened")
        return await real(work)

    monkeypatch.setattr(house.store, "read", not_yet)
    with house.hub.subscribe() as dashboard:
        async with trio.open_nursery() as nursery:
            await nursery.start(house.meter.run)
            house.meter.note(action)
            with trio.fail_after(5):
                events = await dashboard.receive()
            await trio.testing.wait_all_tasks_blocked(0.05)
            nursery.cancel_scope.cancel()
    assert events[0].topic == "action"
    assert await real(scores) == {"limit:fridge": (1, 1)}
