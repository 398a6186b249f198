"""The keeper of the archive's file: opens it, replaces it when it is damaged, and saves what can be saved.

Owns the decision between "open" and "replace"; the files are `recovery.py`'s. Promises
- `open` never needs a person: when it returns, a damaged file lies aside and a new one is open;
- a file that was deleted, or has another in its place, since this process opened it counts as replaced;
- damage met while running is remembered, told to `on_damage`, and acted upon at the next `open`;
- `salvage` may be cancelled, fail and be called again: it begins anew with what is not finished, and does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import trio
from msgspec import Struct
from msgspec.structs import replace

from .archive import ArchiveError, PoisonError
from .recovery import Report, find_damage, move_aside, pending_salvage, report_of, write_report
from .salvage import Batch, Salvage
from .sqlite_adopting import problem_of
from .sqlite_archive import SqliteArchive
from .sqlite_connection import Identity, identity_of
from .sqlite_errors import OnDamage
from .sqlite_schema import shapes

LOG: Final = logging.getLogger(__name__)
BUSY_PAUSE_S: Final = 1.0
PAUSE_S: Final = 0.01  # between two batches: samples go first
FALSE_ALARMS: Final = 1  # so often a file that was called damaged and checks as sound is used again

OpenFile = Callable[[OnDamage], Awaitable[SqliteArchive]]


class SalvageState(Struct):
    """What is being saved, or was saved last, out of a damaged file; for people."""

    file: str
    reason: str
    running: bool = True
    fraction: float = 0.0
    stored: int = 0  # rows


class ArchiveKeeper:
    """See the module docstring. Used by one actor; `state` may be read by anybody.

    `open_file` opens the path, or makes it; it is handed what hears of damage.
    """

    def __init__(self, path: Path, open_file: OpenFile, *, wall_ms: Callable[[], int]) -> None:
        self._path = path
        self._open_file = open_file
        self._wall_ms = wall_ms
        self._suspicion: str | None = None
        self._alarms = 0
        self._salvaging = trio.Lock()
        self._archive: SqliteArchive | None = None  # opened last
        self._identity: Identity = None  # of its file
        self.on_damage: Callable[[], None] = _nobody  # the archive should be closed and opened again
        self.on_replaced: Callable[[], None] = _nobody  # the archive that will be open next is a new one
        self.on_restored: Callable[[], None] = _nobody  # it has another past: a restore has put a backup into it
        self.state: SalvageState | None = None

    async def open(self) -> SqliteArchive:
        """Raises ArchiveError when the disk is in trouble or the file is not ours to use."""
        if self._identity is not None and await trio.to_thread.run_sync(identity_of, self._path) != self._identity:
            self._identity = None
            self.on_replaced()
        suspicion, self._suspicion = self._suspicion, None
        try:
            # May be abandoned: it only reads, or renames what nobody has open; it may take seconds on a slow card.
            damage = await trio.to_thread.run_sync(find_damage, self._path, suspicion, abandon_on_cancel=True)
        except BaseException:
            self._suspicion = suspicion
            raise
        if damage is None and suspicion is not None:
            self._alarms += 1
            damage = suspicion if self._alarms > FALSE_ALARMS else None
        if damage is not None:
            await self._replace(damage)
        try:
            self._archive = await self._open_file(self._suspect)
        except ArchiveError as error:
            if error.trouble != "corrupt":
                raise
            self._suspicion = None
            await self._replace(error.reason)
            self._archive = await self._open_file(self._suspect)
        self._identity = await trio.to_thread.run_sync(identity_of, self._path)
        return self._archive

    async def salvage(self) -> int:
        """Put into the archive that was opened last what files moved aside still hold and it lacks.

        Returns how many rows it took. Raises ArchiveError: what is not finished stays to be done.
        """
        archive = self._archive
        if archive is None:
            raise ArchiveError("closed", "the archive is closed")
        async with self._salvaging:
            stored = 0
            for aside in await trio.to_thread.run_sync(pending_salvage, self._path):
                stored += await self._salvage(aside, archive)
            return stored

    async def _salvage(self, aside: Path, archive: SqliteArchive) -> int:
        begun = report_of(aside) or Report(aside.name, "damaged")
        self.state = state = SalvageState(aside.name, begun.reason)
        salvage = Salvage(aside, shapes(), check=problem_of)
        batches = salvage.batches()
        try:
            while (batch := await trio.to_thread.run_sync(next, batches, None)) is not None:
                state.stored += await _adopt(archive, batch)
                state.fraction = batch.fraction
                await trio.sleep(PAUSE_S)
            report = replace(
                begun,
                finished_ms=self._wall_ms(),
                rows=salvage.rows,
                stored=state.stored,
                damaged=salvage.damaged,
                refused=salvage.refused,
                refused_count=salvage.refused_count,
            )
            await trio.to_thread.run_sync(write_report, aside, report)
        except OSError as error:
            raise ArchiveError("unavailable", f"{aside} can't be read: {error.strerror}") from error
        finally:
            state.running = False
        LOG.warning("%s: %d rows saved out of it", aside, state.stored)
        return state.stored

    async def _replace(self, damage: str) -> None:
        try:
            await trio.to_thread.run_sync(move_aside, self._path, damage)
        except OSError as error:
            raise ArchiveError(
                "unavailable", f"{self._path} is damaged ({damage}) and can't be moved aside: {error.strerror}"
            ) from error
        self.on_replaced()

    def _suspect(self, error: ArchiveError) -> None:
        if self._suspicion is None:
            level = logging.INFO if error.trouble == "replaced" else logging.ERROR
            LOG.log(level, "%s: %s", self._path, error.reason)
        if error.trouble == "corrupt":
            self._suspicion = error.reason
        elif error.trouble == "replaced":
            self.on_restored()
        self.on_damage()


async def _adopt(archive: SqliteArchive, batch: Batch) -> int:
    """A row that can't be stored at all costs no other one."""
    while True:
        try:
            return await archive.adopt(batch)
        except PoisonError as error:
            if len(batch.rows) == 1:
                LOG.warning("a row of %s can't be saved: %s", batch.table, error)
                return 0
            half = len(batch.rows) // 2
            first, second = replace(batch, rows=batch.rows[:half]), replace(batch, rows=batch.rows[half:])
            return await _adopt(archive, first) + await _adopt(archive, second)
        except ArchiveError as error:
            if error.trouble != "busy":
                raise
            await trio.sleep(BUSY_PAUSE_S)


def _nobody() -> None:
    pass
