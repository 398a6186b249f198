"""POST /api/analytics/storage/backup: a copy of the database, for the page.

Only below the directory of backups: a caller names a file, never a path. One at a time.
"""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import trio
from quart import Response

from actors.messages import Flush
from actors.progress import NotPersisting
from storage.archive import ArchiveError
from storage.backup import Copy, back_up
from storage.control_backup import back_up_control

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..problems import Problem
from ..routes import Route, json_response

STORED_WITHIN_S: Final = 5.0  # what memory holds is stored before the copy, if the disk can do that soon
SPARE_BYTES: Final = 20_000_000  # left free beside the copy
_RUNNING: Final[trio.lowlevel.RunVar[bool]] = trio.lowlevel.RunVar("gateway_backup", False)


async def post_backup(backend: Backend) -> Response:
    asked = await read_model(schemas.backup.BackupRequest, empty=schemas.backup.BackupRequest(name=None))
    if not backend.flags.enabled("persistence"):
        raise Problem(409, "Persistence is off: there is no database to copy")
    if _RUNNING.get():
        raise Problem(409, "A backup is being made already")
    now_ms = backend.wall_ms()
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC)
    target = backend.settings.backup_path / (asked.name or f"analytics-{stamp:%Y%m%d-%H%M%S}.db")
    _RUNNING.set(True)
    try:
        await _store_what_memory_holds(backend)
        done = await trio.to_thread.run_sync(partial(_copy, backend.settings.db_path, target))
        await trio.to_thread.run_sync(back_up_control, backend.settings.db_path, target)
    except ArchiveError as error:
        status = 507 if error.trouble == "full" else 409 if error.trouble in ("corrupt", "foreign") else 503
        raise Problem(status, f"No backup was made: {error.reason}", headers=_RETRY if status == 503 else {}) from error
    finally:
        _RUNNING.set(False)
    return json_response(
        {
            "success": True,
            "message": "The database was copied and the copy checked",
            "path": str(done.path),
            "size_bytes": done.size_bytes,
            "created_at": now_ms / 1000,
        }
    )


_RETRY: Final = {"Retry-After": "10"}


async def _store_what_memory_holds(backend: Backend) -> None:
    backend.persist_mailbox.put_nowait(Flush(now=True))
    with trio.move_on_after(STORED_WITHIN_S):
        try:
            await backend.progress.wait_for(backend.memory.last_seq)
        except NotPersisting:
            return  # the disk is in trouble: the copy tells


def _copy(source: Path, target: Path) -> Copy:
    """Raises ArchiveError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        needed = source.stat().st_size + SPARE_BYTES
        if shutil.disk_usage(target.parent).free < needed:
            raise ArchiveError("full", f"{needed:,} bytes must be free in {target.parent}")
        return back_up(source.absolute(), target.absolute())
    except OSError as error:
        raise ArchiveError("unavailable", f"{error.filename}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise ArchiveError("unavailable", str(error)) from error


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/analytics/storage/backup",
        handler=post_backup,
        summary="Copy the database",
        description=(
            "Makes one file of the whole archive as it is now, while samples come in, and checks it. It lies in the "
            "directory BACKUP_DIR (default: `backups` beside the database); `name` is a file's name in it, by default "
            "one made of the time; an older backup of that name is replaced. Answered when it is done. Put back by "
            "`coachiq-analytics restore FILE`."
        ),
        tag="Service",
        bodies=lambda: (schemas.backup.BackupRequest,),
        body_examples={"named by the time": {}, "named": {"name": "before-the-trip.db"}},
        gated=True,
        answers=lambda: {
            200: Answer(
                "Made and checked",
                schemas.backup.BackupResponse,
                example={
                    "success": True,
                    "message": "The database was copied and the copy checked",
                    "path": "/data/backups/analytics-20260301-120000.db",
                    "size_bytes": 41_943_040,
                    "created_at": 1772366400.0,
                },
            ),
            **problems(
                400,
                404,
                408,
                409,
                413,
                415,
                422,
                500,
                503,
                507,
                details={409: "Persistence is off: there is no database to copy"},
            ),
        },
    ),
)
