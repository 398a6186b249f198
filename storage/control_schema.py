"""control.db: whether a file is ours, how an older one becomes a present one, and what it shares with a store in
memory.

Promises: migrations are numbered files that run once each, in order, all in one transaction: a power cut leaves the old
form or the new one; a file of a newer version or of another program is refused before anything in it changes.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path
from typing import Final

from .archive import ArchiveError
from .sqlite_schema import WAL_LIMIT_BYTES

APPLICATION_ID: Final = 0x43514354  # "CQCT", in the file's header
MIGRATIONS: Final = (
    "control_0001_settings.sql",
    "control_0002_marks.sql",
    "control_0003_actions.sql",
    "control_0004_outbox.sql",
)
VERSION: Final = len(MIGRATIONS)
_MAGIC: Final = b"SQLite format 3\x00"
_VERSION_AT: Final = slice(60, 64)  # https://www.sqlite.org/fileformat2.html
_APPLICATION_AT: Final = slice(68, 72)


def control_path(archive_path: Path) -> Path:
    """Where control.db stands: beside the archive."""
    return archive_path.parent / "control.db"


def look_at_control(path: Path) -> None:
    """Make the directory, and refuse a file by its header alone. Raises ArchiveError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ArchiveError("unavailable", f"{path} can't be used: {error.strerror}") from error
    if not header:
        return
    if not header.startswith(_MAGIC):
        raise ArchiveError("corrupt", f"{path} is not a database")
    version = int.from_bytes(header[_VERSION_AT], "big")
    application = int.from_bytes(header[_APPLICATION_AT], "big")
    if application not in (0, APPLICATION_ID):
        raise ArchiveError("newer", f"{path} is a database of another program; it was left as it is")
    if version > VERSION:
        raise ArchiveError(
            "newer",
            f"{path} was written by a newer version (its schema is {version}, this one knows {VERSION}); "
            "it was left as it is",
        )


def prepare_control(connection: sqlite3.Connection) -> None:
    """Set the connection up and bring the file to the present form. Raises sqlite3.Error, ArchiveError."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise ArchiveError("corrupt", f"control.db is damaged: {found[0]}")
    migrate(connection)


def migrate(connection: sqlite3.Connection, upto: int = VERSION) -> None:
    """Run what is missing, in one transaction. `upto`: for tests that need an older form."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    steps = [
        resources.files("storage").joinpath("schema", name).read_text("utf-8") for name in MIGRATIONS[version:upto]
    ]
    if not steps:
        return
    script = "\n".join(steps)
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {script} PRAGMA user_version = {upto}; COMMIT;"
        )
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
