"""The pattern analyzer: reads both tiers, computes in a thread, writes the book; a hung one is restarted."""

from __future__ import annotations

import random

import numpy as np
import trio

from actors.clock import TrustedClock
from actors.health import HealthBoard
from actors.mailbox import Mailbox
from actors.messages import Analyze, Pressure
from actors.pattern_analyzer import PatternAnalyzer, read_series
from actors.supervisor import Beyond, ChildSpec, Supervisor
from analytics.catalogue import Catalogue
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import SeriesPart

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


class House:
    def __init__(self) -> None:
        self.memory = MemoryTier(retention_ms=30 * DAY_MS)
        self.history = History(self.memory, lambda: NOW_MS)
        self.book = InsightBook()
        self.mailbox: Mailbox = Mailbox("patterns", capacity=1, pressure=Pressure.CONFLATE)
        self.notifier: Mailbox = Mailbox("notifier", capacity=64, pressure=Pressure.DROP_OLDEST)
        self.persister: Mailbox = Mailbox("persister", capacity=1, pressure=Pressure.CONFLATE)
        self.limiter = trio.CapacityLimiter(1)
        self.analyzer = PatternAnalyzer(
            mailbox=self.mailbox,
            notifier=self.notifier,
            persister=self.persister,
            history=self.history,
            book=self.book,
            catalogue=Catalogue(),
            clock=TrustedClock(lambda: NOW_MS),
            interval_s=1800,
            limiter=self.limiter,
        )

    def fill_a_week(self, name: str, seed: int) -> None:
        """A daily cycle with a little noise, every five minutes."""
        times = NOW_MS - 7 * DAY_MS + 300_000 * np.arange(7 * 288)
        noise = np.random.default_rng(seed).normal(0, 0.2, len(times))
        values = 20 + 5 * np.sin(2 * np.pi * times / DAY_MS) + noise
        self.memory.append(SeriesPart(name, times, values), seq=self.memory.last_seq + 1, now_ms=NOW_MS)


async def test_it_finds_a_daily_cycle_and_tells_of_it_once(nursery):
    house = House()
    house.fill_a_week("salon.temperature", 1)
    await nursery.start(house.analyzer.run)
    for _ in range(2):
        house.mailbox.put_nowait(Analyze())
        with trio.fail_after(20):
            while not house.mailbox.is_empty:
                await trio.sleep(0.01)
    cycles = [pattern for pattern in house.book.patterns() if pattern.pattern_type == "cyclical"]
    assert [pattern.metric for pattern in cycles] == ["salon.temperature"]
    assert house.notifier.statistics().depth == len(house.book.patterns())
    assert house.persister.statistics().depth == 1


async def test_a_window_that_ends_in_the_past_sees_nothing_later():
    house = House()
    house.fill_a_week("salon.temperature", 1)
    long_ago = NOW_MS - 10 * DAY_MS
    assert await read_series(house.history, ["salon.temperature"], long_ago - DAY_MS, long_ago, 60_000) == ({}, None)


async def test_a_hung_analysis_is_cancelled_counted_and_the_actor_lives_on(autojump_clock):
    house = House()

    async def never() -> list[str]:
        await trio.sleep_forever()
        return []

    house.history.names = never
    board = HealthBoard(lambda: 0)
    spec = ChildSpec(
        name="patterns", run=house.analyzer.run, mailbox=house.mailbox, beyond=Beyond.PARK, hung_after_s=20
    )
    supervisor = Supervisor("test", (spec,), board=board, rng=random.Random(1))
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        house.mailbox.put_nowait(Analyze())
        await trio.sleep(25)
        health = board.snapshot()["patterns"]
        assert health.restarts == 1
        assert health.mailbox.failures == 1
        await trio.sleep(120)
        assert house.mailbox.statistics().quarantined == 1
        assert board.snapshot()["patterns"].state == "running"
        supervisor.shut_down()
