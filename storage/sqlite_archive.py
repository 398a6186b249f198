"""The archive in SQLite, behind the lines of `archive.py`.

Owns the file while it is open, with one connection that writes, one that reads and one for the upkeep, so that neither
holds up an append (WAL). How samples lie in it: sqlite_writing.py; how they come out: sqlite_reading.py. Durable on
return: write-ahead log with `synchronous = FULL`. Promises beyond the protocol
- a bad file is refused and left untouched;
- a file that was moved or deleted under it is noticed at the next append.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, TypeVar

import trio

from analytics.records import Insight, Pattern

from .archive import ArchiveError, PoisonError
from .budget import Budget
from .models import ArchiveStatus, SeriesPart
from .salvage import Batch, adopting
from .sqlite_adopting import PACKED, adopt_packed
from .sqlite_chunks import purge_packed
from .sqlite_connection import CLOSE_WITHIN_S, SqliteConnection, identity_of
from .sqlite_errors import OnDamage
from .sqlite_names import Names
from .sqlite_reader import SqliteReader
from .sqlite_records import (
    GET_INSIGHTS,
    GET_PATTERNS,
    PUT_INSIGHT,
    PUT_PATTERN,
    Row,
    insight_of,
    insight_row,
    pattern_of,
    pattern_row,
)
from .sqlite_rows import purge_rows
from .sqlite_schema import look_at, prepare_reader, prepare_writer
from .sqlite_upkeep import Upkeep
from .sqlite_writing import Writing
from .usage import ArchiveUse, raw_from_ms, usage_of

R = TypeVar("R")

LOG: Final = logging.getLogger(__name__)
BUSY_TIMEOUT_MS: Final = 1_000


async def open_sqlite_archive(
    path: Path,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    budget: Budget | None = None,
    wall_ms: Callable[[], int] | None = None,
    on_damage: OnDamage | None = None,
) -> SqliteArchive:
    """Open the file, or make it. Raises ArchiveError; whatever was there before stays as it was.

    `budget` bounds the database file: past it, appends fail with trouble "full", and `thin` makes room before that.
    With `wall_ms` the status knows when the last commit was. `on_damage` hears of every read and write that finds it
    damaged or replaced.
    """
    await trio.to_thread.run_sync(look_at, path)
    writer = await SqliteConnection.open(
        path, busy_timeout_ms, lambda connection: prepare_writer(connection, path, budget), on_damage
    )
    try:
        reader = await SqliteConnection.open(path, busy_timeout_ms, prepare_reader, on_damage)
    except BaseException:
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            await writer.close()
        raise
    return SqliteArchive(path, writer, reader, wall_ms, budget, on_damage)


class SqliteArchive(SqliteReader):
    """See the module docstring; `open_sqlite_archive` makes one."""

    def __init__(
        self,
        path: Path,
        writer: SqliteConnection,
        reader: SqliteConnection,
        wall_ms: Callable[[], int] | None = None,
        budget: Budget | None = None,
        on_damage: OnDamage | None = None,
    ) -> None:
        super().__init__(reader)
        self._path = path
        self._writer = writer
        self._wall_ms = wall_ms
        self._last_commit_ms: int | None = None
        self._identity = identity_of(path)
        self._budget = budget
        self._writing = Writing(self.damage)
        self._upkeep = Upkeep(path, writer, self._writing, self.damage, self._check_file, budget, on_damage)

    async def append(
        self,
        parts: Sequence[SeriesPart],
        insights: Sequence[Insight] = (),
        patterns: Sequence[Pattern] = (),
    ) -> None:
        def work(connection: sqlite3.Connection) -> None:
            self._check_file()
            try:
                self._writing.put(connection, parts)
            except UnicodeError as error:
                raise PoisonError(str(error)) from error
            try:
                connection.executemany(PUT_INSIGHT, map(insight_row, insights))
                connection.executemany(PUT_PATTERN, map(pattern_row, patterns))
            except (UnicodeError, OverflowError, TypeError, ValueError) as error:  # not storable, not JSON
                raise PoisonError(str(error)) from error

        await self._writer.write(work)
        if self._wall_ms is not None:
            self._last_commit_ms = self._wall_ms()

    async def insights(self, since_ms: int, limit: int) -> list[Insight]:
        return await self._connection.read(
            lambda reader: _records(reader.rows(GET_INSIGHTS, since_ms / 1000, limit), insight_of)
        )

    async def patterns(self, since_ms: int, limit: int) -> list[Pattern]:
        return await self._connection.read(
            lambda reader: _records(reader.rows(GET_PATTERNS, since_ms / 1000, limit), pattern_of)
        )

    async def purge(self, samples_before_ms: int, insights_before_ms: int, batch: int) -> int:
        def work(connection: sqlite3.Connection) -> int:
            self._check_file()
            gone = _purge_records(connection, insights_before_ms / 1000)
            gone += purge_rows(connection, samples_before_ms / 1000, max(0, batch - gone))
            packed = purge_packed(connection, samples_before_ms, max(0, batch - gone))
            self._writing.generation += packed > 0
            return gone + packed

        gone = await self._writer.write(work)
        self.keep_from_ms = max(self.keep_from_ms, samples_before_ms)
        return gone

    async def compact(self, at_least: int) -> int:
        return await self._upkeep.compact(at_least)

    async def thin(self) -> int:
        return await self._upkeep.thin()

    async def adopt(self, batch: Batch) -> int:
        """Rows saved out of a damaged file, in one transaction: those this one lacks and can take. How many it took."""

        def work(connection: sqlite3.Connection) -> int:
            self._check_file()
            if batch.table in PACKED:
                self._writing.generation += 1
                rows = [dict(zip(batch.columns, row, strict=True)) for row in batch.rows]
                return adopt_packed(connection, batch.table, rows, Names(self.damage))
            return sum(connection.execute(sql, values).rowcount for sql, values in adopting(batch))

        return await self._writer.write(work)

    async def usage(self) -> ArchiveUse:
        return await self._upkeep.read(lambda rows, reading: usage_of(rows, reading, self.damage))

    async def status(self) -> ArchiveStatus:
        def size() -> int:
            files = (self._path, self._path.with_name(self._path.name + "-wal"))
            return sum(file.stat().st_size for file in files if file.exists())

        self._writer.check_open()
        try:
            size_bytes = await trio.to_thread.run_sync(size)
        except OSError as error:
            raise ArchiveError("unavailable", f"{self._path} can't be looked at: {error.strerror}") from error
        return ArchiveStatus(
            size_bytes=size_bytes,
            samples=None,
            last_commit_ms=self._last_commit_ms,
            budget_bytes=None if self._budget is None else self._budget.total,
            raw_from_ms=await self._read(lambda rows, _: raw_from_ms(rows)),
            damaged=len(self.damage),
        )

    async def aclose(self) -> None:
        self._connection.stop_reading()
        self._upkeep.stop()
        async with AsyncExitStack() as closing:  # each, whatever another one raises
            closing.push_async_callback(self._writer.close)
            closing.push_async_callback(self._connection.close)
            closing.push_async_callback(self._upkeep.close)

    def _check_file(self) -> None:
        """SQLite goes on writing into a file that has no name any more; nobody would find it again."""
        if identity_of(self._path) != self._identity:
            raise ArchiveError("unavailable", f"{self._path} was moved, deleted or replaced")


def _records(rows: Sequence[Row], record_of: Callable[[Row], R]) -> list[R]:
    """One that is damaged is named and left out: it must not take the others along."""
    records: list[R] = []
    for row in rows:
        try:
            records.append(record_of(row))
        except (KeyError, TypeError, ValueError) as error:  # the tables' checks held when it was written
            LOG.warning("the record %r in the database is damaged and left out (%s)", row[0], error)
    return records


def _purge_records(connection: sqlite3.Connection, before_s: float) -> int:
    gone = connection.execute("DELETE FROM analytics_insights WHERE updated_at < ?", (before_s,)).rowcount
    return gone + connection.execute("DELETE FROM analytics_patterns WHERE created_at < ?", (before_s,)).rowcount
