"""A start that always succeeds: the archive's file is checked after an unclean stop, and replaced when it is bad.

Owns the files around the archive: `X.damaged-N` (with its -wal and -shm) is a file moved aside, `X.damaged-N.json`
says what was saved out of it and when. Promises
- a stop was unclean when the write-ahead log is still there: SQLite removes it when the last connection closes;
- nothing is checked, and nothing changed, by a connection that could write into a file nobody has judged yet;
- a bad file is moved aside whole; a kill in between is finished at the next start;
- at most three are kept; another program's file and a newer version's are never touched;
- salvage goes on after a restart until its report is written. What the new file has already is newer and stays.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import asdict

from .archive import ArchiveError
from .salvage import is_familiar
from .sqlite_errors import judged
from .sqlite_schema import MAGIC, shapes

LOG: Final = logging.getLogger(__name__)
KEPT: Final = 3
ATTACHED: Final = ("-wal", "-shm", "-journal")
_LOCKED_S: Final = 1.0
_PAGE_BYTES_AT: Final = slice(16, 18)
_WAL_MODE_AT: Final = slice(18, 20)
_COUNTERS_AT: Final = (slice(24, 28), slice(92, 96))
_COUNT_AT: Final = slice(28, 32)


class Report(Struct, frozen=True):
    """What became of one file that was moved aside."""

    file: str
    reason: str
    finished_ms: int | None = None  # unix milliseconds; None: salvage has not finished
    rows: dict[str, int] = field(default_factory=dict)  # read, by table
    stored: int = 0  # rows the new file took; the others it had already, or refused
    damaged: int = 0  # pages and rows that did not add up
    refused: list[str] = field(default_factory=list)  # what failed its checksum, by name; the first hundred
    refused_count: int = 0


_UNKNOWN: Final = Report("", "")


def quick_check(path: Path) -> str | None:
    """What is wrong with the file, in SQLite's words; None: nothing. Raises ArchiveError when it can't be looked at.

    Reads through the write-ahead log and leaves both as they are.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_LOCKED_S)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        trouble = judged(error)
        if isinstance(trouble, ArchiveError) and trouble.trouble == "corrupt":
            return str(error)
        raise trouble from error
    is_hidden = found == "ok" and not any(shape.table in tables for shape in shapes())
    if is_hidden and is_familiar(path, shapes(), with_log=False):
        return "its log is another file's"
    return None if found == "ok" else str(found).replace("\n", " ")


def find_damage(path: Path, suspicion: str | None = None) -> str | None:
    """Why the file must be replaced; None: it may be opened. Raises ArchiveError when it is not ours, or can't be read.

    `suspicion`: what somebody met while reading it.
    """
    try:
        return _find_damage(path, suspicion)
    except OSError as error:
        raise ArchiveError("unavailable", f"{path} can't be read: {error.strerror}") from error


def _find_damage(path: Path, suspicion: str | None) -> str | None:
    _finish_move(path)
    log = _with(path, "-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    try:
        with path.open("rb") as file:
            header = file.read(100)
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        return None
    if not size:
        return "the file is empty, but its log is not" if log_bytes > 32 else None
    if not header.startswith(MAGIC):
        if not log_bytes and not is_familiar(path, shapes()):
            raise ArchiveError("foreign", f"{path} is not a database; it was left as it is")
        return "its header is damaged"
    _drop_stale_journal(path, header, size)
    page_bytes = int.from_bytes(header[_PAGE_BYTES_AT], "big")
    pages = int.from_bytes(header[_COUNT_AT], "big")
    counters = [header[at] for at in _COUNTERS_AT]
    if not log_bytes and counters[0] == counters[1] and size < pages * (65536 if page_bytes == 1 else page_bytes):
        return f"it was cut off: {size:,} bytes are left of {pages} pages of {page_bytes}"
    if _with(path, "-journal").exists() and (damage := _roll_back(path)) is not None:
        return damage
    if log_bytes or suspicion is not None:
        started_s = time.monotonic()
        damage = quick_check(path)
        LOG.info(
            "%s: checked after %s in %.1f s: %s",
            path,
            "an unclean stop" if suspicion is None else suspicion,
            time.monotonic() - started_s,
            damage or "sound",
        )
        return damage
    return None


def move_aside(path: Path, reason: str) -> Path:
    """The database, with what belongs to it, under a new name beside it; the oldest beyond three go. Raises OSError."""
    number = max((_number(each) for each in _all_aside(path)), default=0) + 1
    aside = _with(path, f".damaged-{number}")
    path.rename(aside)
    _move_attached(path, aside)
    sync_directory(path.parent)
    with suppress(OSError):  # a full disk: salvage goes without
        write_report(aside, Report(aside.name, reason))
    LOG.error("%s is damaged (%s): moved aside as %s, a new one takes its place", path, reason, aside.name)
    for old in moved_aside(path)[:-KEPT]:
        _delete(old)
    return aside


def moved_aside(path: Path) -> list[Path]:
    """Files moved aside, oldest first."""
    return sorted((each for each in _all_aside(path) if each.exists()), key=_number)


def report_of(aside: Path) -> Report | None:
    """What is known of it; None: nothing."""
    try:
        return Report(**json.loads(_with(aside, ".json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_report(aside: Path, report: Report) -> None:
    """Raises OSError."""
    target, new = _with(aside, ".json"), _with(aside, ".json.new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(asdict(report), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)


def pending_salvage(path: Path) -> list[Path]:
    """Newest first: its samples are the ones that are asked for."""
    return [each for each in reversed(moved_aside(path)) if (report_of(each) or _UNKNOWN).finished_ms is None]


def sync_directory(directory: Path) -> None:
    """Names of files in it survive a power cut from here on."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _drop_stale_journal(path: Path, header: bytes, size: int) -> None:
    """A rollback journal beside a database in WAL mode is not its own: SQLite would play it back all the same.

    While a new file has one page only it may be: the switch to WAL mode itself is journalled.
    """
    journal = _with(path, "-journal")
    if header[_WAL_MODE_AT] != b"\x02\x02" or size <= 65536 or not journal.exists():
        return
    stale = _with(path, ".stale-journal")
    journal.replace(stale)
    LOG.warning("%s: a journal that is not its own was moved aside as %s", path, stale.name)


def _roll_back(path: Path) -> str | None:
    """SQLite undoes what a power cut left half done in a file not yet in WAL mode: a new one, or one somebody changed
    with another program. Without that it can't be looked at."""
    try:
        with closing(sqlite3.connect(path, timeout=_LOCKED_S)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        trouble = judged(error)
        if isinstance(trouble, ArchiveError) and trouble.trouble == "corrupt":
            return str(error)
        raise trouble from error
    return None


def _finish_move(path: Path) -> None:
    """A kill between moving the database and moving its log."""
    if not path.exists() and (pending := pending_salvage(path)) and not _with(pending[0], "-wal").exists():
        _move_attached(path, pending[0])


def _move_attached(path: Path, aside: Path) -> None:
    for suffix in ATTACHED:
        with suppress(FileNotFoundError):
            _with(path, suffix).rename(_with(aside, suffix))


def _all_aside(path: Path) -> set[Path]:
    """Every X.damaged-N of which anything is left."""
    name = re.compile(re.escape(path.name) + r"\.damaged-(\d{1,9})(?:-wal|-shm|-journal|\.json)?$")
    try:
        names = [each.name for each in path.parent.iterdir()]
    except FileNotFoundError:
        return set()
    return {_with(path, f".damaged-{match[1]}") for each in names if (match := name.match(each))}


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])


def _delete(aside: Path) -> None:
    for suffix in (*ATTACHED, ".json", ""):
        _with(aside, suffix).unlink(missing_ok=True)


def _with(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
