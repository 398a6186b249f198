"""The command `doctor`: the state of the database files in plain words, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from analytics.words import counted
from storage.inspection import FileState, inspect_archive, inspect_control

CONTROL: Final = "control.db"
LOW_DISK_BYTES: Final = 200 << 20  # a write-ahead log, a backup and a salvage fit


def run_doctor(db_path: Path) -> int:
    """Prints its findings. Returns the exit code: 0 when nothing has to be done."""
    sound = True
    archive = inspect_archive(db_path)
    print("\n".join((f"History: {db_path}", *_indented(_archive_lines(archive)))))
    sound &= archive.sound
    control_path = db_path.with_name(CONTROL)
    if control_path.exists():
        control = inspect_control(control_path)
        print("\n".join((f"Settings and rules: {control_path}", *_indented(_control_lines(control)))))
        sound &= control.sound
    if db_path.parent.is_dir():
        free = shutil.disk_usage(db_path.parent).free
        print(f"Disk: {_size(free)} are free.")
        if free < LOW_DISK_BYTES:
            print("  Free some space: the database needs room to write, and a backup as much as the database takes.")
            sound = False
    print("All is well." if sound else "Something has to be done; see above.")
    return int(not sound)


def _archive_lines(state: FileState) -> Iterator[str]:
    if not state.exists:
        yield "There is no file yet. It is made when persistence is switched on; there is nothing to do."
        yield from _aside_lines(state)
        return
    yield f"Size {_size(state.size_bytes)}" + (f", and a log of {_size(state.log_bytes)}." if state.log_bytes else ".")
    if state.version is not None:
        yield f"Schema version {state.version}" + (f"; {state.version_note}." if state.version_note else ".")
    if state.unreadable is not None:
        yield f"It can't be used: {state.unreadable}."
        yield f"What to do: {state.advice}"
    elif state.damage is not None:
        yield f"It is damaged: {state.damage}."
        yield (
            "What to do: start the service with persistence on. It moves the file aside, goes on with a new one and"
            " saves what can be read; or put a backup back with `coachiq-analytics restore FILE`."
        )
    else:
        yield "SQLite's quick_check finds it sound."
        yield from _content_lines(state)
    if state.log_bytes and state.damage is None and state.unreadable is None:
        yield (
            "The log says that a service is running, or that the last one was not stopped cleanly. That is no fault:"
            " the next start checks the file."
        )
    yield from _aside_lines(state)


def _content_lines(state: FileState) -> Iterator[str]:
    if state.samples and state.first_ms is not None and state.last_ms is not None:
        yield (
            f"It holds {counted(state.samples, 'sample')} of {counted(state.metrics or 0, 'metric')},"
            f" from {_moment(state.first_ms)} to {_moment(state.last_ms)}."
        )
    elif state.samples is not None:
        yield "It holds no samples."
    if state.insights is not None:
        yield f"Insights: {state.insights:,}. Patterns: {state.patterns:,}."
    if state.bad_chunk_count:
        some = "; ".join(state.bad_chunks[:10])
        yield f"{state.bad_chunk_count:,} parts of history are damaged and left out: {some}. The rest is served."


def _aside_lines(state: FileState) -> Iterator[str]:
    for aside in state.aside:
        if aside.finished_ms is None:
            yield f"{aside.file} was moved aside ({aside.reason}); what it holds is saved while the service runs."
        else:
            yield (
                f"{aside.file} was moved aside ({aside.reason}); {aside.stored:,} rows were saved out of it,"
                f" {aside.damaged + aside.refused_count:,} pages or rows could not be. It may be deleted."
            )


def _control_lines(state: FileState) -> Iterator[str]:
    yield f"Size {_size(state.size_bytes)}."
    if state.unreadable is not None:
        yield f"It can't be used: {state.unreadable}. What to do: {state.advice}"
    elif state.damage is not None:
        yield f"It is damaged: {state.damage}. What to do: stop the service and move the file away; a new one is made."
    else:
        yield "SQLite's quick_check finds it sound."


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
