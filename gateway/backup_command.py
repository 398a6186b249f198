"""The commands `backup` and `restore`: a copy of the database made beside a running service, and put back."""

from __future__ import annotations

import sys
from pathlib import Path

from storage.archive import ArchiveError
from storage.backup import back_up, restore
from storage.control_backup import back_up_control, check_control_backup, restore_control

from .progress_bar import ProgressBar


def run_backup(file: Path, db_path: Path) -> int:
    """Returns the exit code: 0 when `file` is a whole and checked copy."""
    try:
        with ProgressBar(f"backup {file.name}", sys.stderr) as bar:
            done = back_up(db_path, file, bar)
        settings = back_up_control(db_path, file)
    except ArchiveError as error:
        print(f"coachiq-analytics: {error}", file=sys.stderr)
        return 1
    print(f"{db_path} copied to {done.path}: {done.size_bytes:,} bytes, checked")
    if settings is not None:
        print(f"settings and the action journal copied to {settings}: keep both files together")
    return 0


def run_restore(file: Path, db_path: Path) -> int:
    """Returns the exit code: 0 when the database holds what `file` holds."""
    try:
        check_control_backup(file)
        with ProgressBar(f"restore {file.name}", sys.stderr) as bar:
            done = restore(file, db_path, bar)
    except ArchiveError as error:
        print(f"coachiq-analytics: {error}; {db_path} was left as it is", file=sys.stderr)
        return 1
    kept = f"; what was there before is kept as {done.kept}" if done.kept is not None else ""
    print(f"{db_path} holds what {file} holds: {done.size_bytes:,} bytes{kept}")
    try:
        settings = restore_control(file, db_path)
    except ArchiveError as error:
        print(f"coachiq-analytics: {error}; settings and action journal were left as they are", file=sys.stderr)
        return 1
    if settings is not None:
        print(f"{settings} holds the settings and the action journal of the backup; a service that runs takes them up")
    return 0
