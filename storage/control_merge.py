"""Rows of one control store carried into another, when persistence is switched on or off.

What stands in both under one key: of documents the one changed later wins (by revision, which no clock sets back), of
everything else that of the store that was in use. What was carried out of a file and deleted since is deleted in the
file, too, unless somebody changed it there. The entries of the action journal are chained on behind the target's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .control_actions import append_entry

Rows = Mapping[str, Sequence[tuple[Any, ...]]]  # table -> rows

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {  # table -> its primary key, which its rows begin with
    "documents": ("kind", "owner", "id"),
    "alert_states": ("threshold_id", "metric_name"),
    "insight_marks": ("insight_key",),
    "actions": ("action_id",),
    "outbox": ("message_id",),
    "notify_states": ("owner",),
}


def copy_all(connection: sqlite3.Connection) -> Rows:
    """Everything the store holds."""
    return {
        table: connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  # names of ours
        for table in ("counters", "action_journal", *_KEYS)
    }


def without_journal(rows: Rows) -> Rows:
    """What can be deleted of them."""
    return {table: rows[table] for table in _KEYS}


def merge_into(connection: sqlite3.Connection, rows: Rows, carried: Rows | None = None) -> None:
    """Put `rows` beside what is there. Within a transaction of the caller.

    `carried`: what came out of this store when `rows` began.
    """
    if carried is not None:
        _delete_gone(connection, rows, carried)
    for name, value in rows["counters"]:
        connection.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (name, value),
        )
    connection.executemany(
        "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, owner, id) DO UPDATE"
        " SET revision = excluded.revision, created_ms = excluded.created_ms, updated_ms = excluded.updated_ms,"
        " body = excluded.body WHERE excluded.revision > documents.revision",
        rows["documents"],
    )
    for table in _KEYS:
        for row in rows[table] if table != "documents" else ():
            _delete(connection, table, row)
            places = ", ".join("?" * len(row))
            connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608  # names of ours
    for _, action_id, phase, at_ms, body, _ in rows["action_journal"]:
        here = connection.execute(
            "SELECT 1 FROM action_journal WHERE action_id = ? AND phase = ? AND at_ms = ?", (action_id, phase, at_ms)
        ).fetchone()
        if here is None:
            append_entry(connection, action_id, phase, at_ms, json.loads(body))


def _delete_gone(connection: sqlite3.Connection, rows: Rows, carried: Rows) -> None:
    for table, key in _KEYS.items():
        here = {row[: len(key)] for row in rows[table]}
        there = set(connection.execute(f"SELECT * FROM {table}"))  # noqa: S608  # names of ours
        for row in carried[table]:
            if row[: len(key)] not in here and row in there:
                _delete(connection, table, row)


def _delete(connection: sqlite3.Connection, table: str, row: Sequence[Any]) -> None:
    key = _KEYS[table]
    wanted = " AND ".join(f"{column} = ?" for column in key)
    connection.execute(f"DELETE FROM {table} WHERE {wanted}", row[: len(key)])  # noqa: S608  # names of ours
