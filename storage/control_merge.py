"""Rows of one control store carried into another, when persistence is switched on or off.

What stands in both under one key: of documents the one changed later wins, of everything else the target's own. The
entries of the action journal are chained on behind the target's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .control_actions import append_entry

Rows = Mapping[str, Sequence[tuple[Any, ...]]]  # table -> rows

_COPIED: Final = ("alert_states", "insight_marks", "actions", "outbox", "notify_states")


def copy_all(connection: sqlite3.Connection) -> Rows:
    """Everything the store holds."""
    return {
        table: connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  # names of ours
        for table in ("documents", "counters", "action_journal", *_COPIED)
    }


def merge_into(connection: sqlite3.Connection, rows: Rows) -> None:
    """Put `rows` beside what is there. Within a transaction of the caller."""
    for name, value in rows["counters"]:
        connection.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (name, value),
        )
    connection.executemany(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, owner, id) DO UPDATE"
        " SET revision = excluded.revision, created_ms = excluded.created_ms, updated_ms = excluded.updated_ms,"
        " body = excluded.body WHERE excluded.updated_ms > documents.updated_ms",
        rows["documents"],
    )
    for table in _COPIED:
        for row in rows[table]:
            places = ", ".join("?" * len(row))
            connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608  # as above
    for _, action_id, phase, at_ms, body, _ in rows["action_journal"]:
        here = connection.execute(
            "SELECT 1 FROM action_journal WHERE action_id = ? AND phase = ? AND at_ms = ?", (action_id, phase, at_ms)
        ).fetchone()
        if here is None:
            append_entry(connection, action_id, phase, at_ms, json.loads(body))
