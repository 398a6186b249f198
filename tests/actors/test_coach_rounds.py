"""The coach's rounds: memory into the log, the past from the archive, trouble is said and survived."""

from __future__ import annotations

import numpy as np
import pytest
import trio

from actors.coach_rounds import CoachRounds
from analytics import coach_watch
from analytics.coach_log import SLOT_MS
from analytics.records import FindingKind
from conf.loader import load_catalogue
from storage.archive import ArchiveError
from storage.history import History
from storage.memory import MemoryTier
from storage.models import SeriesPart
from tests.fakes.memory_archive import MemoryArchive

DAY_MS = 86_400_000
NOW_MS = 1_790_000_000_000 // DAY_MS * DAY_MS


class House:
    def __init__(self) -> None:
        self.memory = MemoryTier(retention_ms=2 * 3_600_000)
        self.history = History(self.memory, lambda: NOW_MS)
        self.rounds = CoachRounds(
            memory=self.memory,
            history=self.history,
            catalogue=load_catalogue(),
            wall=lambda times: times,
            limiter=trio.CapacityLimiter(1),
        )

    def record(self, name: str, start_ms: int, value: float, minutes: int) -> None:
        times = start_ms + np.arange(minutes, dtype=np.int64) * 60_000
        part = SeriesPart(name, times, np.full(minutes, value))
        self.memory.append(part, seq=self.memory.last_seq + 1, now_ms=int(times[-1]))


@pytest.fixture
def house() -> House:
    return House()


async def archived(house: House, days: int) -> None:
    """Days of a core that answers in 12 ms."""
    archive = MemoryArchive()
    house.history.archive = archive
    times = NOW_MS - days * DAY_MS + np.arange(days * 1440, dtype=np.int64) * 60_000
    await archive.append([SeriesPart("api.response_time", times, np.full(len(times), 12.0))])


async def test_the_past_is_known_at_once(house):
    await archived(house, 3)
    house.record("api.response_time", NOW_MS, 900.0, 30)
    await house.rounds.refill(NOW_MS, [])
    findings = await house.rounds.look(NOW_MS + 26 * 60_000)
    assert [(finding.kind, finding.metric) for finding in findings] == [(FindingKind.SLOWED, "api.response_time")]
    assert findings[0].facts["usual"] == "12 ms"
    assert await house.rounds.look(NOW_MS + 26 * 60_000) == []
    again = await house.rounds.look(NOW_MS + 26 * 60_000, thorough=True)
    assert [finding.kind for finding in again] == [FindingKind.SLOWED]


async def test_without_a_past_nothing_is_compared(house):
    house.record("api.response_time", NOW_MS, 900.0, 30)
    assert await house.rounds.look(NOW_MS + 26 * 60_000) == []


async def test_what_the_book_holds_open_can_end_after_a_restart(house):
    await archived(house, 3)
    house.record("api.response_time", NOW_MS, 12.0, 30)
    await house.rounds.refill(NOW_MS, [(FindingKind.SLOWED, "api.response_time")])
    (finding,) = await house.rounds.look(NOW_MS + 26 * 60_000)
    assert finding.over


async def test_a_service_that_became_due_while_nobody_looked_is_told_once(house):
    """The counter stood at 449.9 h in the archive, and goes on at 450.2 after hours without the process."""
    archive = MemoryArchive()
    house.history.archive = archive
    times = NOW_MS - DAY_MS + np.arange(60, dtype=np.int64) * 60_000
    await archive.append([SeriesPart("generator.run_time", times, np.full(60, 449.9))])
    house.record("generator.run_time", NOW_MS, 450.2, 130)
    told = []
    for minutes in (11, 70, 130):
        await house.rounds.refill(NOW_MS + (minutes - 6) * 60_000, [(finding.kind, finding.metric) for finding in told])
        told += await house.rounds.look(NOW_MS + minutes * 60_000)
    assert [(each.kind, each.expected_high, each.start_ms) for each in told] == [(FindingKind.SERVICE_DUE, 450, NOW_MS)]


async def test_a_slot_waits_for_samples_that_come_late(house):
    house.record("api.response_time", NOW_MS, 12.0, 30)
    await house.rounds.look(NOW_MS + SLOT_MS + 1000)
    assert house.rounds._log.end_slot == 0
    await house.rounds.look(NOW_MS + SLOT_MS + 16_000)
    assert house.rounds._log.end_slot == NOW_MS // SLOT_MS + 1


async def test_an_archive_in_trouble_is_said_and_survived(house, caplog):
    await archived(house, 3)
    house.history.archive.trouble = ArchiveError("unavailable", "the disk is gone")
    house.record("api.response_time", NOW_MS, 900.0, 30)
    await house.rounds.refill(NOW_MS, [])
    assert "the disk is gone" in caplog.text
    assert await house.rounds.look(NOW_MS + 26 * 60_000) == []


async def test_a_check_that_fails_is_logged_once(house, caplog, monkeypatch):
    def broken(view):
        raise ZeroDivisionError("no")

    monkeypatch.setattr(coach_watch, "PROMPT", (broken,))
    house.record("api.response_time", NOW_MS, 900.0, 30)
    for minutes in (11, 16, 21):
        await house.rounds.look(NOW_MS + minutes * 60_000)
    assert caplog.text.count("the check broken failed: ZeroDivisionError: no") == 1


async def test_metrics_without_a_role_for_the_coach_are_left_alone(house):
    house.record("light.kitchen.on", NOW_MS, 1.0, 30)
    await house.rounds.look(NOW_MS + 26 * 60_000)
    assert len(house.rounds._log) == 0
