"""The steward: thresholds and their states across restarts, in every alert state, and with a disk that fails."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trio

from actors import steward as steward_module
from actors.alarms import Alarms
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import Pressure
from actors.steward import EXPIRE_S, THRESHOLD, Steward
from analytics.catalogue import Catalogue
from analytics.lifecycle import Mark
from analytics.records import Insight
from analytics.threshold import AlertState, state_json
from storage.control import ControlStore
from storage.control_alerts import load_states
from storage.control_backup import back_up_control, restore_control
from storage.control_documents import put_document
from storage.control_marks import save_mark
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks
from storage.models import SeriesPart
from tests.fakes.slow_store import SlowStore

NOW_MS = 1_700_000_000_000
FILLER = "INSERT INTO alert_states VALUES (lower(hex(randomblob(12))), ?, ?)"
FIRING = json.dumps(state_json(AlertState("firing")))
BODY = {"name": "warm", "metric": "m", "role": None, "condition": "above", "low": None, "high": 10.0}


@dataclass
class House:
    store: ControlStore
    alarms: Alarms
    steward: Steward
    clock: list[int]  # ms that have passed
    book: InsightBook
    marks: InsightMarks
    notifier: Mailbox
    restored: trio.Event

    def see(self, at_ms: int, value: float) -> None:
        self.clock[0] = at_ms
        self.alarms.observe([SeriesPart("m", np.array([NOW_MS + at_ms]), np.array([value]))], NOW_MS + at_ms)

    def phase(self) -> str:
        states = self.alarms.states_of("t")
        return states["m"].phase if states else "ok"


@asynccontextmanager
async def house(
    folder: Path, persisted: bool = True, store_of: Callable[[Path], ControlStore] = ControlStore
) -> AsyncIterator[House]:
    """A running steward; stopped in order at the end."""
    store = store_of(folder / "control.db")
    hub = Hub(lambda: NOW_MS)
    notifier: Mailbox = Mailbox("notifier", capacity=16, pressure=Pressure.DROP_OLDEST)
    clock = [0]
    restored = trio.Event()
    alarms = Alarms(Catalogue(), hub, notifier, running_s=lambda: clock[0] / 1000)
    book = InsightBook()
    marks = InsightMarks(book)
    persister: Mailbox = Mailbox("persister", capacity=1, pressure=Pressure.CONFLATE)
    steward = Steward(
        store=store, alarms=alarms, book=book, marks=marks, notifier=notifier, persister=persister,
        wall_ms=lambda: NOW_MS + 100_000, persisted=lambda: persisted,
        restored=restored.set,
    )  # fmt: skip
    async with trio.open_nursery() as nursery:
        await nursery.start(steward.run)
        yield House(store, alarms, steward, clock, book, marks, notifier, restored)
        steward.close()


async def set_threshold(house: House, **members: object) -> None:
    body = {**BODY, **members}
    await house.store.write(lambda c: put_document(c, THRESHOLD, "t", body, expected="any", now_ms=NOW_MS, limit=10))
    await house.steward.reload()


@pytest.mark.parametrize(
    ("samples", "phase"),
    [
        ([(0, 9)], "ok"),
        ([(0, 11)], "pending"),
        ([(0, 11), (10_000, 11)], "firing"),
        ([(0, 11), (10_000, 11), (11_000, 9)], "recovering"),
        ([(0, 11), (10_000, 11), (11_000, 9), (71_000, 9)], "ok"),
    ],
)
async def test_a_restart_in_every_alert_state(tmp_path, samples, phase) -> None:
    async with house(tmp_path) as first:
        await set_threshold(first, min_duration_s=10, recover_after_s=60)
        for at_ms, value in samples:
            first.see(at_ms, value)
        assert first.phase() == phase
        states = first.alarms.watch.states()
    async with house(tmp_path) as second:
        assert second.phase() == phase
        assert second.alarms.watch.states() == states


async def test_a_kill_loses_no_state_that_was_told(tmp_path) -> None:
    """Without an orderly stop: what changed is stored a moment later."""
    async with house(tmp_path) as first:
        await set_threshold(first)
        first.see(0, 11)
        with trio.fail_after(5):
            while first.alarms.watch.changed():
                await trio.sleep(0.01)
        other = ControlStore(tmp_path / "control.db")
        await other.open(True)
        assert (await other.read(load_states))["t", "m"].phase == "firing"
        await other.aclose()


@pytest.mark.parametrize(("crossing", "values"), [("above", (20, 35, 50, 30)), ("below", (9, -5, -20, 3))])
async def test_a_peak_that_only_grew_is_there_after_a_restart(tmp_path, crossing, values) -> None:
    limits = {"low": 10.0, "high": None} if crossing == "below" else {}
    async with house(tmp_path) as first:
        await set_threshold(first, condition=crossing, **limits)
        for index, value in enumerate(values):
            first.see(index * 1000, value)
        alerts = first.alarms.active()
        assert alerts[0]["peak"] == values[2]
    async with house(tmp_path) as second:
        assert second.alarms.active() == alerts


async def test_peaks_are_stored_now_and_then(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(steward_module, "PEAKS_S", 0.05)
    async with house(tmp_path) as first:
        await set_threshold(first)
        first.see(0, 20)
        first.see(1000, 50)
        with trio.fail_after(5):
            while [each.peak for each in (await first.store.read(load_states)).values()] != [50]:
                await trio.sleep(0.01)


async def test_switched_on_late(tmp_path) -> None:
    async with house(tmp_path, persisted=False) as first:
        await set_threshold(first)
        first.see(0, 11)
        assert not list(tmp_path.iterdir())
        await first.steward.switch(True)
        assert first.phase() == "firing"
    async with house(tmp_path) as second:
        assert second.phase() == "firing"


async def test_a_full_disk_is_waited_out(tmp_path, caplog) -> None:
    async with house(tmp_path) as first:
        await set_threshold(first)
        await first.store.read(_fill)
        first.see(0, 11)
        with trio.fail_after(5):
            while "can't be stored" not in caplog.text:
                await trio.sleep(0.01)
        assert first.phase() == "firing"
        await first.store.read(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchone())
    async with house(tmp_path) as second:
        assert second.phase() == "firing"


def _fill(connection: sqlite3.Connection) -> None:
    """Until not a row more fits."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    for size in (2000, 200, 20, 1):
        try:
            while True:
                connection.execute(FILLER, ("x" * size, FIRING))
        except sqlite3.OperationalError:
            continue


async def test_an_insight_whose_time_is_over_ends(tmp_path, autojump_clock) -> None:
    async with house(tmp_path, persisted=False) as first:
        first.book.upsert_insight(insight(expires_at_ms=NOW_MS + 100_000))
        await trio.sleep(EXPIRE_S + 1)
        heard: list = []

        async def take(message: object) -> None:
            heard.append(message)

        await first.notifier.handle_next(take)
    assert heard[0].insight.status == "resolved"
    assert heard[0].insight.evidence["expired"] is True


async def test_marks_come_back_after_a_restart(tmp_path) -> None:
    async with house(tmp_path) as first:
        await first.store.write(lambda c: save_mark(c, "k", Mark("i", "dismissed", not_useful=2)))
    async with house(tmp_path) as second:
        second.book.upsert_insight(insight(insight_id="i"))
        assert second.marks.visible(NOW_MS) == []


def insight(**members: object) -> Insight:
    given = {
        "insight_id": "i", "key": "k", "title": "t", "description": "d", "category": "cost", "severity": "low",
        "confidence": 0.5, "impact_score": 0.5, "created_at_ms": NOW_MS, "updated_at_ms": NOW_MS,
        "expires_at_ms": None, "recommendations": (),
    }  # fmt: skip
    return Insight(**{**given, **members})


async def test_a_restore_beside_the_running_service_is_taken_up(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(steward_module, "LOOK_S", 0.02)
    archive, backup = tmp_path / "analytics.db", tmp_path / "copy.db"
    async with house(tmp_path) as it:
        await set_threshold(it, high=20.0)
        back_up_control(archive, backup)
        await set_threshold(it, high=10.0)
        it.see(0, 11)
        assert it.phase() == "firing"
        with trio.fail_after(5):
            while not await it.store.read(load_states):  # stored after the restore, the alert would go on
                await trio.sleep(0.01)
        assert not it.restored.is_set()  # what this process writes is no restore
        await trio.to_thread.run_sync(restore_control, backup, archive)
        with trio.fail_after(5):
            await it.restored.wait()
        assert [each.high for each in it.alarms.watch.thresholds()] == [20.0]
        it.see(1_000, 11)
        assert it.phase() == "ok"


async def test_a_slow_disk_is_not_waited_for_and_states_hold_when_it_is_there(tmp_path, monkeypatch) -> None:
    async with house(tmp_path) as first:
        await set_threshold(first, min_duration_s=10)
        first.see(0, 11)
        first.see(10_000, 11)
        assert first.phase() == "firing"
        states = first.alarms.watch.states()
    monkeypatch.setattr(steward_module, "READY_S", 0.05)
    async with house(tmp_path, store_of=SlowStore) as second:
        assert not second.store.persisted  # and yet it said that it was ready
        second.see(20_000, 11)  # nobody knows the threshold yet
        assert second.phase() == "ok"
        second.store.gate.set()
        with trio.fail_after(5):
            await second.restored.wait()  # the dispatcher is asked to look again
        assert second.phase() == "firing"
        assert second.alarms.watch.states() == states
        second.see(21_000, 9)
        assert second.phase() == "recovering"
        await second.store.write(lambda c: save_mark(c, "k", Mark("i", "dismissed")))
    async with house(tmp_path) as third:
        assert third.phase() == "recovering"


async def test_stopped_before_the_file_was_there(tmp_path, monkeypatch) -> None:
    async with house(tmp_path) as first:
        await set_threshold(first)
        first.see(0, 11)
    monkeypatch.setattr(steward_module, "READY_S", 0.05)
    async with house(tmp_path, store_of=SlowStore):
        pass
    async with house(tmp_path) as third:
        assert third.phase() == "firing"
