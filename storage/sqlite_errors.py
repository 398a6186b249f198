"""What an error of sqlite3 means to those who store: trouble with the disk, or content that will never do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from .archive import ArchiveError, PoisonError, Trouble

OnDamage = Callable[[ArchiveError], None]

_TROUBLES: Final[dict[int, tuple[Trouble, str]]] = {
    sqlite3.SQLITE_BUSY: ("busy", "another program has locked the database"),
    sqlite3.SQLITE_LOCKED: ("busy", "another program has locked the database"),
    sqlite3.SQLITE_FULL: ("full", "the disk, or the space the database may take, is full"),
    sqlite3.SQLITE_CANTOPEN: ("unavailable", "the database file can't be opened"),
    sqlite3.SQLITE_READONLY: ("unavailable", "the database file can't be written to"),
    sqlite3.SQLITE_PERM: ("unavailable", "the database file may not be used"),
    sqlite3.SQLITE_AUTH: ("unavailable", "the database file may not be used"),
    sqlite3.SQLITE_NOTADB: ("corrupt", "the file is not a database"),
    sqlite3.SQLITE_CORRUPT: ("corrupt", "the database file is damaged"),
    sqlite3.SQLITE_IOERR: ("unavailable", "the disk reports an error"),
    sqlite3.SQLITE_INTERRUPT: ("closed", "the archive was closed meanwhile"),
}
# Out of space shows as an I/O error when a quota, a file size limit or the shared-memory file is what ran out.
_FULL_IO: Final = frozenset(
    (
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMMAP,
    )
)
_POISON_CODES: Final = frozenset(
    (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG)
)


def judged(error: sqlite3.Error) -> ArchiveError | PoisonError:
    """What a sqlite3 error means to those who store."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by the sqlite3 module itself
        if "closed database" in str(error):
            return ArchiveError("closed", "the archive is closed")
        if isinstance(error, sqlite3.OperationalError):  # a text that is not UTF-8
            return ArchiveError("corrupt", f"the database file is damaged ({error})")
        return PoisonError(str(error))
    primary = code & 0xFF
    if primary in _POISON_CODES:
        return PoisonError(str(error))
    if code in _FULL_IO:
        trouble, words = _TROUBLES[sqlite3.SQLITE_FULL]
    else:
        trouble, words = _TROUBLES.get(primary, ("unavailable", "the database refuses to work"))
    return ArchiveError(trouble, f"{words} ({error})")


@contextmanager
def judging(on_damage: OnDamage | None = None) -> Iterator[None]:
    """sqlite3's errors leave as ArchiveError or PoisonError; `on_damage` hears when the file must be opened anew."""
    try:
        yield
    except (sqlite3.Error, ArchiveError) as error:
        found = judged(error) if isinstance(error, sqlite3.Error) else error
        if on_damage is not None and isinstance(found, ArchiveError) and found.trouble in ("corrupt", "replaced"):
            on_damage(found)
        if found is error:
            raise
        raise found from error
