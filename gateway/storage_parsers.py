"""The commands about the database files, as the command line spells them: backup, restore, export, doctor."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conf.settings import Settings

from .commas import split
from .recording import unix_ms


def add_storage_parsers(commands: Any) -> None:
    """`commands`: what argparse's add_subparsers returns."""
    backup = commands.add_parser("backup", help="copy the database into a file, while the service runs")
    backup.add_argument("file", type=Path, help="where to; an older backup there is replaced when this one is checked")
    restore = commands.add_parser(
        "restore",
        help="put a backup in the place of the database",
        description="Checks the backup first and refuses a bad one. What was there before is kept beside the database. "
        "A running service notices and goes on with what was restored.",
    )
    restore.add_argument("file", type=Path, help="what `backup` wrote")
    export = commands.add_parser(
        "export",
        help="write samples as CSV, while the service runs",
        description="CSV of metric_name, timestamp (unix seconds), value; what `import` and `replay` read. Where an "
        "old span was thinned there is one row a bucket, its mean.",
    )
    export.add_argument("file", type=Path, nargs="?", help="where to; .gz is compressed; none or -: stdout")
    export.add_argument("--start", type=_time, help="from this time on: unix seconds or ISO 8601 (UTC)")
    export.add_argument("--end", type=_time, help="before this time")
    export.add_argument(
        "--metrics",
        type=split,
        action="extend",
        default=[],
        help="a,b,c (a comma that belongs to a name is written \\,); default: all",
    )
    commands.add_parser("doctor", help="say in plain words how the database files are, and what to do")


def _time(text: str) -> int:
    try:
        return unix_ms(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected unix seconds or ISO 8601, got {text!r}") from None


def _backup(asked: argparse.Namespace, settings: Settings) -> int:
    from .backup_command import run_backup

    return run_backup(asked.file, settings.db_path)


def _restore(asked: argparse.Namespace, settings: Settings) -> int:
    from .backup_command import run_restore

    return run_restore(asked.file, settings.db_path)


def _export(asked: argparse.Namespace, settings: Settings) -> int:
    from .export_command import run_export

    file = None if asked.file is None or str(asked.file) == "-" else asked.file
    return run_export(file, settings.db_path, start_ms=asked.start, end_ms=asked.end, metrics=asked.metrics)


def _doctor(asked: argparse.Namespace, settings: Settings) -> int:
    from .doctor_command import run_doctor

    return run_doctor(settings.db_path)


STORAGE_COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace, Settings], int]]] = {
    "backup": _backup,
    "restore": _restore,
    "export": _export,
    "doctor": _doctor,
}
