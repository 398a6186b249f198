"""The housekeeper: keeps the archive packed, within its budget and its retention, in the background of everything else.

Owns no data: it looks every few seconds whether the archive is open, and goes step by step, each a short transaction,
with a pause in between, so that commits come first. Trouble with the disk is the persister's to tell; here it only
means to try again at the next look.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import trio
from msgspec import Struct

from storage.archive import Archive, ArchiveError
from storage.history import History

from .clock import TrustedClock

LOG: Final = logging.getLogger(__name__)
LOOK_S: Final = 10.0
PAUSE_S: Final = 0.05  # between two steps
PACK_SAMPLES: Final = 750_000  # waiting in the journal, from which on they are packed at once ...
PACK_EVERY_S: Final = 3_600.0  # ... else they are packed so often: shorter runs pack worse and wear the card more
PURGE_ROWS: Final = 5_000  # deleted in one transaction
INSIGHT_RETENTION_MS: Final = 7 * 86_400_000


class HousekeepingPolicy(Struct, frozen=True, kw_only=True):
    """What to keep, and how often to look for what is too old."""

    retention_ms: int
    cleanup_interval_s: float


class Housekeeper:
    """One actor; `run` has a child's signature."""

    def __init__(self, *, history: History, clock: TrustedClock, policy: HousekeepingPolicy) -> None:
        self._history = history
        self._clock = clock
        self._policy = policy
        self._next_pack_s = self._next_purge_s = float("-inf")

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        begun_s = trio.current_time()
        self._next_pack_s = begun_s + PACK_EVERY_S
        self._next_purge_s = begun_s + min(60.0, self._policy.cleanup_interval_s)
        task_status.started()
        while True:
            await trio.sleep(min(LOOK_S, self._policy.cleanup_interval_s))
            archive = self._history.archive
            if archive is not None:
                try:
                    await self._round(archive)
                except ArchiveError as error:
                    LOG.info("housekeeping waits for the archive: %s", error.reason)

    async def _round(self, archive: Archive) -> None:
        now_s = trio.current_time()
        if now_s >= self._next_purge_s:
            await _to_the_end(lambda: self._purge(archive))
            self._next_purge_s = now_s + self._policy.cleanup_interval_s
        await _to_the_end(archive.thin)
        at_least = PACK_SAMPLES
        if now_s >= self._next_pack_s:
            at_least, self._next_pack_s = 1, now_s + PACK_EVERY_S
        await _to_the_end(lambda: archive.compact(at_least))

    async def _purge(self, archive: Archive) -> int:
        """Ages are reckoned from a clock that a wrong date cannot drive ahead."""
        horizon_ms = self._clock.horizon_ms()
        return await archive.purge(
            horizon_ms - self._policy.retention_ms, horizon_ms - INSIGHT_RETENTION_MS, PURGE_ROWS
        )


async def _to_the_end(step: Callable[[], Awaitable[int]]) -> None:
    """Step after step, until one finds nothing left to do."""
    while True:
        if not await step():
            return
        await trio.sleep(PAUSE_S)
