"""Rows of one store beside those of another."""

from __future__ import annotations

import sqlite3

from analytics.threshold import AlertState
from storage.control_alerts import load_states, save_states
from storage.control_merge import copy_all, merge_into
from storage.control_schema import migrate


def store() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection


def test_every_table_is_carried() -> None:
    """A table that a later migration adds must not be forgotten here."""
    connection = store()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert set(copy_all(connection)) == tables
    connection.close()


def test_states_of_the_target_stay() -> None:
    source, target = store(), store()
    save_states(source, {("a", "m"): AlertState("firing"), ("b", "m"): AlertState("firing")})
    save_states(target, {("a", "m"): AlertState("recovering")})
    merge_into(target, copy_all(source))
    assert {key[0]: state.phase for key, state in load_states(target).items()} == {"a": "recovering", "b": "firing"}
    source.close()
    target.close()
