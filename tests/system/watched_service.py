"""Starts the service on a watched disk: `watched_service.py FOLDER serve ...`, as `python -m gateway serve ...` would.

FOLDER/plan.json says what to do; after the end FOLDER/ops.pickle holds every write, sync and deletion, with marks
around each append of the archive. Plan: `delay_s` a call to any file, `delay_file` (its text
says how many at the moment), `pack` (often), `record`, `ahead_file`
(its text says by how many seconds the wall clock is off).
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actors import housekeeper
from gateway import service
from gateway.cli import main
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive
from tests.fakes.disk import Disk


def pack_often() -> None:
    housekeeper.PACK_SAMPLES = 50  # type: ignore[misc]
    housekeeper.LOOK_S = 0.3  # type: ignore[misc]


def mark_appends(disk: Disk) -> None:
    real = SqliteArchive.append

    async def append(self: SqliteArchive, parts: Sequence[SeriesPart], *records: Any) -> None:
        disk.mark(("started", list(parts)))
        await real(self, parts, *records)
        disk.mark(("stored", list(parts)))

    SqliteArchive.append = append  # type: ignore[assignment, method-assign]


def set_clock(ahead_file: Path) -> None:
    """The wall clock is off by so many seconds as the file says."""
    real = time.time_ns

    def time_ns() -> int:
        return real() + int(float(ahead_file.read_text()) * 1e9)

    service.time.time_ns = time_ns  # type: ignore[assignment]


def run(folder: Path, arguments: Sequence[str]) -> int:
    plan = json.loads((folder / "plan.json").read_text())
    if "ahead_file" in plan:
        set_clock(Path(plan["ahead_file"]))
    with Disk.install(folder) as disk:
        disk.recording = plan.get("record", False)
        disk.delay_s = plan.get("delay_s", 0.0)
        if "delay_file" in plan:
            delay = Path(plan["delay_file"])
            disk.before = lambda kind, path: time.sleep(float(delay.read_text()))
        if plan.get("pack"):
            pack_often()
        mark_appends(disk)
        code = main(arguments, os.environ)
        (folder / "ops.pickle").write_bytes(pickle.dumps(disk.ops))
    return code


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
