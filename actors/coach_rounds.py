"""The rounds of the coach's checks: every five minutes the new samples go into the coach's log, and the checks look.

Owns the log and the checks; both survive a restart of the actor. Promises
- the event loop is held for no longer than it takes to copy a few minutes of some forty metrics; sums and checks run
  in the analysers' thread;
- at the start the log is filled from the archive, day by day, when there is one: nights and weeks are then known at
  once. An archive in trouble leaves the log as it is, and the checks hide what they cannot judge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

import trio

from analytics.catalogue import Catalogue, MetricSpec
from analytics.coach_log import CAPACITY, SLOT_MS, CoachLog, is_logged
from analytics.coach_watch import CoachWatch
from analytics.records import Finding, FindingKind
from analytics.robust import Times
from storage.history import History
from storage.memory import MemoryTier
from storage.models import Times as StoredTimes
from storage.models import Values

LOG: Final = logging.getLogger(__name__)
LATE_MS: Final = 15_000  # samples of a slot may come so late
STRETCH_MS: Final = 86_400_000  # the archive is read a day at a time
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
        self._failed: dict[str, str] = {}
        self._busy = trio.Lock()

    async def look(self, now_ms: int, *, thorough: bool = False) -> list[Finding]:
        """What the checks have to tell: news, and (`thorough`) everything that holds."""
        until_ms = (now_ms - LATE_MS) // SLOT_MS * SLOT_MS
        async with self._busy:
            if until_ms // SLOT_MS <= self._log.end_slot and not thorough:
                return []
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
        until_ms = (now_ms - LATE_MS) // SLOT_MS * SLOT_MS
        log = CoachLog()
        specs = {name: self._catalogue.spec(name) for name in await self._history.names()}
        names = [name for name, spec in specs.items() if is_logged(spec)]
        first_ms = until_ms - CAPACITY * SLOT_MS
        for start_ms in range(first_ms, until_ms, STRETCH_MS):
            end_ms = min(start_ms + STRETCH_MS, until_ms)
            for name in names:
                found = await self._history.window([name], start_ms, end_ms)
                if not found.complete:
                    LOG.warning("the coach's past could not be read: %s", found.reason)
                    return
                window = found.windows.get(name)
                if window is not None:
                    batch: Batch = [(name, specs[name], window.times, window.values)]
                    await trio.to_thread.run_sync(partial(_take, log, batch, end_ms), limiter=self._limiter)
        watch = CoachWatch(log, self._wall)
        watch.remember(told)
        async with self._busy:
            self._log, self._watch = log, watch

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


def _take(log: CoachLog, batch: Batch, until_ms: int) -> None:
    for name, spec, times, values in batch:
        log.take(name, spec, times, values, until_ms)


def _look(log: CoachLog, watch: CoachWatch, batch: Batch, until_ms: int, thorough: bool) -> list[Finding]:
    _take(log, batch, until_ms)
    return watch.look(thorough=thorough)
