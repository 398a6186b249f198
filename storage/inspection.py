"""A look at the database files from outside, beside a running service: what they hold and whether they are sound.

Promises: reads only, through the write-ahead log; a file that can't be read is described, never an exception.
Functions here block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from .archive import ArchiveError, Trouble
from .chunk import Chunk, ChunkError, decode
from .migrations import CURRENT, Version, version_of
from .recovery import Report, moved_aside, quick_check, report_of
from .sqlite_errors import judged
from .sqlite_names import hashed
from .sqlite_schema import MAGIC, lacking

_ADVICE: Final[dict[Trouble, str]] = {
    "busy": "find out which program has locked it; the service goes on from memory meanwhile.",
    "foreign": "look what it is, and move it away or set COACHIQ_ANALYTICS__DB_PATH to another place.",
    "newer": "install the newer version again, or set COACHIQ_ANALYTICS__DB_PATH to another place.",
    "unavailable": "look at the rights of file and directory, and whether the disk is well.",
}
_CHUNK: Final = "metric_id, last_metric_id, start_ms, end_ms, count, codec, crc, data"
_PACKED: Final = ("analytics_chunks", "analytics_journal")
_NAMED: Final = 20  # damaged rows that are named


class FileState(Struct):
    """One file. Counts are None where they could not be had."""

    path: Path
    exists: bool = False
    size_bytes: int = 0
    log_bytes: int = 0
    version: Version | None = None
    damage: str | None = None  # SQLite's words
    unreadable: str | None = None  # why it can't be used at all, though it may be sound
    advice: str = ""
    samples: int | None = None
    metrics: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    insights: int | None = None
    patterns: int | None = None
    bad_chunks: list[str] = field(default_factory=list)
    bad_chunk_count: int = 0
    aside: list[Report] = field(default_factory=list)  # files moved aside, oldest first

    @property
    def sound(self) -> bool:
        return self.damage is None and self.unreadable is None and not self.bad_chunk_count

    @property
    def version_note(self) -> str:
        if self.version is None or self.version == CURRENT:
            return ""
        if self.version > CURRENT:
            return f"this program knows {CURRENT}"
        return f"the next start brings it to {CURRENT}"


def inspect_archive(path: Path) -> FileState:
    """The history: looks at every chunk."""
    state = _inspect(path)
    state.aside = [report_of(each) or Report(each.name, "reason unknown") for each in moved_aside(path)]
    if state.exists and state.size_bytes and state.sound:
        _guarded(state, _count)
    return state


def inspect_control(path: Path) -> FileState:
    """Any other SQLite file of ours: is it sound?"""
    return _inspect(path)


def _inspect(path: Path) -> FileState:
    state = FileState(path)
    try:
        if not path.exists():
            return state
        state.exists = True
        state.size_bytes = path.stat().st_size
        log = path.with_name(path.name + "-wal")
        state.log_bytes = log.stat().st_size if log.exists() else 0
        if not path.is_file():
            _unusable(state, "unavailable", "it is no file")
            return state
        with path.open("rb") as file:
            header = file.read(len(MAGIC))
    except OSError as error:
        _unusable(state, "unavailable", error.strerror or str(error))
        return state
    if state.size_bytes and header != MAGIC:
        _unusable(state, "foreign", "it is not a database, or its header is damaged")
        return state
    try:
        state.damage = quick_check(path)
    except ArchiveError as error:
        _unusable(state, error.trouble, error.reason)
        return state
    if state.damage is None:
        _guarded(state, _version)
    return state


def _guarded(state: FileState, look: Callable[[FileState, sqlite3.Connection], None]) -> None:
    """What the look meets is part of the state."""
    try:
        with closing(sqlite3.connect(f"{state.path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            connection.execute("BEGIN")
            look(state, connection)
    except sqlite3.Error as error:
        found = judged(error)
        if isinstance(found, ArchiveError) and found.trouble != "corrupt":
            _unusable(state, found.trouble, found.reason)
        else:
            state.damage = str(error)


def _version(state: FileState, connection: sqlite3.Connection) -> None:
    state.version = version_of(connection)


def _count(state: FileState, connection: sqlite3.Connection) -> None:
    if state.version is not None and state.version.major > CURRENT.major:
        _unusable(state, "newer", f"it was written by a newer version (schema {state.version})")
        return
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "analytics_metrics" not in tables:
        if tables:
            _unusable(state, "foreign", "it is a database of another program")
        return
    if state.version == CURRENT and (missing := lacking(connection)) is not None:
        state.damage = missing
        return
    rows, first_s, last_s = connection.execute(
        "SELECT count(*), min(timestamp), max(timestamp) FROM analytics_metrics"
    ).fetchone()
    firsts = [] if first_s is None else [round(first_s * 1000)]
    lasts = [] if last_s is None else [round(last_s * 1000)]
    names: set[object] = {name for (name,) in connection.execute("SELECT DISTINCT metric_name FROM analytics_metrics")}
    state.samples = rows
    for table in _PACKED:
        if table not in tables:
            continue
        for row in connection.execute(f"SELECT {_CHUNK} FROM {table}"):  # noqa: S608  # a constant
            chunk = Chunk(*row)
            try:
                names.update(run.metric_id for run in decode(chunk))
            except ChunkError as error:
                state.bad_chunk_count += 1
                if len(state.bad_chunks) < _NAMED:
                    state.bad_chunks.append(f"{chunk.count} samples, {chunk.start_ms} to {chunk.end_ms} ms ({error})")
                continue
            state.samples += chunk.count
            firsts.append(chunk.start_ms)
            lasts.append(chunk.end_ms)
    state.metrics = _metrics(connection, names)
    state.first_ms, state.last_ms = min(firsts, default=None), max(lasts, default=None)
    (state.insights,) = connection.execute("SELECT count(*) FROM analytics_insights").fetchone()
    (state.patterns,) = connection.execute("SELECT count(*) FROM analytics_patterns").fetchone()


def _metrics(connection: sqlite3.Connection, found: set[object]) -> int:
    """Names of rows and numbers of chunks, each metric once."""
    numbers = {each for each in found if isinstance(each, int)}
    numbers.update(hashed(name) for name in found if isinstance(name, str))
    return len(numbers)


def _unusable(state: FileState, trouble: Trouble, why: str) -> None:
    state.unreadable, state.advice = why, _ADVICE.get(trouble, _ADVICE["unavailable"])
