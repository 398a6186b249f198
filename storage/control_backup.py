"""Backup and restore of control.db: a file of its own beside the backup of the archive, `NAME.control`.

Promises: the copy is one moment, checked, in one file that needs no log, and its name appears when it is whole; a
restore refuses what is damaged, not ours or newer, and keeps what was there, damaged or not, as
`control.db.before-restore-N`. A service that runs meanwhile takes the restored settings up within seconds
(`ControlStore.changed_outside`). Messages that waited in the backup are not sent: they may have arrived since.
Functions here block; call them in a thread.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from .archive import ArchiveError
from .control_schema import control_path, look_at_control, migrate
from .sqlite_errors import judged


def control_copy(backup: Path) -> Path:
    """Where the copy of control.db stands that belongs to this backup."""
    return backup.with_name(backup.name + ".control")


def back_up_control(db_path: Path, backup: Path) -> Path | None:
    """None: there is no control.db. Raises ArchiveError."""
    source, target = control_path(db_path), control_copy(backup)
    if not source.is_file():
        return None
    look_at_control(source)
    partial = target.with_name(target.name + ".partial")
    try:
        _copy_out(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def check_control_backup(backup: Path) -> None:
    """Raises ArchiveError when this backup has settings that can't be restored."""
    source = control_copy(backup)
    if source.is_file():
        look_at_control(source)


def restore_control(backup: Path, db_path: Path) -> Path | None:
    """None: this backup has none. Raises ArchiveError; then nothing has changed."""
    source, target = control_copy(backup), control_path(db_path)
    if not source.is_file():
        return None
    look_at_control(source)
    partial = target.with_name(target.name + ".restoring")
    try:
        _copy_out(source, partial)
        _bring_forward(partial)
        if target.is_file():
            _keep(target)
        _copy(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _keep(target: Path) -> None:
    """A copy of what is there; what is damaged is moved."""
    number = 1
    while (kept := target.with_name(f"{target.name}.before-restore-{number}")).exists():
        number += 1
    try:
        _copy_out(target, kept)
    except ArchiveError as error:
        kept.unlink(missing_ok=True)
        if error.trouble != "corrupt":
            raise
        for suffix in ("-wal", "-shm", ""):
            part = target.with_name(target.name + suffix)
            if part.exists():
                part.rename(kept.with_name(kept.name + suffix))


def _copy_out(source: Path, target: Path) -> None:
    """Into a file of its own, without a log. Raises ArchiveError."""
    _copy(source, target)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")


def _copy(source: Path, target: Path) -> None:
    """Into the file, as one transaction, whoever has it open. Raises ArchiveError."""
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target, timeout=10)) as copy,
        ):
            live.backup(copy)
            damage = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        trouble = judged(error)
        raise trouble if isinstance(trouble, ArchiveError) else ArchiveError("corrupt", str(trouble)) from error
    if damage != "ok":
        raise ArchiveError("corrupt", f"{source} is damaged: {damage}")


def _bring_forward(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrate(connection)
            connection.execute(
                "UPDATE outbox SET state = 'failed', done_ms = next_ms,"
                " error = 'it waited in a backup that was restored' WHERE state = 'waiting'"
            )
    except sqlite3.Error as error:
        raise ArchiveError("corrupt", f"{path} can't be brought to the present form: {error}") from error
