"""Marks on insights in the control store: functions over a connection, run by `ControlStore.read` or `write`."""

from __future__ import annotations

import json
import sqlite3

from analytics.lifecycle import Mark, mark_from, mark_json


def load_marks(connection: sqlite3.Connection) -> dict[str, Mark]:
    """By insight key."""
    return {key: mark_from(json.loads(text)) for key, text in connection.execute("SELECT * FROM insight_marks")}


def save_mark(connection: sqlite3.Connection, key: str, mark: Mark) -> None:
    connection.execute("INSERT OR REPLACE INTO insight_marks VALUES (?, ?)", (key, json.dumps(mark_json(mark))))
