"""The archive in SQLite, first form: one row a sample, behind the lines of `archive.py`.

Owns the file while it is open, with one connection that writes and one that reads, so that reading never holds up an
append (WAL). Durable on return: write-ahead log with `synchronous = FULL`. Promises beyond the protocol
- a bad file is refused and left untouched;
- a file that was moved or deleted under it is noticed at the next append.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import chain, islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import trio

from analytics.records import Insight, Pattern

from .archive import ArchiveError, PoisonError
from .models import ArchiveStatus, Buckets, SeriesPart, Window
from .salvage import Batch, adopting
from .sqlite_connection import CLOSE_WITHIN_S, OnDamage, Reader, SqliteConnection
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
from .sqlite_schema import look_at, prepare_reader, prepare_writer

R = TypeVar("R")

LOG: Final = logging.getLogger(__name__)
BUSY_TIMEOUT_MS: Final = 1_000
GROUP_ROWS: Final = 256  # rows in one INSERT: each statement gives up the interpreter lock and has to win it back
EXACT_MS: Final = 2**52  # whole milliseconds below it survive the way through seconds as REAL

_NAMES: Final = """
    WITH RECURSIVE known(name) AS (
        SELECT min(metric_name) FROM analytics_metrics
        UNION ALL
        SELECT (SELECT min(metric_name) FROM analytics_metrics WHERE metric_name > known.name)
        FROM known WHERE known.name IS NOT NULL
    )
    SELECT name FROM known WHERE name IS NOT NULL"""
_SPAN: Final = "FROM analytics_metrics WHERE metric_name = ? AND timestamp >= ? AND timestamp < ?"
_WINDOW: Final = f"SELECT timestamp, value {_SPAN} ORDER BY timestamp"  # constants
_NEWEST: Final = f"SELECT timestamp, value {_SPAN} ORDER BY timestamp DESC LIMIT ?"
_FIRST: Final = f"SELECT min(timestamp) {_SPAN}"
_SUM: Final = f"SELECT count(*), sum(value), min(value), max(value) {_SPAN}"
_EDGE: Final = (
    "SELECT timestamp FROM analytics_metrics WHERE metric_name = ? AND timestamp < ?"
    " ORDER BY timestamp LIMIT 1 OFFSET ?"
)


async def open_sqlite_archive(
    path: Path,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    max_bytes: int | None = None,
    wall_ms: Callable[[], int] | None = None,
    on_damage: OnDamage | None = None,
) -> SqliteArchive:
    """Open the file, or make it. Raises ArchiveError; whatever was there before stays as it was.

    `max_bytes` bounds the database file: past it, appends fail with trouble "full". With `wall_ms` the status
    knows when the last commit was. `on_damage` hears of every read and write that finds it damaged or replaced.
    """
    await trio.to_thread.run_sync(look_at, path)
    writer = await SqliteConnection.open(path, busy_timeout_ms, on_damage)
    reader: SqliteConnection | None = None
    try:
        await writer.call(lambda connection: prepare_writer(connection, path, max_bytes))
        reader = await SqliteConnection.open(path, busy_timeout_ms, on_damage)
        await reader.call(prepare_reader)
        return SqliteArchive(path, writer, reader, wall_ms)
    except BaseException:
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            if reader is not None:
                await reader.close()
            await writer.close()
        raise


class SqliteArchive:
    """See the module docstring; `open_sqlite_archive` makes one."""

    def __init__(
        self, path: Path, writer: SqliteConnection, reader: SqliteConnection, wall_ms: Callable[[], int] | None
    ) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._wall_ms = wall_ms
        self._last_commit_ms: int | None = None
        self._identity = _identity(path)

    async def append(
        self,
        parts: Sequence[SeriesPart],
        insights: Sequence[Insight] = (),
        patterns: Sequence[Pattern] = (),
    ) -> None:
        def work(connection: sqlite3.Connection) -> None:
            self._check_file()
            try:
                _put_samples(connection, parts)
                connection.executemany(PUT_INSIGHT, map(insight_row, insights))
                connection.executemany(PUT_PATTERN, map(pattern_row, patterns))
            except (UnicodeError, OverflowError, TypeError, ValueError) as error:  # not storable, not JSON
                raise PoisonError(str(error)) from error

        await self._writer.write(work)
        if self._wall_ms is not None:
            self._last_commit_ms = self._wall_ms()

    async def names(self) -> list[str]:
        return await self._reader.read(lambda reader: [row[0] for row in reader.rows(_NAMES)])

    async def window(
        self, names: Sequence[str], start_ms: int, end_ms: int, limit: int | None = None
    ) -> Mapping[str, Window]:
        def work(reader: Reader) -> dict[str, Window]:
            found = ((name, _window(reader, name, start_ms, end_ms, limit)) for name in names)
            return {name: window for name, window in found if len(window)}

        return await self._reader.read(work)

    async def buckets(self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> Mapping[str, Buckets]:
        def work(reader: Reader) -> dict[str, Buckets]:
            found = ((name, _buckets(reader, name, start_ms, end_ms, step_ms)) for name in names)
            return {name: buckets for name, buckets in found if len(buckets)}

        return await self._reader.read(work)

    async def insights(self, since_ms: int, limit: int) -> list[Insight]:
        return await self._reader.read(
            lambda reader: _records(reader.rows(GET_INSIGHTS, since_ms / 1000, limit), insight_of)
        )

    async def patterns(self, since_ms: int, limit: int) -> list[Pattern]:
        return await self._reader.read(
            lambda reader: _records(reader.rows(GET_PATTERNS, since_ms / 1000, limit), pattern_of)
        )

    async def purge(self, samples_before_ms: int, insights_before_ms: int, batch: int) -> int:
        def work(connection: sqlite3.Connection) -> int:
            self._check_file()
            gone = _purge_records(connection, insights_before_ms / 1000)
            for (name,) in connection.execute(_NAMES).fetchall():
                if gone >= batch:
                    break
                gone += _purge_samples(connection, name, samples_before_ms / 1000, batch - gone)
            return gone

        return await self._writer.write(work)

    async def adopt(self, batch: Batch) -> int:
        """Rows saved out of a damaged file, in one transaction: those this one lacks and can take. How many it took."""

        def work(connection: sqlite3.Connection) -> int:
            self._check_file()
            return sum(connection.execute(sql, values).rowcount for sql, values in adopting(batch))

        return await self._writer.write(work)

    async def status(self) -> ArchiveStatus:
        def size() -> int:
            files = (self._path, self._path.with_name(self._path.name + "-wal"))
            return sum(file.stat().st_size for file in files if file.exists())

        self._writer.check_open()
        try:
            size_bytes = await trio.to_thread.run_sync(size)
        except OSError as error:
            raise ArchiveError("unavailable", f"{self._path} can't be looked at: {error.strerror}") from error
        return ArchiveStatus(size_bytes=size_bytes, samples=None, last_commit_ms=self._last_commit_ms)

    async def aclose(self) -> None:
        self._reader.stop_reading()
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            async with AsyncExitStack() as closing:  # both, whatever one of them raises
                closing.push_async_callback(self._writer.close)
                closing.push_async_callback(self._reader.close)

    def _check_file(self) -> None:
        """SQLite goes on writing into a file that has no name any more; nobody would find it again."""
        if _identity(self._path) != self._identity:
            raise ArchiveError("unavailable", f"{self._path} was moved, deleted or replaced")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _put_samples(connection: sqlite3.Connection, parts: Sequence[SeriesPart]) -> None:
    values = chain.from_iterable(map(_flat_rows, parts))
    rest = sum(map(len, parts))
    size = GROUP_ROWS
    while rest:
        while size > rest:
            size //= 2
        connection.execute(_put_sql(size), tuple(islice(values, 4 * size)))
        rest -= size


def _flat_rows(part: SeriesPart) -> Iterator[str | float | None]:
    """name, value, metadata, timestamp, name, value ..."""
    if not np.isfinite(part.values).all():
        raise PoisonError(f"{part.name!r} has a value that is not a finite number")
    if len(part.times) and not -EXACT_MS < part.times.min() <= part.times.max() < EXACT_MS:
        raise PoisonError(f"{part.name!r} has a time beyond what can be stored exactly")
    for value, time_s in zip(part.values.tolist(), (part.times / 1000.0).tolist(), strict=True):
        yield part.name
        yield value
        yield part.metadata
        yield time_s


def _put_sql(rows: int) -> str:
    return (  # the text holds no content, only as many places as there are rows
        "INSERT INTO analytics_metrics (metric_name, value, metadata, timestamp) VALUES "  # noqa: S608
        + ", ".join(["(?, ?, ?, ?)"] * rows)
        + " ON CONFLICT (metric_name, timestamp) DO UPDATE SET value = excluded.value, metadata = excluded.metadata"
    )


def _window(reader: Reader, name: str, start_ms: int, end_ms: int, limit: int | None) -> Window:
    if limit is None:
        rows = reader.rows(_WINDOW, name, start_ms / 1000, end_ms / 1000)
    else:
        rows = reader.rows(_NEWEST, name, start_ms / 1000, end_ms / 1000, limit)[::-1]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 2)
    times = np.rint(table[:, 0] * 1000.0).astype(np.int64)
    values = table[:, 1].copy()
    times.flags.writeable = values.flags.writeable = False
    return Window(times, values)


def _buckets(reader: Reader, name: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
    """One range after the other: GROUP BY on an expression would sort every sample first and takes twice as long."""
    found: list[tuple[int, int, float, float, float]] = []
    at_ms = start_ms
    while at_ms < end_ms:
        cell_ms = at_ms // step_ms * step_ms
        next_ms = min(cell_ms + step_ms, end_ms)
        ((count, total, low, high),) = reader.rows(_SUM, name, at_ms / 1000, next_ms / 1000)
        if count:
            found.append((cell_ms, count, total, low, high))
            at_ms = next_ms
            continue
        ((first_s,),) = reader.rows(_FIRST, name, next_ms / 1000, end_ms / 1000)
        if first_s is None:
            break
        at_ms = max(next_ms, round(first_s * 1000) // step_ms * step_ms)
    starts, counts, totals, lows, highs = zip(*found, strict=True) if found else ((),) * 5
    most = np.finfo(np.float64).max
    return Buckets(
        step_ms,
        np.array(starts, dtype=np.int64),
        np.array(counts, dtype=np.int64),
        np.array(totals, dtype=np.float64).clip(-most, most),
        np.array(lows, dtype=np.float64),
        np.array(highs, dtype=np.float64),
    )


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


def _purge_samples(connection: sqlite3.Connection, name: str, before_s: float, most: int) -> int:
    """Delete up to `most` samples of one metric, the oldest first."""
    edge = connection.execute(_EDGE, (name, before_s, most)).fetchone()
    bound_s = before_s if edge is None else edge[0]
    return connection.execute(
        "DELETE FROM analytics_metrics WHERE metric_name = ? AND timestamp < ?", (name, bound_s)
    ).rowcount
