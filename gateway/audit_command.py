"""The command `audit verify`: whether the action journal is as it was written, while the service runs or not.

Reads the file and changes nothing in it. Exit code 0: every entry is; 1: one is not, or there is no journal.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from conf.settings import Settings

EXIT_OK: Final = 0
EXIT_TROUBLE: Final = 1


def add_audit_parser(commands: Any) -> None:
    """`commands`: what argparse's add_subparsers returned."""
    audit = commands.add_parser("audit", help="check the journal of device actions")
    actions = audit.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "verify",
        help="hold every entry against its hash",
        description="Reads control.db beside the database and says whether any entry was changed, taken out or put in.",
    )
    check.add_argument("--file", type=Path, help="another control.db, say of a backup")


def run_audit(asked: argparse.Namespace, settings: Settings) -> int:
    import sqlite3  # here, so that other commands start without it

    from storage.control_actions import verify
    from storage.control_schema import control_path

    path = asked.file or control_path(settings.db_path)
    if not path.is_file():
        print(f"coachiq-analytics: there is no {path}: nothing was ever kept", file=sys.stderr)
        return EXIT_TROUBLE
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            verdict = verify(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        print(f"coachiq-analytics: {path} can't be read: {error}", file=sys.stderr)
        return EXIT_TROUBLE
    if verdict.broken_at is not None:
        print(f"coachiq-analytics: the journal is broken: {verdict.reason}", file=sys.stderr)
        return EXIT_TROUBLE
    print(f"{verdict.entries} entries, all as they were written; last hash {verdict.last_hash}")
    return EXIT_OK
