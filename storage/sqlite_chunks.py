"""SQL of packed history: analytics_chunks and analytics_journal, rows to chunks and back.

Owns the text of the statements and the rule that a damaged row is left out and noted, never raised: its neighbours are
served. Reading functions take `rows` (a connection's way to fetch) inside one snapshot; writing ones a connection
inside a transaction.
"""

# ruff: noqa: S608  -- the texts are put together from constants of this file

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .chunk import Chunk, ChunkError, Run, decode, flat
from .damage import Damage
from .models import Times, Values, Window
from .sqlite_names import Rows

CHUNKS: Final = "analytics_chunks"
JOURNAL: Final = "analytics_journal"
_KEYS: Final = {CHUNKS: "chunk_id", JOURNAL: "journal_id"}
AT_ONCE: Final = 500  # rows named in one statement

_CHUNK: Final = "metric_id, last_metric_id, start_ms, end_ms, count, codec, crc, data"
_STORED: Final = f"SELECT chunk_id, level, tier, {_CHUNK} FROM analytics_chunks"
_OF_METRIC: Final = (
    f"{_STORED} WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms < ? ORDER BY end_ms DESC, start_ms DESC"
)
_OF_SPAN: Final = f"{_STORED} WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms >= ? AND end_ms <= ?"
_HEADS: Final = (
    "SELECT chunk_id, start_ms, end_ms, codec, crc FROM analytics_chunks"
    " WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms < ? ORDER BY start_ms"
)
_PACKS: Final = (
    f"{_STORED} INDEXED BY analytics_chunks_packs WHERE level > 0 AND metric_id <= ? AND last_metric_id >= ?"
    " AND end_ms >= ? AND start_ms < ? ORDER BY end_ms DESC"
)
_ENDS: Final = (
    "SELECT end_ms, chunk_id FROM analytics_chunks WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms < ?"
)
_PACK_ENDS: Final = (
    "SELECT end_ms, chunk_id FROM analytics_chunks INDEXED BY analytics_chunks_packs"
    " WHERE level > 0 AND metric_id <= ? AND last_metric_id >= ? AND end_ms >= ? AND start_ms < ?"
)
_AMOUNTS: Final = (
    "SELECT end_ms, CASE codec WHEN 1 THEN count ELSE min(count, (end_ms - start_ms) / 60000 + 2) END"
    " FROM analytics_chunks WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms < ?"
)
_PACK_AMOUNTS: Final = (
    "SELECT end_ms, min(count, 2048) FROM analytics_chunks INDEXED BY analytics_chunks_packs"
    " WHERE level > 0 AND metric_id <= ? AND last_metric_id >= ? AND end_ms >= ? AND start_ms < ?"
)
_PUT: Final = f"INSERT INTO analytics_chunks (level, tier, {_CHUNK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_JOURNAL_SPANS: Final = (
    "SELECT journal_id, metric_id, last_metric_id, start_ms, end_ms, count, crc FROM analytics_journal"
)
_JOURNAL_ROW: Final = f"SELECT {_CHUNK} FROM analytics_journal WHERE journal_id = ?"
_JOURNAL_PUT: Final = (
    f"INSERT INTO analytics_journal (journal_id, {_CHUNK})"
    " VALUES ((SELECT coalesce(max(journal_id), 0) + 1 FROM analytics_journal), ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Stored(Struct, frozen=True):
    """A chunk where it lies."""

    chunk_id: int
    level: int
    tier: int
    chunk: Chunk


class Head(Struct, frozen=True):
    """A chunk without its blob."""

    chunk_id: int
    start_ms: int
    end_ms: int
    codec: int
    crc: int


class JournalRow(Struct, frozen=True):
    """What a row of the journal says of itself, without its blob."""

    journal_id: int
    metric_id: int
    last_metric_id: int
    start_ms: int
    end_ms: int
    count: int
    crc: int


def heads_of(rows: Rows, metric_id: int, start_ms: int, end_ms: int) -> list[Head]:
    """The metric's own chunks that reach into [start, end), in order of time, without their blobs."""
    return [Head(*row) for row in rows(_HEADS, metric_id, start_ms, end_ms)]


def chunks_of(rows: Rows, metric_id: int, start_ms: int, end_ms: int, without: Collection[int] = ()) -> list[Stored]:
    """Every chunk and pack that may hold samples of the metric in [start, end), in no order; `without` these."""
    if without:
        ids = [head.chunk_id for head in heads_of(rows, metric_id, start_ms, end_ms) if head.chunk_id not in without]
        own = by_ids(rows, ids)
    else:
        own = [stored_of(row) for row in rows(_OF_METRIC, metric_id, start_ms, end_ms)]
    return [*own, *map(stored_of, rows(_PACKS, metric_id, metric_id, start_ms, end_ms))]


def amounts_of(rows: Rows, metric_id: int, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """(end, at most about how many samples or buckets of the metric) of each chunk and pack that reaches into
    [start, end), in order of their ends."""
    own = rows(_AMOUNTS, metric_id, start_ms, end_ms)
    return sorted([*own, *rows(_PACK_AMOUNTS, metric_id, metric_id, start_ms, end_ms)])


def oldest_of_tier(rows: Rows, tier: int, most: int) -> list[Stored]:
    """The chunks that end first."""
    return [stored_of(row) for row in rows(f"{_STORED} WHERE tier = ? ORDER BY end_ms LIMIT ?", tier, most)]


def same_metric_after(rows: Rows, metric_id: int, tier: int, start_ms: int, end_ms: int) -> list[Stored]:
    """A metric's own chunks of that tier that lie in [start, end], in order of time."""
    found = rows(f"{_OF_SPAN} AND tier = ? ORDER BY start_ms", metric_id, start_ms, start_ms, end_ms, tier)
    return [stored_of(row) for row in found]


def packs(rows: Rows) -> list[Stored]:
    """All of them."""
    return [stored_of(row) for row in rows(f"{_STORED} WHERE level > 0")]


def newest_of(rows: Rows, metric_id: int, start_ms: int, end_ms: int, limit: int, damage: Damage) -> list[Run]:
    """Runs that hold the newest `limit` samples of the metric before `end_ms`, and maybe older ones."""
    heads = (*rows(_ENDS, metric_id, start_ms, end_ms), *rows(_PACK_ENDS, metric_id, metric_id, start_ms, end_ms))
    found: list[Run] = []
    newest = np.empty(0, np.int64)
    for chunk_end_ms, chunk_id in sorted(heads, reverse=True):
        if len(newest) >= limit and chunk_end_ms < newest[-limit]:
            break
        for stored in by_ids(rows, [chunk_id]):
            runs = runs_in(stored, damage, only=metric_id)
            found += runs
            newest = np.sort(np.concatenate([newest, *(_starts(run, end_ms)[-limit:] for run in runs)]))[-limit:]
    return found


def by_ids(rows: Rows, ids: Sequence[int]) -> list[Stored]:
    found: list[Stored] = []
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        found += [stored_of(row) for row in rows(f"{_STORED} WHERE chunk_id IN ({_places(some)})", *some)]
    return found


def stored_of(row: tuple[Any, ...]) -> Stored:
    chunk_id, level, tier, *numbers = row
    return Stored(chunk_id, level, tier, Chunk(*numbers))


def runs_in(stored: Stored, damage: Damage, only: int | None = None) -> list[Run]:
    """Its runs; none when it is damaged, which is noted."""
    try:
        return decode(stored.chunk, only)
    except ChunkError as error:
        damage.note(CHUNKS, stored.chunk_id, damaged_words(stored.chunk, error))
        return []


def damaged_words(chunk: Chunk, error: ChunkError) -> str:
    """What is lost with it."""
    return f"{error}; it held {chunk.count} samples from {chunk.start_ms} to {chunk.end_ms} ms"


def chunk_at(rows: Rows, table: str, row_id: int) -> Chunk:
    """One row of chunks or journal."""
    (row,) = rows(f"SELECT {_CHUNK} FROM {table} WHERE {_KEYS[table]} = ?", row_id)
    return Chunk(*row)


def put_chunk(connection: sqlite3.Connection, chunk: Chunk, level: int, tier: int = 0) -> None:
    connection.execute(_PUT, (level, tier, *_numbers(chunk)))


def raise_tier(connection: sqlite3.Connection, ids: Sequence[int]) -> int:
    """These count as thinned one step further; how many there were."""
    return sum(
        connection.execute("UPDATE analytics_chunks SET tier = tier + 1 WHERE chunk_id = ?", (chunk_id,)).rowcount
        for chunk_id in ids
    )


def delete_rows(connection: sqlite3.Connection, table: str, ids: Sequence[int]) -> int:
    """How many there were."""
    key = _KEYS[table]
    gone = 0
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        gone += connection.execute(f"DELETE FROM {table} WHERE {key} IN ({_places(some)})", some).rowcount
    return gone


def purge_packed(connection: sqlite3.Connection, before_ms: int, most: int) -> int:
    """Delete up to `most` chunks and rows of the journal that end before; returns how many went."""
    gone = 0
    for table, tiers in ((CHUNKS, " AND tier IN (0, 1, 2)"), (JOURNAL, "")):
        key = _KEYS[table]
        ids = connection.execute(
            f"SELECT {key} FROM {table} WHERE end_ms < ?{tiers} ORDER BY end_ms LIMIT ?", (before_ms, most - gone)
        ).fetchall()
        gone += delete_rows(connection, table, [row[0] for row in ids])
    return gone


def put_journal(connection: sqlite3.Connection, chunk: Chunk) -> None:
    connection.execute(_JOURNAL_PUT, _numbers(chunk))


def journal_spans(rows: Rows) -> list[JournalRow]:
    """In order of commit."""
    return [JournalRow(*row) for row in rows(f"{_JOURNAL_SPANS} ORDER BY journal_id")]


def journal_columns(
    rows: Rows, ids: Iterable[int], damage: Damage
) -> Iterator[tuple[int, tuple[NDArray[np.int64], Times, Values]]]:
    """(journal id, (metric, time, value of every sample)), in order of commit; damaged rows noted and left out."""
    for journal_id in ids:
        for row in rows(_JOURNAL_ROW, journal_id):
            try:
                yield journal_id, flat(Chunk(*row))
            except ChunkError as error:
                damage.note(JOURNAL, journal_id, damaged_words(Chunk(*row), error))


def _numbers(chunk: Chunk) -> tuple[Any, ...]:
    return (
        chunk.metric_id,
        chunk.last_metric_id,
        chunk.start_ms,
        chunk.end_ms,
        chunk.count,
        chunk.codec,
        chunk.crc,
        chunk.data,
    )


def _starts(run: Run, end_ms: int) -> Times:
    times = run.data.times if isinstance(run.data, Window) else run.data.buckets.starts
    return times[: int(times.searchsorted(end_ms))]


def _places(ids: Sequence[int]) -> str:
    return ", ".join("?" * len(ids))
