"""The archive file: whether it is ours to use, and how it comes to its present form.

Promises: a file that is not a database, belongs to another program, or was written by a newer major version is refused
before anything in it changes. An older one is brought forward (`migrations.py`), a newer minor one opened as it is. One
that lacks what its version says is there counts as damaged.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from .archive import ArchiveError
from .budget import Budget
from .migrations import CURRENT, Version, migrate, version_of
from .salvage import Shape, shapes_of

WAL_LIMIT_BYTES: Final = 8 << 20
PAGE_BYTES: Final = 1_024  # of a new file: a commit writes whole pages, and most are small (docs/decisions/0011)
MAGIC: Final = b"SQLite format 3\x00"
_VERSION_AT: Final = slice(60, 64)  # user_version in the file header: https://www.sqlite.org/fileformat2.html


def look_at(path: Path) -> None:
    """Make the directory, and refuse a file by its header alone. Raises ArchiveError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError("unavailable", f"the directory {path.parent} can't be made: {error.strerror}") from error
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ArchiveError("unavailable", f"{path} can't be read: {error.strerror}") from error
    if header and not header.startswith(MAGIC):
        raise ArchiveError("foreign", f"{path} is not a database; it was left as it is")
    _check_version(path, Version.of(int.from_bytes(header[_VERSION_AT], "big")))


def prepare_writer(connection: sqlite3.Connection, path: Path, budget: Budget | None) -> None:
    """Check the file once more through SQLite, make what a new one lacks, and set up a connection that writes."""
    version = version_of(connection)
    _check_version(path, version)
    is_new = version == Version(0) and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not is_new:
        _check_tables(connection, path)
    if is_new:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL loses acknowledged commits in a power cut
    log_bytes = WAL_LIMIT_BYTES if budget is None else budget.log
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute(f"PRAGMA journal_size_limit = {log_bytes}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {max(log_bytes * 3 // 4 // page_bytes, 100)}")
    if budget is not None:
        connection.execute(f"PRAGMA max_page_count = {max(budget.hard // page_bytes, 1)}")
    migrate(connection)
    missing = lacking(connection)
    if missing is not None:
        raise ArchiveError("corrupt", missing)


def prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")


def check_readable(connection: sqlite3.Connection, path: Path) -> None:
    """Is it ours, and of a form that can be read as it is? Raises ArchiveError."""
    version = version_of(connection)
    _check_version(path, version)
    _check_tables(connection, path)
    if version.major < CURRENT.major:
        raise ArchiveError(
            "unavailable", f"{path} has the older schema {version}; start the service once, it brings it to {CURRENT}"
        )


@cache
def shapes() -> tuple[Shape, ...]:
    """How each table is stored, in the order in which the schema makes them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
        return tuple(shapes_of(connection, [name for (name,) in named if not name.startswith("sqlite_")]))


def lacking(connection: sqlite3.Connection) -> str | None:
    """Which part of the present form a file has not, in words; None: it has all."""
    for shape in shapes():
        columns = {name for _, name, *_ in connection.execute(f'PRAGMA table_info("{shape.table}")')}
        if not columns:
            return f"the table {shape.table} is missing"
        for name in shape.columns:
            if name not in columns:
                return f"the column {name} of {shape.table} is missing"
    return None


def _check_version(path: Path, version: Version) -> None:
    if version.major > CURRENT.major:
        raise ArchiveError(
            "newer",
            f"{path} was written by a newer version (its schema is {version}, this one knows {CURRENT});"
            " it was left as it is",
        )


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("SELECT metric_name, value, metadata, timestamp FROM analytics_metrics LIMIT 0")
        connection.execute("SELECT insight_id, insight_key FROM analytics_insights LIMIT 0")
        connection.execute("SELECT pattern_id, pattern_data FROM analytics_patterns LIMIT 0")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise ArchiveError(
            "foreign", f"{path} is a database of another program ({error}); it was left as it is"
        ) from error
