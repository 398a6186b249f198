"""The archive's upkeep: packing, step by step, while appends and reads go on.

Owns a connection of its own for the long half of a step (reading, unpacking, compressing); the short half is a
transaction on the archive's writing connection. One step at a time. Promises: a step that fails or is cancelled has
changed nothing or everything; what has overtaken a plan makes it be planned anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio

from .archive import ArchiveError
from .budget import Budget
from .compaction import Stale, Step, apply, plan_journal, plan_packs
from .damage import Damage
from .sqlite_connection import CLOSE_WITHIN_S, Reader, SqliteConnection
from .sqlite_errors import OnDamage
from .sqlite_names import Rows
from .sqlite_reading import Reading
from .sqlite_schema import prepare_reader
from .sqlite_writing import Writing
from .thinning import plan_early_packing, plan_thinning

R = TypeVar("R")

BUSY_TIMEOUT_MS: Final = 1_000
TRIES: Final = 3  # of a step, when appends overtake its plan


class Upkeep:
    """See the module docstring."""

    def __init__(
        self,
        path: Path,
        writer: SqliteConnection,
        writing: Writing,
        damage: Damage,
        check_file: Callable[[], None],
        budget: Budget | None,
        on_damage: OnDamage | None,
    ) -> None:
        self._path = path
        self._writer = writer
        self._writing = writing
        self._damage = damage
        self._check_file = check_file
        self._budget = budget
        self._on_damage = on_damage
        self._reading = Reading(damage)
        self._connection: SqliteConnection | None = None
        self._one = trio.Lock()
        self._opening = trio.Lock()
        self._closed = False

    async def compact(self, at_least: int) -> int:
        """One step: the journal when it holds `at_least` samples, else rows of an old file, else packs. Returns how
        many samples were packed; 0: nothing is left to do."""
        async with self._one:
            done = await self._step(lambda rows, reading: plan_journal(rows, reading, self._damage, at_least))
            if not done:
                done = await self._pack_rows()
            if not done:
                done = await self._step(lambda rows, _: plan_packs(rows, self._damage))
            return done

    async def thin(self) -> int:
        """One step towards the budget. Returns how many samples it concerned; 0: there is room, or nothing to thin."""
        budget = self._budget
        if budget is None:
            return 0
        async with self._one:
            done = 0
            try:
                done = await self._step(lambda rows, reading: plan_early_packing(rows, reading, budget, self._damage))
            except ArchiveError as error:
                if error.trouble != "full":
                    raise  # and else thinning may make the room that packing lacks
            return done or await self._step(lambda rows, _: plan_thinning(rows, budget, self._damage))

    async def read(self, work: Callable[[Rows, Reading], R]) -> R:
        """Run `work` in a snapshot on the upkeep's own connection."""

        def snapshot(reader: Reader) -> R:
            with reader.snapshot():
                self._reading.begin(reader.rows)
                return work(reader.rows, self._reading)

        return await (await self._opened()).read(snapshot)

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.stop_reading()

    async def close(self) -> None:
        self._closed = True
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            async with self._opening:  # who is opening now finds that it is closed
                pass
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _opened(self) -> SqliteConnection:
        async with self._opening:
            if self._closed:
                raise ArchiveError("closed", "the archive is closed")
            if self._connection is None:
                opened = await SqliteConnection.open(self._path, BUSY_TIMEOUT_MS, prepare_reader, self._on_damage)
                if self._closed:
                    await opened.close()
                    raise ArchiveError("closed", "the archive is closed")
                self._connection = opened
            return self._connection

    async def _step(self, plan: Callable[[Rows, Reading], Step | None]) -> int:
        for _ in range(TRIES):
            generation = self._writing.generation
            step = await self.read(plan)
            if step is None:
                return 0
            try:
                await self._writer.write(partial(self._apply, step, generation))
            except Stale:
                continue
            return step.samples
        return 0

    def _apply(self, step: Step, generation: int, connection: sqlite3.Connection) -> None:
        self._check_file()
        if self._writing.generation != generation:
            raise Stale
        apply(connection, step)

    async def _pack_rows(self) -> int:
        def work(connection: sqlite3.Connection) -> int:
            self._check_file()
            self._writing.generation += 1
            return self._writing.pack_rows(connection)

        try:
            return await self._writer.write(work)
        except Stale:
            return 0
