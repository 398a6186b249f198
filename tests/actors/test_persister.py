"""The persister under a mock clock and a fake archive: commits, trouble, switches, poison, the stop."""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest
import trio
import trio.testing
from msgspec.structs import replace

from actors.clock import TrustedClock
from actors.health import HealthBoard
from actors.mailbox import Mailbox
from actors.messages import Flush, PersisterMessage, Pressure, QuarantinedError, SwitchPersistence
from actors.persist_policy import PersistPolicy
from actors.persister import Persister, conflate
from actors.progress import NotPersisting, Progress
from actors.supervisor import ChildSpec, Supervisor
from analytics.records import Insight, Pattern
from storage.archive import ArchiveError, PoisonError
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import SeriesPart
from tests.fakes.memory_archive import MemoryArchive

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
INSIGHT = Insight(
    insight_id="i1",
    key="limit:a",
    title="A is high",
    description="",
    category="reliability",
    severity="high",
    confidence=0.9,
    impact_score=0.5,
    created_at_ms=NOW_MS,
    updated_at_ms=NOW_MS,
    expires_at_ms=None,
    recommendations=(),
)


class WatchedArchive(MemoryArchive):
    """The double, with one poisoned value."""

    def __init__(self) -> None:
        super().__init__()
        self.poisoned_value = math.nan

    async def append(
        self, parts: Sequence[SeriesPart], insights: Sequence[Insight] = (), patterns: Sequence[Pattern] = ()
    ) -> None:
        if any(self.poisoned_value in part.values for part in parts):
            raise PoisonError(f"{self.poisoned_value} is poison")
        await super().append(parts, insights, patterns)


POLICY = PersistPolicy(
    batch_size=100,
    flush_interval_s=5,
    background=True,
    replay_ms=2 * HOUR_MS,
)


class House:
    """A persister and everything around it. Wall clock and monotonic clock are Trio's, from NOW_MS on."""

    def __init__(
        self,
        policy: PersistPolicy = POLICY,
        *,
        enabled: bool = True,
        salvage: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self.archive = WatchedArchive()
        self.cannot_open: Exception | None = None
        self.opened = 0
        self.last_ms = 0  # of the sample recorded last: no two have the same time
        self.memory = MemoryTier(retention_ms=2 * HOUR_MS)
        self.history = History(self.memory, self.wall_ms)
        self.book = InsightBook()
        self.progress = Progress()
        self.board = HealthBoard(self.wall_ms)
        self.mailbox: Mailbox = Mailbox("persister", capacity=8, pressure=Pressure.CONFLATE, conflate=conflate)
        self.notifier: Mailbox = Mailbox("notifier", capacity=64, pressure=Pressure.DROP_OLDEST)
        self.board.note_child("persister", self.mailbox)
        self.board.note_state("persister", "running")
        self.persister = Persister(
            mailbox=self.mailbox,
            notifier=self.notifier,
            memory=self.memory,
            history=self.history,
            book=self.book,
            progress=self.progress,
            board=self.board,
            clock=TrustedClock(self.wall_ms),
            open_archive=self.open_archive,
            policy=policy,
            enabled=enabled,
            salvage=salvage,
        )

    def wall_ms(self) -> int:
        return NOW_MS + round(trio.current_time() * 1000)

    async def open_archive(self) -> WatchedArchive:
        await trio.lowlevel.checkpoint()
        if self.cannot_open is not None:
            raise self.cannot_open
        self.opened += 1
        self.archive.closed = False
        return self.archive

    def record(self, name: str, *values: float) -> int:
        """As the recorder does. Returns the sequence number."""
        seq = self.memory.last_seq + 1
        self.last_ms = max(self.last_ms, self.wall_ms() - len(values))
        times = self.last_ms + 1 + np.arange(len(values))
        self.last_ms += len(values)
        part = SeriesPart(name, times.astype(np.int64), np.array(values))
        self.memory.append(part, seq=seq, now_ms=self.wall_ms())
        self.progress.recorded(len(values), seq=seq)
        self.mailbox.put_nowait(Flush())
        return seq

    async def switch(self, enabled: bool) -> None:
        message = SwitchPersistence(enabled)
        await self.mailbox.put(message)
        await message.reply.wait()

    async def durable(self, seq: int) -> float:
        """Ask for it now and wait; returns the seconds it took."""
        begun_s = trio.current_time()
        self.mailbox.put_nowait(Flush(now=True))
        await self.progress.wait_for(seq)
        return trio.current_time() - begun_s

    def stored(self, name: str) -> list[float]:
        return [value for _, value in sorted(self.archive.samples.get(name, {}).items())]


@pytest.fixture
async def house(nursery) -> House:
    house = House()
    await nursery.start(house.persister.run)
    await trio.testing.wait_all_tasks_blocked()
    return house


async def test_a_commit_waits_for_the_flush_interval(house, autojump_clock):
    house.record("a", 1.0, 2.0)
    await trio.sleep(4.9)
    assert house.stored("a") == []
    await trio.sleep(0.2)
    assert house.stored("a") == [1.0, 2.0]
    assert house.progress.backlog == 0
    assert house.archive.appends == 1


async def test_a_fast_bus_wears_the_card_no_more_often_than_the_flush_interval(house, autojump_clock):
    await trio.sleep(0.1)
    for n in range(200):
        house.record("a", *[float(n)] * 100)
        await trio.sleep(0.1)
    assert house.archive.appends == 4  # 20 s at 5 s


async def test_what_fills_a_transaction_does_not_wait(house, autojump_clock):
    await trio.sleep(2)
    house.record("a", *range(60_000))
    await trio.sleep(1.1)
    assert len(house.stored("a")) == 60_000


async def test_a_long_backlog_does_not_wait_for_the_gap_between_commits(house, autojump_clock):
    await trio.sleep(2)
    house.record("a", *range(60_000))
    await trio.sleep(0.01)
    assert len(house.stored("a")) == 60_000
    house.record("a", *range(60_000))
    await trio.sleep(0.01)
    assert len(house.stored("a")) == 60_000  # it was full a moment ago
    for _ in range(3):
        house.record("a", *range(50_000))
    await trio.sleep(0.01)
    assert len(house.stored("a")) == 270_000


async def test_durable_is_at_once_and_carries_everything_before_it(house, autojump_clock):
    house.record("a", 1.0)
    seq = house.record("b", 2.0)
    assert await house.durable(seq) < 0.01
    assert (house.stored("a"), house.stored("b")) == ([1.0], [2.0])


async def test_many_who_wait_share_a_commit(house, autojump_clock):
    seqs = [house.record("a", float(n)) for n in range(50)]
    async with trio.open_nursery() as nursery:
        for seq in seqs:
            nursery.start_soon(house.durable, seq)
    assert house.archive.appends <= 2


async def test_what_was_said_of_a_metric_comes_back_with_its_samples(autojump_clock):
    house = House()
    await house.archive.append([SeriesPart("a", np.array([NOW_MS]), np.array([1.0]), '{"unit":"°F"}')])
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        await house.progress.wait_restored()
        info = house.memory.info("a")
        assert info is not None
        assert info.metadata == '{"unit":"°F"}'
        nursery.cancel_scope.cancel()


async def test_insights_are_stored_with_the_samples_and_read_back_at_start(house, autojump_clock):
    house.book.upsert_insight(INSIGHT)
    seq = house.record("a", 1.0)
    await house.durable(seq)
    assert list(house.archive.kept_insights) == ["i1"]

    other = House()
    other.archive = house.archive
    async with trio.open_nursery() as nursery:
        await nursery.start(other.persister.run)
        await trio.sleep(1)
        assert [insight.insight_id for insight in other.book.insights()] == ["i1"]
        assert other.memory.window("a", 0, NOW_MS * 2).values.tolist() == [1.0]
        nursery.cancel_scope.cancel()


async def test_after_a_restore_what_it_brought_is_read_back(house, autojump_clock):
    house.record("a", 1.0)
    await trio.sleep(10)
    assert await house.progress.wait_restored() == 1
    await house.archive.append([SeriesPart("b", np.array([NOW_MS - HOUR_MS]), np.array([2.0]))], [INSIGHT])
    house.persister.read_back()
    house.persister.reopen()
    assert await house.progress.wait_restored(1) == 2
    assert [insight.insight_id for insight in house.book.insights()] == ["i1"]
    assert house.memory.window("b", 0, NOW_MS).values.tolist() == [2.0]
    assert house.memory.window("a", 0, NOW_MS * 2).values.tolist() == [1.0]


@pytest.mark.parametrize("trouble", ["busy", "full", "unavailable", "corrupt"])
async def test_trouble_is_told_and_caught_up_with(house, autojump_clock, trouble):
    house.archive.trouble = ArchiveError(trouble, "the disk is in trouble")
    seq = house.record("a", 1.0)
    with pytest.raises(NotPersisting, match="in trouble"):
        await house.durable(seq)
    assert house.progress.state == "degraded"
    assert house.board.snapshot()["persister"].state == "degraded"
    house.record("a", 2.0)
    await trio.sleep(60)
    house.archive.trouble = None
    last = house.record("a", 3.0)
    await trio.sleep(16)
    assert house.stored("a") == [1.0, 2.0, 3.0]
    assert (house.progress.state, house.progress.reason) == ("on", None)
    assert house.progress.persisted_up_to >= last
    assert house.board.snapshot()["persister"].state == "running"


async def test_it_tries_a_failing_disk_less_and_less_often(house, autojump_clock):
    house.archive.trouble = ArchiveError("full", "the disk is full")
    tries = []
    append = house.archive.append

    async def counted(*args: object) -> None:
        tries.append(trio.current_time())
        await append(*args)

    house.archive.append = counted
    house.record("a", 1.0)
    await trio.sleep(120)
    gaps = np.diff(tries)
    assert (gaps[:4] > [0.2, 0.4, 0.9, 1.9]).all()
    assert gaps.max() < 15.1


async def test_an_archive_that_does_not_open_is_degraded_and_opened_later(autojump_clock):
    house = House()
    house.cannot_open = ArchiveError("unavailable", "permission denied")
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        house.record("a", 1.0)
        await trio.sleep(1)
        assert (house.progress.state, house.progress.reason) == ("degraded", "permission denied")
        assert house.history.archive is None
        house.cannot_open = None
        await trio.sleep(15)
        assert house.stored("a") == [1.0]
        nursery.cancel_scope.cancel()
    assert house.archive.closed


async def test_switched_on_late_it_stores_what_memory_holds(autojump_clock):
    house = House(enabled=False)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        seq = house.record("a", 1.0, 2.0)
        await trio.sleep(10)
        assert (house.opened, house.progress.state) == (0, "off")
        with pytest.raises(NotPersisting):
            await house.durable(seq)
        await house.switch(True)
        assert (house.stored("a"), house.progress.state) == ([1.0, 2.0], "on")
        await house.switch(False)
        assert (house.archive.closed, house.progress.state, house.history.archive) == (True, "off", None)
        house.record("a", 3.0)
        await trio.sleep(10)
        assert house.stored("a") == [1.0, 2.0]
        await house.switch(True)
        assert house.stored("a") == [1.0, 2.0, 3.0]
        nursery.cancel_scope.cancel()


async def test_a_switch_is_answered_though_the_disk_fails(autojump_clock):
    house = House(enabled=False)
    house.cannot_open = ArchiveError("unavailable", "no such directory")
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        with trio.fail_after(1):
            await house.switch(True)
        assert house.progress.state == "degraded"
        with trio.fail_after(1):
            await house.switch(False)
        assert house.progress.state == "off"
        nursery.cancel_scope.cancel()


async def test_poison_is_put_aside_and_its_neighbours_are_kept(house, autojump_clock):
    house.archive.poisoned_value = 666.0
    house.record("a", 1.0, 2.0, 666.0, 3.0)
    seq = house.record("b", 4.0)
    await house.durable(seq)
    assert (house.stored("a"), house.stored("b")) == ([1.0, 2.0, 3.0], [4.0])
    assert house.persister.poisoned == 1
    assert house.progress.state == "on"


async def test_without_background_writing_a_small_batch_waits_for_somebody(autojump_clock):
    house = House(replace(POLICY, background=False))
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        await trio.testing.wait_all_tasks_blocked()
        seq = house.record("a", 1.0)
        await trio.sleep(55)
        assert house.archive.appends == 0
        await house.durable(seq)
        assert house.stored("a") == [1.0]
        house.record("b", *map(float, range(100)))
        await trio.sleep(1.1)
        assert len(house.stored("b")) == 100  # a full batch
        nursery.cancel_scope.cancel()


async def test_the_stop_commits_what_is_left_and_closes(autojump_clock):
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        await trio.sleep(1)
        house.record("a", 1.0)
        house.mailbox.close()
    assert house.stored("a") == [1.0]
    assert house.archive.closed


async def test_a_crash_closes_the_archive_and_the_next_life_goes_on(autojump_clock):
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        await house.durable(house.record("a", 1.0))
        nursery.cancel_scope.cancel()
    assert house.archive.closed
    house.record("a", 2.0)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        await trio.sleep(1)
        assert house.stored("a") == [1.0, 2.0]
        nursery.cancel_scope.cancel()


async def test_a_damaged_archive_is_opened_anew_at_once_and_gets_everything_again(house, autojump_clock):
    await house.durable(house.record("a", 1.0, 2.0))
    house.book.upsert_insight(INSIGHT)
    await trio.sleep(60)
    opened, house.archive = house.opened, WatchedArchive()  # as the keeper does: a new file
    begun_s = trio.current_time()
    house.persister.reopen()
    house.persister.start_over()
    await trio.testing.wait_all_tasks_blocked()
    assert trio.current_time() == begun_s
    assert house.opened == opened + 1
    assert house.stored("a") == [1.0, 2.0]
    assert len(house.archive.kept_insights) == 1
    assert house.progress.state == "on"


async def test_damage_is_nothing_to_one_that_is_switched_off(autojump_clock):
    house = House(enabled=False)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        house.persister.reopen()
        await trio.sleep(10)
        assert house.opened == 0
        nursery.cancel_scope.cancel()


async def test_what_was_saved_is_there_before_memory_is_filled(autojump_clock):
    async def salvage() -> int:
        await trio.sleep(30)
        await house.archive.append([SeriesPart("a", np.array([NOW_MS - 1000]), np.array([7.0]))], [INSIGHT])
        return 2

    house = House(salvage=salvage)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        assert trio.current_time() < 1
        await trio.sleep(1)
        assert house.memory.complete_from_ms("a") is None
        await trio.sleep(40)
        assert house.memory.window("a", 0, NOW_MS * 2).values.tolist() == [7.0]
        assert len(house.book.insights()) == 1
        nursery.cancel_scope.cancel()


async def test_a_salvage_that_fails_holds_nothing_up(autojump_clock):
    async def salvage() -> int:
        raise ArchiveError("unavailable", "the disk reports an error")

    house = House(salvage=salvage)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.persister.run)
        await house.durable(house.record("a", 1.0))
        assert house.progress.state == "on"
        nursery.cancel_scope.cancel()


def supervised(house: House) -> Supervisor:
    """The persister as the service runs it."""
    spec = ChildSpec(
        name="persister", run=house.persister.run, mailbox=house.mailbox, stop=house.mailbox.close,
        busy_s=house.persister.storing_s, hung_after_s=120,
    )  # fmt: skip
    return Supervisor("test", (spec,), board=house.board, rng=random.Random(1))


async def test_a_commit_that_hangs_is_cancelled_and_made_again_by_the_next_life(autojump_clock):
    house = House()
    supervisor = supervised(house)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        house.archive.gate = trio.Event()
        house.record("a", 1.0)
        house.mailbox.put_nowait(Flush(now=True))
        await trio.sleep(119)
        assert house.board.snapshot()["persister"].restarts == 0
        house.record("a", 2.0)
        await trio.sleep(2)
        health = house.board.snapshot()["persister"]
        assert (health.restarts, health.last_error) == (1, "hung: 120.0 s on one piece of work")
        assert health.mailbox is not None
        assert health.mailbox.failures == 0  # no message is to blame
        house.archive.gate.set()
        await house.progress.wait_for(house.record("a", 3.0))
        assert house.stored("a") == [1.0, 2.0, 3.0]
        assert (house.progress.state, house.progress.backlog) == ("on", 0)
        supervisor.shut_down()


async def test_a_message_whose_handling_hangs_is_tried_again_then_put_aside_and_nothing_is_lost(autojump_clock):
    house = House()
    real, hung = house.persister._handle, SwitchPersistence(True)
    tried_s: list[float] = []

    async def handle(message: PersisterMessage) -> None:
        if message is hung:
            tried_s.append(trio.current_time())
            await trio.sleep_forever()
        await real(message)

    house.persister._handle = handle
    supervisor = supervised(house)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        house.record("a", 1.0)
        await trio.testing.wait_all_tasks_blocked()
        house.mailbox.put_nowait(hung)
        seq = house.record("a", 2.0)
        with pytest.raises(QuarantinedError, match="hung"):
            await hung.reply.wait()
        assert len(tried_s) == 3
        assert (np.diff(tried_s) >= 120).all()
        await house.progress.wait_for(seq)
        assert house.stored("a") == [1.0, 2.0]
        await house.durable(house.record("a", 3.0))
        assert house.stored("a") == [1.0, 2.0, 3.0]
        assert house.mailbox.statistics().quarantined == 1
        supervisor.shut_down()
