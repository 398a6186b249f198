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

    def record(self, name: str, start_ms: int, value: float, minutes: int, now_ms: int | None = None) -> None:
        times = start_ms + np.arange(minutes, dtype=np.int64) * 60_000
        part = SeriesPart(name, times, np.full(minutes, value))
        self.memory.append(part, seq=self.memory.last_seq + 1, now_ms=now_ms or int(times[-1]))


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


@pytest.mark.parametrize("in_memory", [True, False])
async def test_a_past_that_is_sent_to_a_running_service_is_known_at_the_next_look(house, in_memory):
    """Someone installs it, sees the first values, and then sends what was recorded before, newest day first."""
    house.record("api.response_time", NOW_MS - 5 * 60_000, 12.0, 1)
    assert await house.rounds.look(NOW_MS) == []
    if not in_memory:  # of a long past memory keeps a part only
        await archived(house, 3)
    for day in (1, 2, 3) if in_memory else (1,):
        house.record("api.response_time", NOW_MS - day * DAY_MS, 12.0, 1435, now_ms=NOW_MS)
    house.record("api.response_time", NOW_MS, 900.0, 30)
    (finding,) = await house.rounds.look(NOW_MS + 26 * 60_000)
    assert (finding.kind, finding.facts["usual"]) == (FindingKind.SLOWED, "12 ms")


async def test_a_past_is_looked_at_by_every_check_and_once_only(house, monkeypatch):
    looked: list[str] = []
    monkeypatch.setattr(coach_watch, "PROMPT", (lambda view: looked.append("prompt") or iter(()),))
    monkeypatch.setattr(coach_watch, "THOROUGH", (lambda view: looked.append("thorough") or iter(()),))
    house.record("api.response_time", NOW_MS, 12.0, 30)
    await house.rounds.look(NOW_MS + 11 * 60_000)
    house.record("api.response_time", NOW_MS - DAY_MS, 12.0, 300, now_ms=NOW_MS)
    for minutes in (16, 21):
        await house.rounds.look(NOW_MS + minutes * 60_000)
    assert looked == ["prompt", "thorough"] * 2 + ["prompt"]


async def test_a_sender_that_is_minutes_late_is_in_the_log_and_nothing_else_is_read(house, monkeypatch):
    house.record("api.response_time", NOW_MS, 12.0, 10)
    await house.rounds.look(NOW_MS + 21 * 60_000)
    house.record("api.response_time", NOW_MS + 10 * 60_000, 30.0, 10)
    asked: list[int] = []
    window = house.history.window

    async def noted(names, start_ms, end_ms):
        asked.append(start_ms)
        return await window(names, start_ms, end_ms)

    monkeypatch.setattr(house.history, "window", noted)
    await house.rounds.look(NOW_MS + 26 * 60_000)
    (track,) = house.rounds._log.tracks(NOW_MS // SLOT_MS + 5, 5)
    np.testing.assert_array_equal(track.mean, [12.0, 12.0, 30.0, 30.0, np.nan])
    assert asked == [NOW_MS + 10 * 60_000]


async def test_what_memory_no_longer_holds_stays_known_when_a_past_is_sent(house):
    house.record("api.response_time", NOW_MS, 12.0, 30)
    await house.rounds.look(NOW_MS + 31 * 60_000)
    later_ms = NOW_MS + DAY_MS
    house.memory.evict(later_ms, None)
    house.record("api.response_time", NOW_MS - DAY_MS, 30.0, 30, now_ms=later_ms)
    await house.rounds.look(later_ms + 16_000)
    (track,) = house.rounds._log.tracks(later_ms // SLOT_MS, 2 * 288)
    assert track.mean[:6].tolist() == [30.0] * 6
    assert track.mean[288:294].tolist() == [12.0] * 6


async def test_an_archive_in_trouble_is_asked_again_for_what_came_late(house, caplog):
    house.record("api.response_time", NOW_MS, 900.0, 30)
    await house.rounds.look(NOW_MS + 11 * 60_000)
    await archived(house, 3)
    house.record("api.response_time", NOW_MS - DAY_MS, 12.0, 10, now_ms=NOW_MS)
    house.history.archive.trouble = ArchiveError("busy", "it is locked")
    assert await house.rounds.look(NOW_MS + 21 * 60_000) == []
    assert "it is locked" in caplog.text
    house.history.archive.trouble = None
    assert [finding.kind for finding in await house.rounds.look(NOW_MS + 26 * 60_000)] == [FindingKind.SLOWED]


async def test_a_clock_that_was_ahead_for_a_while_stops_no_check(house):
    house.record("api.response_time", NOW_MS, 12.0, 30)
    await house.rounds.look(NOW_MS + 3_000 * DAY_MS)
    await house.rounds.look(NOW_MS + 31 * 60_000)
    assert house.rounds._log.end_slot == NOW_MS // SLOT_MS + 6
    (track,) = house.rounds._log.tracks(NOW_MS // SLOT_MS + 6, 6)
    assert track.mean.tolist() == [12.0] * 6


async def test_a_computer_that_starts_in_1970_knows_its_past_once_it_has_the_time(house):
    await archived(house, 3)
    await house.rounds.refill(60_000, [])
    assert await house.rounds.look(120_000) == []
    house.record("api.response_time", NOW_MS, 900.0, 30)
    assert [finding.kind for finding in await house.rounds.look(NOW_MS + 26 * 60_000)] == [FindingKind.SLOWED]


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
