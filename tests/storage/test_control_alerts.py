"""Alert states come back as they were."""

from __future__ import annotations

import sqlite3

from analytics.threshold import AlertState
from storage.control_alerts import load_states, save_states
from storage.control_schema import migrate


def test_saved_changed_and_forgotten() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    firing = AlertState("firing", 5, "above", 1.5, 2.5, 5, None, 3)
    save_states(connection, {("a", "m"): firing, ("b", "m"): AlertState()})
    save_states(connection, {("a", "m"): AlertState("ok", 9), ("b", "m"): None, ("c", "n"): firing})
    assert load_states(connection) == {("a", "m"): AlertState("ok", 9), ("c", "n"): firing}
    connection.close()
