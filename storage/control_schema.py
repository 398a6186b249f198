"""control.db: whether a file is ours, how an older one becomes a present one, and what it shares with a store in
memory.

Promises: a file of a newer version or of another program is refused before anything in it changes; an older one is
brought forward step by step (`migrations.migrate`).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from . import migrations
from .archive import ArchiveError
from .migrations import Migration, Version
from .sqlite_schema import MAGIC, WAL_LIMIT_BYTES

APPLICATION_ID: Final = 0x43514354  # "CQCT", in the file's header
MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(Version(1), "control_0001_settings.sql"),
    Migration(Version(2), "control_0002_marks.sql"),
    Migration(Version(3), "control_0003_actions.sql"),
    Migration(Version(4), "control_0004_outbox.sql"),
)
VERSION: Final = len(MIGRATIONS)
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
    if not header.startswith(MAGIC):
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
    """Do what is missing. `upto`: for tests that need an older form."""
    migrations.migrate(connection, MIGRATIONS[:upto], APPLICATION_ID)
