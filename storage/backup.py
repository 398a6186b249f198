"""Backup and restore: a copy of the archive made while others write, and such a copy put back in its place.

Owns `X.before-restore-N`, the file a restore took the place of. Promises
- a backup is one moment of the archive, whole, in one file that needs no log; its name appears when it is checked and
  synced, and until then an older one of that name stays; nothing but an older one is ever overwritten;
- writers are not held up: the copy reads one snapshot, in steps;
- a restore refuses what is damaged, not ours or newer before it touches anything, brings an older form forward in a
  copy, and keeps what was there before. Where a service has the file open, the new content comes as one transaction.

Functions here block; call them in a thread.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from .archive import ArchiveError
from .control_schema import APPLICATION_ID as SETTINGS
from .migrations import CURRENT, migrate, version_of
from .recovery import ATTACHED, KEPT, find_damage, move_aside, quick_check, sync_directory
from .salvage import Shape
from .sqlite_errors import judged
from .sqlite_schema import MAGIC, shapes

STEP_PAGES: Final = 256  # 1 MiB between two looks at the progress
LOCKED_S: Final = 30.0  # how long another writer may hold a restore up
Progress = Callable[[float], None]


class Copy(Struct, frozen=True):
    """A finished one."""

    path: Path
    size_bytes: int
    kept: Path | None = None  # a restore: what was there before


def back_up(source: Path, target: Path, progress: Progress = lambda fraction: None) -> Copy:
    """Copy the archive at `source` into the file `target`. Raises ArchiveError; then nothing has changed."""
    _check_target(source, target)
    partial = _with(target, ".partial")
    with _judging(), _working_file(partial, target.parent):
        with _open(source, "ro") as live, _open(partial, "rwc") as copy:
            live.execute("BEGIN")  # one snapshot for all steps: a writer in between would make the copy begin anew
            _check_ours(live, source)
            _copy(live, copy, progress)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file
        damage = quick_check(partial)
        if damage is not None:
            raise ArchiveError("corrupt", f"{source} is damaged ({damage}); no backup was made of it")
        _publish(partial, target)
    return Copy(target, target.stat().st_size)


def restore(backup: Path, live: Path, progress: Progress = lambda fraction: None) -> Copy:
    """Put the content of `backup` in the place of `live`. Raises ArchiveError; then nothing has changed."""
    check_backup(backup)
    if live.exists() and backup.samefile(live):
        raise ArchiveError("unavailable", f"{backup} is the database itself")
    try:
        live.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError("unavailable", f"the directory {live.parent} can't be made: {error.strerror}") from error
    partial = _with(live, ".restoring")
    with _judging(), _working_file(partial, live.parent):
        with _open(backup, "ro") as source, _open(partial, "rwc") as copy:
            source.execute("BEGIN")
            _copy(source, copy, lambda fraction: progress(fraction / 3))
            migrate(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            _set_page_size(copy, live)
            copy.execute(f"PRAGMA application_id = {secrets.randbits(30) + 1}")  # whoever has the file open notices
        damage = quick_check(partial)
        if damage is not None:
            raise ArchiveError("corrupt", f"{backup} is damaged ({damage}); nothing was restored")
        kept = _put_in_place(partial, live, progress)
    progress(1.0)
    return Copy(live, live.stat().st_size, kept)


def check_backup(backup: Path) -> None:
    """Raises ArchiveError that says what is wrong with it."""
    with _judging():
        if not backup.is_file():
            raise ArchiveError("unavailable", f"{backup}: no such file")
        with backup.open("rb") as file:
            if not file.read(16).startswith(MAGIC):
                raise ArchiveError("foreign", f"{backup} is not a database")
        damage = quick_check(backup)
        if damage is not None:
            raise ArchiveError("corrupt", f"{backup} is damaged: {damage}")
        with _open(backup, "ro") as connection:
            _check_no_settings(connection, backup)
            version = version_of(connection)
            if version.major > CURRENT.major:
                raise ArchiveError(
                    "newer",
                    f"{backup} was written by a newer version (its schema is {version}, this one knows {CURRENT})",
                )
            _check_ours(connection, backup)


def _put_in_place(partial: Path, live: Path, progress: Progress) -> Path | None:
    """Returns where the file before lies now."""
    damage = None
    if live.exists():
        damage = find_damage(live, "a restore")
    if live.exists() and damage is None and live.stat().st_size:
        kept = _free_name(live)
        back_up(live, kept, lambda fraction: progress((1 + fraction) / 3))
        with _open(partial, "ro") as source, _open(live, "rw") as target:
            _copy(source, target, lambda fraction: progress((2 + fraction) / 3))
            with suppress(sqlite3.OperationalError):  # a reader is at work: the log shrinks later
                target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _forget_old(live)
        return kept
    aside = None
    if damage is not None:
        aside = move_aside(live, damage)
    for suffix in ATTACHED:
        _with(live, suffix).unlink(missing_ok=True)
    _publish(partial, live)
    return aside


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, progress: Progress) -> None:
    last_s = time.monotonic()

    def tell(status: int, remaining: int, total: int) -> None:
        nonlocal last_s
        if status in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE):
            last_s = time.monotonic()
        elif time.monotonic() - last_s > LOCKED_S:
            raise ArchiveError("busy", "another program has locked the database")
        progress(1.0 - remaining / max(1, total))

    source.backup(target, pages=STEP_PAGES, progress=tell, sleep=0.05)


def _set_page_size(copy: sqlite3.Connection, live: Path) -> None:
    """In WAL mode a database keeps the size of its pages: what is to take its place must have the same."""
    if not live.exists() or not live.stat().st_size:
        return
    try:
        with _open(live, "ro") as connection:
            (wanted,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        return  # it is damaged, and will be moved aside
    if copy.execute("PRAGMA page_size").fetchone()[0] != wanted:
        copy.execute(f"PRAGMA page_size = {wanted}")
        copy.execute("VACUUM")


def _check_target(source: Path, target: Path) -> None:
    try:
        if target.is_dir():
            raise ArchiveError("unavailable", f"{target} is a directory")
        if target.exists():
            if source.exists() and target.samefile(source):
                raise ArchiveError("unavailable", f"{target} is the database itself")
            with target.open("rb") as file:
                if not file.read(16).startswith(MAGIC):
                    raise ArchiveError("unavailable", f"{target} exists and is not a database; it was left as it is")
            _check_older(target)
        if not source.exists():
            raise ArchiveError("unavailable", f"there is no database at {source}")
    except OSError as error:
        raise ArchiveError("unavailable", f"{target} can't be looked at: {error.strerror}") from error


def _check_older(target: Path) -> None:
    """What is to be overwritten must be a backup: settings and other programs' databases are none."""
    try:
        with _open(target, "ro") as connection:
            _check_ours(connection, target)
    except (ArchiveError, sqlite3.Error) as error:
        raise ArchiveError(
            "unavailable", f"{target} exists and is no backup ({error}); it was left as it is"
        ) from error


def _check_no_settings(connection: sqlite3.Connection, path: Path) -> None:
    """The other half of a backup, control.db, counts its versions for itself."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == SETTINGS:
        raise ArchiveError(
            "foreign",
            f"{path} holds settings and the action journal; name the file of the history beside it, and both are"
            " restored",
        )


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    known: dict[str, Shape] = {shape.table: shape for shape in shapes()}
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables & known.keys():
        raise ArchiveError("foreign", f"{path} is a database of another program")


@contextmanager
def _open(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=LOCKED_S)) as connection:
        yield connection


@contextmanager
def _working_file(partial: Path, directory: Path) -> Iterator[None]:
    """A file that is gone at the end, unless it has got its name."""
    directory.mkdir(parents=True, exist_ok=True)
    _remove(partial)
    try:
        yield
    finally:
        _remove(partial)


def _remove(file: Path) -> None:
    for suffix in (*ATTACHED, ""):
        _with(file, suffix).unlink(missing_ok=True)


def _publish(partial: Path, target: Path) -> None:
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(target)
    sync_directory(target.parent)


@contextmanager
def _judging() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise judged(error) from error
    except OSError as error:
        raise ArchiveError("unavailable", f"{error.filename or 'the file'}: {error.strerror}") from error


def _kept(live: Path) -> list[Path]:
    """Files that restores took the place of, oldest first."""
    name = re.compile(re.escape(live.name) + r"\.before-restore-(\d{1,9})$")
    found = [each for each in live.parent.iterdir() if name.match(each.name)]
    return sorted(found, key=lambda each: int(each.name.rpartition("-")[2]))


def _free_name(live: Path) -> Path:
    kept = _kept(live)
    number = int(kept[-1].name.rpartition("-")[2]) + 1 if kept else 1
    return _with(live, f".before-restore-{number}")


def _forget_old(live: Path) -> None:
    for old in _kept(live)[:-KEPT]:
        old.unlink()


def _with(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
