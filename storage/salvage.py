"""Salvage: what can still be read out of a damaged database, as batches of rows for a new one.

Owns nothing: it reads a file moved aside, page by page, and hands out rows. Promises
- a tree is walked as far as it holds together; pages that hang on a broken one are found by their shape;
- rows that were deleted do not come back while the list of free pages can be read;
- a log that turns a sound file into a broken one is another file's, and left out;
- memory is bounded by a batch and the log.

A value whose bits were changed and that is still a value of its column can't be told from a true one; chunks can,
by their checksum (see `check`).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from .pages import Cell, Pages, Row

BATCH_ROWS: Final = 2_000
BATCH_BYTES: Final = 1 << 20
_TYPES: Final[dict[str, tuple[type, ...]]] = {"TEXT": (str,), "REAL": (float, int), "INTEGER": (int,), "BLOB": (bytes,)}
_NO_ROWID: Final = re.compile(r"\bWITHOUT\s+ROWID\b[^()]*$", re.IGNORECASE)


class Shape(Struct, frozen=True):
    """How a table's rows are stored."""

    table: str
    columns: tuple[str, ...]  # in the order of the record
    kinds: tuple[str, ...]  # TEXT, REAL, INTEGER, BLOB of each
    rowid_alias: int | None  # the column that is stored as the rowid
    without_rowid: bool

    @property
    def has_blobs(self) -> bool:
        return "BLOB" in self.kinds

    def fits(self, row: Row) -> bool:
        """Could it be a row of this table? Shorter records are older rows: columns were added later."""
        if (row.rowid is None) != self.without_rowid or not 0 < len(row.record) <= len(self.columns):
            return False
        return _are_of(self.kinds, self.rowid_alias, tuple(map(type, row.record)))

    def is_like(self, row: Row) -> bool:
        """Stricter, for rows found without their tree: no column is missing."""
        return len(row.record) == len(self.columns) and self.fits(row)

    def values(self, row: Row) -> tuple[Cell, ...]:
        if self.rowid_alias is None:
            return row.record
        at = self.rowid_alias
        return (*row.record[:at], row.rowid, *row.record[at + 1 :])


class Batch(Struct, frozen=True):
    """Rows of one table. `columns` and each row go together."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    fraction: float  # of the file that has been read


class Salvage(Struct):
    """Iterate over `batches` once; the counts are whole when it has ended.

    `tables`: the names to look for, in this order. `shapes`: how they are stored today, for a file whose schema is
    gone. `check`: table -> says whether a row (column -> value) is whole; those that are not are counted by name.
    """

    path: Path
    shapes: Sequence[Shape]
    check: Callable[[str, dict[str, Cell]], str | None] | None = None
    rows: dict[str, int] = field(default_factory=dict)  # handed out, by table
    refused: list[str] = field(default_factory=list)  # what `check` said, the first hundred
    refused_count: int = 0
    damaged: int = 0  # pages and rows that do not add up
    used_log: bool = False

    def batches(self) -> Iterator[Batch]:
        """Raises OSError."""
        self.used_log = _log_is_its_own(self.path)
        with Pages(self.path, with_log=self.used_log) as pages:
            today = {shape.table: shape for shape in self.shapes}
            roots, others = _schema(pages)
            known = dict(today)
            for table in today:
                if table in roots:
                    known[table], root = roots[table]
                    yield from self._batches(pages, known[table], pages.walk(root))
            if pages.damaged or not roots:
                for root in others:  # so that their pages do not count as lost
                    for _ in pages.walk(root):
                        pass
                yield from self._orphans(pages, list(known.values()))
            self.damaged = pages.damaged

    def _orphans(self, pages: Pages, shapes: Sequence[Shape]) -> Iterator[Batch]:
        found: dict[str, list[Row]] = {shape.table: [] for shape in shapes}
        for _, rows in pages.orphans():
            for shape in shapes:
                if all(map(shape.is_like, rows)):
                    found[shape.table] += rows
                    if len(found[shape.table]) >= BATCH_ROWS:
                        yield from self._batches(pages, shape, found[shape.table])
                        found[shape.table] = []
                    break
        for shape in shapes:
            yield from self._batches(pages, shape, found[shape.table])

    def _batches(self, pages: Pages, shape: Shape, rows: Iterator[Row] | list[Row]) -> Iterator[Batch]:
        held: list[tuple[Cell, ...]] = []
        width = held_bytes = 0
        for row in rows:
            if not shape.fits(row):
                pages.damaged += 1
                continue
            values = shape.values(row)
            if self.check and (problem := self.check(shape.table, dict(zip(shape.columns, values, strict=False)))):
                self.refused_count += 1
                self.refused += [problem][: max(0, 100 - len(self.refused))]
                continue
            if held and (len(values) != width or len(held) >= BATCH_ROWS or held_bytes >= BATCH_BYTES):
                yield self._batch(pages, shape, held, width)
                held, held_bytes = [], 0
            width = len(values)
            held.append(values)
            if shape.has_blobs:
                held_bytes += sum(len(value) for value in values if isinstance(value, bytes))
        if held:
            yield self._batch(pages, shape, held, width)

    def _batch(self, pages: Pages, shape: Shape, held: list[tuple[Cell, ...]], width: int) -> Batch:
        self.rows[shape.table] = self.rows.get(shape.table, 0) + len(held)
        return Batch(shape.table, shape.columns[:width], held, min(1.0, len(pages.seen) / max(1, pages.count)))


def shapes_of(connection: sqlite3.Connection, tables: Sequence[str]) -> list[Shape]:
    """How a sound database stores these tables; those it has not are left out."""
    found = []
    for table in tables:
        row = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
        if row is not None:
            found.append(_shape(connection, table, row[0]))
    return found


def adopting(batch: Batch) -> Iterator[tuple[str, list[Cell]]]:
    """Statements that put a batch's rows into a table; equal keys and rows its constraints refuse are passed over.

    Many rows to a statement: each one gives up the interpreter lock and has to win it back.
    """
    columns = ", ".join(f'"{name}"' for name in batch.columns)
    places = f"({', '.join('?' * len(batch.columns))})"
    most = max(1, min(256, 30_000 // len(batch.columns)))
    for first in range(0, len(batch.rows), most):
        some = batch.rows[first : first + most]
        yield (  # names come from our own schema
            f'INSERT OR IGNORE INTO "{batch.table}" ({columns}) VALUES {", ".join([places] * len(some))}',  # noqa: S608
            [value for row in some for value in row],
        )


def is_familiar(path: Path, shapes: Sequence[Shape], *, with_log: bool = True, pages_to_look_at: int = 256) -> bool:
    """Does the file hold tables or rows of ours? Raises OSError."""
    with Pages(path, with_log=with_log) as pages:
        roots, _ = _schema(pages)
        if any(shape.table in roots for shape in shapes):
            return True
        pages.count = min(pages.count, pages_to_look_at)
        return any(all(map(shape.is_like, rows)) for _, rows in pages.orphans() for shape in shapes)


def _schema(pages: Pages) -> tuple[dict[str, tuple[Shape, int]], list[int]]:
    """Shape and root page of each table the file names itself, and the roots of everything else."""
    tables: dict[str, tuple[Shape, int]] = {}
    others: list[int] = []
    for row in list(pages.walk(1)):
        match row.record:
            case ("table", str(name), str(), int(root), str(sql)):
                with closing(sqlite3.connect(":memory:")) as scratch, suppress(sqlite3.Error, ValueError):
                    scratch.execute(sql)
                    tables[name] = (_shape(scratch, name, sql), root)
            case (_, _, _, int(root), _) if root > 0:
                others.append(root)
    return tables, others


def _shape(connection: sqlite3.Connection, table: str, sql: str) -> Shape:
    quoted = table.replace('"', '""')
    info = connection.execute(f'PRAGMA table_info("{quoted}")').fetchall()
    without_rowid = _NO_ROWID.search(sql) is not None
    key = sorted((column for column in info if column[5]), key=lambda column: int(column[5]))
    order = [*key, *(column for column in info if not column[5])] if without_rowid else info
    alias = None
    if not without_rowid and len(key) == 1 and key[0][2].upper() == "INTEGER":
        alias = order.index(key[0])
    return Shape(table, tuple(c[1] for c in order), tuple(c[2].upper() for c in order), alias, without_rowid)


@lru_cache(maxsize=1024)
def _are_of(kinds: tuple[str, ...], alias: int | None, given: tuple[type, ...]) -> bool:
    """Can columns of these kinds hold values of these types? None everywhere: the new table's constraints judge it."""
    return all(
        index == alias or kind not in _TYPES or python in (*_TYPES[kind], type(None))
        for index, (kind, python) in enumerate(zip(kinds, given, strict=False))
    )


def _log_is_its_own(path: Path) -> bool:
    """A log of another file, laid over this one, hides its tables or breaks its trees."""
    with Pages(path) as both:
        if not both.has_log:
            return False
        if not both.has_header:
            return True
        tables, _ = _schema(both)
        broken = _count_damage(both)
    with Pages(path, with_log=False) as alone:
        if not tables.keys() >= _schema(alone)[0].keys():
            return False
        return not broken or _count_damage(alone) > 0


def _count_damage(pages: Pages) -> int:
    pages.seen.clear()
    tables, others = _schema(pages)
    for root in (*(root for _, root in tables.values()), *others):
        for _ in pages.walk(root):
            pass
    return pages.damaged
