"""Marks come back as they were."""

from __future__ import annotations

import sqlite3

from analytics.lifecycle import Mark
from storage.control_marks import load_marks, save_mark
from storage.control_schema import migrate


def test_saved_and_changed() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    mark = Mark("i", "snoozed", 5, 4, "anna", 2, Mark("i"))
    save_mark(connection, "k", Mark("i"))
    save_mark(connection, "k", mark)
    assert load_marks(connection) == {"k": mark}
    connection.close()
