"""Alert states in the control store: functions over a connection, run by `ControlStore.read` or `write`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from analytics.threshold import AlertState, state_from, state_json

StateKey = tuple[str, str]  # threshold id, metric


def load_states(connection: sqlite3.Connection) -> dict[StateKey, AlertState]:
    return {
        (threshold_id, metric): state_from(json.loads(text))
        for threshold_id, metric, text in connection.execute("SELECT * FROM alert_states")
    }


def save_states(connection: sqlite3.Connection, states: Mapping[StateKey, AlertState | None]) -> None:
    """None: forget it."""
    connection.executemany(
        "INSERT OR REPLACE INTO alert_states VALUES (?, ?, ?)",
        [(*key, json.dumps(state_json(state))) for key, state in states.items() if state is not None],
    )
    connection.executemany(
        "DELETE FROM alert_states WHERE threshold_id = ? AND metric_name = ?",
        [key for key, state in states.items() if state is None],
    )
