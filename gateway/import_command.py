"""The command `import`: writes a recording into the database file and prints what became of it.

Refuses while a service, or any other program, has the database open.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import trio

from storage.archive import ArchiveError
from storage.budget import Budget
from storage.holders import held_by
from storage.sqlite_archive import open_sqlite_archive

from .importer import Import, import_recording
from .progress_bar import ProgressBar
from .recording import RecordingError, open_recording


def run_import(file: Path, db_path: Path, *, budget: Budget | None = None, resolution_ms: int = 1) -> int:
    """Returns the exit code: 0 when every row is stored."""
    try:
        done = trio.run(_import, file, db_path, budget, resolution_ms)
    except RecordingError as error:
        print(f"coachiq-analytics: {error}", file=sys.stderr)
        return 1
    except ArchiveError as error:
        print(f"coachiq-analytics: {db_path}: {error}", file=sys.stderr)
        return 1
    for bad in done.named:
        print(f"{file}: line {bad.line}: {bad.problem}", file=sys.stderr)
    if done.bad > len(done.named):
        print(f"{file}: and {done.bad - len(done.named):,} further bad rows", file=sys.stderr)
    print(report(done, db_path))
    return int(done.bad > 0)


async def _import(file: Path, db_path: Path, budget: Budget | None, resolution_ms: int) -> Import:
    now_ms = time.time_ns() // 1_000_000
    with open_recording(file, now_ms=now_ms) as recording, ProgressBar(f"import {file.name}", sys.stderr) as bar:
        try:
            holder = await trio.to_thread.run_sync(held_by, db_path)
        except OSError as error:
            raise ArchiveError("unavailable", f"its shared memory can't be used: {error.strerror}") from error
        if holder is not None:  # both would pack, each without knowing what the other has planned
            raise ArchiveError(
                "busy",
                f"process {holder} has it open. Stop the service while you import, or send the recording to it: "
                "coachiq-analytics replay",
            )
        archive = await open_sqlite_archive(db_path, budget=budget)
        try:
            return await import_recording(recording, archive, resolution_ms=resolution_ms, progress=bar)
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(10):
                await archive.aclose()


def report(done: Import, db_path: Path) -> str:
    span = ""
    if done.first_ms is not None and done.last_ms is not None:
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (done.first_ms, done.last_ms))
        span = f", from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    return f"{done.stored:,} rows stored in {db_path}{span}; {done.bad:,} bad rows"
