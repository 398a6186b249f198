"""The pattern analyzer: reads both tiers, computes in a thread, writes the book; a hung one is restarted."""

from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import numpy as np
import trio

from actors.clock import TrustedClock
from actors.health import HealthBoard
from actors.mailbox import Mailbox
from actors.messages import Analyze, Pressure
from actors.pattern_analyzer import PatternAnalyzer, read_series
from actors.supervisor import Beyond, ChildSpec, Supervisor
from analytics.catalogue import Catalogue
from analytics.local_time import UTC_TIME, LocalTime
from storage.archive import ArchiveError
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import SeriesPart
from tests.fakes.memory_archive import MemoryArchive

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


class House:
    def __init__(self, local: LocalTime = UTC_TIME) -> None:
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
            local_time=local,
        )

    def append(self, name: str, times: np.ndarray, values: np.ndarray) -> None:
        self.memory.append(SeriesPart(name, times, values), seq=self.memory.last_seq + 1, now_ms=NOW_MS)

    def fill_a_week(self, name: str, seed: int) -> None:
        """A daily cycle with a little noise, every five minutes."""
        times = NOW_MS - 7 * DAY_MS + 300_000 * np.arange(7 * 288)
        noise = np.random.default_rng(seed).normal(0, 0.2, len(times))
        self.append(name, times, 20 + 5 * np.sin(2 * np.pi * times / DAY_MS) + noise)


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


async def weeks_in_the_archive(house: House, archive: MemoryArchive, name: str) -> None:
    """Thirty-five days by the hour, of which memory has nothing."""
    times = NOW_MS - 35 * DAY_MS + 3_600_000 * np.arange(35 * 24 - 3)
    noise = np.random.default_rng(4).normal(0, 0.5, len(times))
    at_home = times // DAY_MS % 7 >= 5
    values = 20 + 5 * np.sin(2 * np.pi * times / DAY_MS) + 6.0 * at_home + noise
    await archive.append([SeriesPart(name, times, values)])
    house.history.archive = archive


async def run_once(house: House) -> None:
    house.mailbox.put_nowait(Analyze())
    house.mailbox.close()
    with trio.fail_after(60):
        await house.analyzer.run()


async def test_the_long_look_reads_the_archive():
    house = House()
    await weeks_in_the_archive(house, MemoryArchive(), "salon.temperature")
    await run_once(house)
    assert {"daily", "weekly"} <= {pattern.frequency for pattern in house.book.patterns()}


async def test_an_archive_in_trouble_leaves_memory_and_is_said(caplog):
    house = House()
    archive = MemoryArchive()
    await weeks_in_the_archive(house, archive, "other.temperature")
    house.fill_a_week("salon.temperature", 1)
    archive.trouble = ArchiveError("unavailable", "the disk is gone")
    await run_once(house)
    assert {pattern.metric for pattern in house.book.patterns()} == {"salon.temperature"}
    assert "memory alone: the disk is gone" in caplog.text


async def test_the_short_look_finds_what_repeats_in_minutes_with_and_without_history():
    house = House()
    times = NOW_MS - 7_200_000 + 10_000 * np.arange(720)
    rng = np.random.default_rng(3)
    runs = 4 + 2.0 * (times // 10_000 % 90 < 30) + rng.normal(0, 0.2, 720)
    house.append("fresh.fridge.temperature", times, runs)
    weeks = NOW_MS - 20 * DAY_MS + 600_000 * np.arange(20 * 144 - 14)
    house.append("old.fridge.temperature", weeks, 5 + rng.normal(0, 0.2, len(weeks)))
    house.append("old.fridge.temperature", times, runs)
    await run_once(house)
    found = {(pattern.metric, pattern.frequency) for pattern in house.book.patterns()}
    assert ("fresh.fridge.temperature", "every 15 min") in found
    assert ("old.fridge.temperature", "every 15 min") in found


async def test_noise_has_no_patterns_in_either_look():
    house = House()
    rng = np.random.default_rng(11)
    weeks = NOW_MS - 30 * DAY_MS + 3_600_000 * np.arange(30 * 24)
    minutes = NOW_MS - 7_200_000 + 10_000 * np.arange(720)
    for index in range(20):
        house.append(f"white.{index}", weeks, rng.normal(size=len(weeks)))
        house.append(f"walk.{index}", minutes, rng.normal(size=len(minutes)).cumsum())
    await run_once(house)
    assert len(house.book.patterns()) <= 1


async def test_days_are_the_coachs():
    house = House(LocalTime(ZoneInfo("America/Denver")))
    house.fill_a_week("salon.temperature", 1)  # highest at 6 by UTC: 23 by the coach's clock
    await run_once(house)
    [daily] = [pattern for pattern in house.book.patterns() if pattern.frequency == "daily"]
    assert daily.data["peak_hour"] in (22, 23)


async def test_what_cannot_be_told_stops_nobody():
    """Constants, two samples, samples ten years old, another unit in the middle, a cadence a hundred times finer."""
    house = House()
    house.fill_a_week("salon.temperature", 1)
    week = NOW_MS - 7 * DAY_MS + 600_000 * np.arange(7 * 144)
    noise = np.random.default_rng(2).normal(size=len(week))
    house.append("still", week, np.full(len(week), 7.0))
    house.append("two", week[-2:], np.array([1.0, 9.0]))
    house.append("ancient", week[:3] - 3650 * DAY_MS, np.array([1.0, 2.0, 3.0]))
    house.append("ancient", week, noise)
    house.append("celsius.then.fahrenheit", week, np.where(np.arange(len(week)) < 500, 20 + noise, 68 + 1.8 * noise))
    fast = NOW_MS - 3_600_000 + 100 * np.arange(36_000)
    house.append("faster", week[:-7], noise[:-7])
    house.append("faster", fast, np.random.default_rng(6).normal(size=len(fast)))
    house.append("huge", week, 1e300 * noise)
    await run_once(house)
    found = {(pattern.metric, pattern.pattern_type) for pattern in house.book.patterns()}
    assert found == {("salon.temperature", "cyclical"), ("celsius.then.fahrenheit", "baseline")}


async def test_a_window_that_ends_in_the_past_sees_nothing_later():
    house = House()
    house.fill_a_week("salon.temperature", 1)
    long_ago = NOW_MS - 10 * DAY_MS
    assert await read_series(house.history, ["salon.temperature"], long_ago - DAY_MS, long_ago, 60_000) == ({}, None)


async def test_counters_are_read_at_the_end_of_buckets():
    house = House()
    times = NOW_MS - DAY_MS + 60_000 * np.arange(1440)
    house.append("generator.run_hours", times, times / 3_600_000 - 470_000)
    series, _ = await read_series(house.history, await house.history.names(), NOW_MS - DAY_MS, NOW_MS, 3_600_000, bool)
    at, values = series["generator.run_hours"]
    assert values.tolist() == (at / 3_600_000 - 470_000).tolist()


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
