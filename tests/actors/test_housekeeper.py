"""The housekeeper under a mock clock: what is due when, step by step, and trouble that does not end it."""

from __future__ import annotations

import pytest
import trio

from actors.clock import TrustedClock
from actors.housekeeper import PACK_SAMPLES, Housekeeper, HousekeepingPolicy
from storage.archive import ArchiveError
from storage.history import History
from storage.memory import MemoryTier
from tests.fakes.memory_archive import MemoryArchive

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


class BusyArchive(MemoryArchive):
    """Has so many steps of each kind to do, and tells what was asked of it and when."""

    def __init__(self) -> None:
        super().__init__()
        self.to_do = {"purge": 0, "thin": 0, "compact": 0}
        self.asked: list[tuple[float, str, object]] = []

    async def purge(self, samples_before_ms: int, insights_before_ms: int, batch: int) -> int:
        return self._step("purge", (samples_before_ms, insights_before_ms))

    async def thin(self) -> int:
        return self._step("thin", None)

    async def compact(self, at_least: int) -> int:
        return self._step("compact", at_least)

    def _step(self, kind: str, asked: object) -> int:
        if self.trouble is not None:
            raise self.trouble
        self.asked.append((round(trio.current_time() - self.begun_s, 2), kind, asked))
        self.to_do[kind] -= 1
        return int(self.to_do[kind] >= 0)

    begun_s = 0.0

    def of(self, kind: str) -> list[tuple[float, object]]:
        return [(at, asked) for at, found, asked in self.asked if found == kind]


@pytest.fixture
async def archive(nursery: trio.Nursery) -> BusyArchive:
    archive = BusyArchive()
    archive.begun_s = trio.current_time()
    begun_s = archive.begun_s
    history = History(MemoryTier(retention_ms=DAY_MS), lambda: NOW_MS)
    history.archive = archive
    clock = TrustedClock(lambda: NOW_MS + round((trio.current_time() - begun_s) * 1000))
    policy = HousekeepingPolicy(retention_ms=30 * DAY_MS, cleanup_interval_s=600)
    await nursery.start(Housekeeper(history=history, clock=clock, policy=policy).run)
    return archive


async def test_retention_after_a_minute_and_then_every_interval(archive: BusyArchive, autojump_clock: object) -> None:
    await trio.sleep(605)
    ((at_s, bounds),) = archive.of("purge")
    assert at_s == 60
    assert bounds == (NOW_MS + 60_000 - 30 * DAY_MS, NOW_MS + 60_000 - 7 * DAY_MS)
    await trio.sleep(100)
    assert [at for at, _ in archive.of("purge")] == [60, 660]


async def test_it_packs_what_is_much_at_once_and_the_rest_every_hour(
    archive: BusyArchive, autojump_clock: object
) -> None:
    await trio.sleep(3_605)
    asked = [at_least for _, at_least in archive.of("compact")]
    assert asked == [PACK_SAMPLES] * 359 + [1]
    await trio.sleep(10)
    assert archive.of("compact")[-1][1] == PACK_SAMPLES


async def test_step_by_step_with_room_for_others_in_between(archive: BusyArchive, autojump_clock: object) -> None:
    archive.to_do = {"purge": 2, "thin": 3, "compact": 2}
    await trio.sleep(15)
    assert [at for at, _ in archive.of("thin")] == [10.0, 10.05, 10.1, 10.15]
    assert [at for at, _ in archive.of("compact")] == [10.15, 10.2, 10.25]
    await trio.sleep(50)
    first_s, *later_s = [at for at, _ in archive.of("purge")]
    assert [round(at - first_s, 2) for at in later_s] == [0.05, 0.1]


async def test_trouble_with_the_disk_is_waited_out(archive: BusyArchive, autojump_clock: object) -> None:
    archive.trouble = ArchiveError("full", "the disk is full")
    await trio.sleep(100)
    assert archive.asked == []
    archive.trouble = None
    await trio.sleep(11)
    assert [kind for _, kind, _ in archive.asked[:3]] == ["purge", "thin", "compact"]


async def test_without_an_archive_it_waits(nursery: trio.Nursery, autojump_clock: object) -> None:
    history = History(MemoryTier(retention_ms=DAY_MS), lambda: NOW_MS)
    policy = HousekeepingPolicy(retention_ms=30 * DAY_MS, cleanup_interval_s=1)
    await nursery.start(Housekeeper(history=history, clock=TrustedClock(lambda: NOW_MS), policy=policy).run)
    await trio.sleep(100)
    archive = history.archive = BusyArchive()
    await trio.sleep(2)
    assert archive.of("thin")
