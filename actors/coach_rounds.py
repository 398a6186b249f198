"""The rounds of the coach's checks: every five minutes the new samples go into the coach's log, and the checks look.

Owns the log and the checks; both survive a restart of the actor. Promises
- the event loop is held for no longer than it takes to copy a few minutes of some forty metrics; sums and checks run
  in the analysers' thread;
- at the start the log is filled from the archive, day by day, when there is one: nights and weeks are then known at
  once. An archive in trouble leaves the log as it is, and the checks hide what they cannot judge;
- samples that come after their slot was looked at (a past that is sent later, a sender that was away) are in the log at
  the next look, and so is what a clock that was set makes the last two weeks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import trio

from analytics.catalogue import Catalogue, MetricSpec
from analytics.coach_log import CAPACITY, MAX_TRACKS, SLOT_MS, CoachLog, held_ms, is_logged
from analytics.coach_watch import CoachWatch
from analytics.records import Finding, FindingKind
from analytics.robust import Times
from storage.history import History
from storage.memory import MemoryTier
from storage.models import EMPTY_WINDOW, Values
from storage.models import Times as StoredTimes

LOG: Final = logging.getLogger(__name__)
LATE_MS: Final = 15_000  # samples of a slot may come so late
STRETCH_MS: Final = 86_400_000  # the archive is read a day at a time
PAST_MS: Final = 3_600_000  # later than this it is a past, of which memory may hold a part only: the log is read anew
Batch = list[tuple[str, MetricSpec, StoredTimes, Values]]


class CoachRounds:
    """`wall`: unix ms to wall-clock ms where the coach is (LocalTime.wall)."""

    def __init__(
        self,
        *,
        memory: MemoryTier,
        history: History,
        catalogue: Catalogue,
        wall: Callable[[Times], Times],
        limiter: trio.CapacityLimiter,
    ) -> None:
        self._memory = memory
        self._history = history
        self._catalogue = catalogue
        self._wall = wall
        self._limiter = limiter
        self._log = CoachLog()
        self._watch = CoachWatch(self._log, wall)
        self._until_ms: int | None = None  # up to here the log was filled last
        self._seen_seq = 0  # and with it the memory tier's samples up to this sequence number
        self._failed: dict[str, str] = {}
        self._busy = trio.Lock()

    async def look(self, now_ms: int, *, thorough: bool = False) -> list[Finding]:
        """What the checks have to tell: news, and (`thorough`) everything that holds."""
        until_ms = _until(now_ms)
        async with self._busy:
            if self._until_ms is not None and until_ms + PAST_MS < self._until_ms:
                await self._begin_anew(until_ms)  # the clock was ahead
            elif until_ms // SLOT_MS <= self._log.end_slot and not thorough:
                return []
            await self._catch_up(until_ms)
            batch = await self._news(self._log, until_ms)
            findings = await trio.to_thread.run_sync(
                partial(_look, self._log, self._watch, batch, until_ms, thorough), limiter=self._limiter
            )
        for check, error in self._watch.failed.items():
            if self._failed.get(check) != error:
                LOG.error("the check %s failed: %s", check, error)
        self._failed = dict(self._watch.failed)
        return findings

    async def refill(self, now_ms: int, told: list[tuple[FindingKind, str]]) -> None:
        """Build the log anew from archive and memory. `told`: what the book holds open of the checks' kinds."""
        async with self._busy:
            await self._begin_anew(_until(now_ms))
            self._watch.remember(told)

    async def _begin_anew(self, until_ms: int) -> None:
        log = CoachLog()
        if await self._read(log, dict.fromkeys(await self._history.names(), 0), until_ms):
            told = self._watch.told()
            self._log, self._watch, self._until_ms = log, CoachWatch(log, self._wall), until_ms
            self._watch.remember(told)

    async def _catch_up(self, until_ms: int) -> None:
        """What came since the last look and belongs into slots that were looked at; when the clock was put on, or the
        machine slept: everything that the archive has."""
        seq = self._memory.last_seq
        first_ms: dict[str, int] = {}
        if self._until_ms is not None and until_ms - self._until_ms > PAST_MS:
            first_ms = dict.fromkeys(await self._history.names(), 0)
        else:
            for name in self._memory.names():
                spec, wanted_ms = self._catalogue.spec(name), self._log.wanted_from_ms(name)
                if not is_logged(spec) or (wanted_ms is None and len(self._log) >= MAX_TRACKS):
                    continue
                await trio.lowlevel.checkpoint()
                if wanted_ms is None:  # new: memory may hold a part of it
                    late_ms = self._memory.late_from_ms(name, -1, until_ms)
                else:
                    late_ms = self._memory.late_from_ms(name, self._seen_seq, wanted_ms)
                if late_ms is not None:
                    is_past = wanted_ms is None or wanted_ms - late_ms > PAST_MS
                    first_ms[name] = 0 if is_past else late_ms - held_ms(spec)
        log = CoachLog()
        if first_ms and not await self._read(log, first_ms, until_ms):
            return  # to be tried again at the next look
        self._log.adopt(log)
        if 0 in first_ms.values():
            self._watch.look_at_all()
        self._seen_seq, self._until_ms = seq, until_ms

    async def _read(self, log: CoachLog, first_ms: Mapping[str, int], until_ms: int) -> bool:
        """Samples of both tiers into `log`, of each metric from its time on. False: the archive is in trouble."""
        specs = {name: spec for name in first_ms if is_logged(spec := self._catalogue.spec(name))}
        for start_ms in range(until_ms - CAPACITY * SLOT_MS, until_ms, STRETCH_MS):
            end_ms = min(start_ms + STRETCH_MS, until_ms)
            for name, spec in specs.items():
                from_ms = max(start_ms, first_ms[name] // SLOT_MS * SLOT_MS)
                if from_ms >= end_ms:
                    continue
                found = await self._history.window([name], from_ms, end_ms)
                if not found.complete:
                    LOG.warning("the coach's past could not be read: %s", found.reason)
                    return False
                window = found.windows.get(name, EMPTY_WINDOW)
                if len(window) or log.wanted_from_ms(name) is not None:
                    batch: Batch = [(name, spec, window.times, window.values)]
                    await trio.to_thread.run_sync(partial(_take, log, batch, end_ms), limiter=self._limiter)
        return True

    async def _news(self, log: CoachLog, until_ms: int) -> Batch:
        """The memory tier's samples that the log has not got yet."""
        batch: Batch = []
        for name in self._memory.names():
            spec = self._catalogue.spec(name)
            if is_logged(spec):
                window = self._memory.window(name, log.wanted_from_ms(name) or 0, until_ms)
                batch.append((name, spec, window.times, window.values))
                await trio.lowlevel.checkpoint()
            else:
                log.drop(name)  # its sender says another unit than it had
        return batch


def _until(now_ms: int) -> int:
    """The end of the last slot that is over, samples that come late included."""
    return (now_ms - LATE_MS) // SLOT_MS * SLOT_MS


def _take(log: CoachLog, batch: Batch, until_ms: int) -> None:
    for name, spec, times, values in batch:
        log.take(name, spec, times, values, until_ms)


def _look(log: CoachLog, watch: CoachWatch, batch: Batch, until_ms: int, thorough: bool) -> list[Finding]:
    _take(log, batch, until_ms)
    return watch.look(thorough=thorough)
