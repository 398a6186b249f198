"""Rows of one store beside those of another."""

from __future__ import annotations

import sqlite3

from analytics.action_state import Action
from analytics.threshold import AlertState
from storage.control_actions import insert_action, open_actions, turn_action, verify
from storage.control_alerts import load_states, save_states
from storage.control_merge import copy_all, merge_into
from storage.control_outbox import Message, put_message, settle, waiting
from storage.control_schema import migrate

ACTION = Action(
    "a1", "local", "key-1", "i.0.light", "i", "rule", "m", "switch_off", "light", "Light", "green", "proposed", 1, 1, 30
)


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


def test_states_of_the_store_in_use_hold() -> None:
    source, target = store(), store()
    save_states(source, {("a", "m"): AlertState("firing"), ("b", "m"): AlertState("firing")})
    save_states(target, {("a", "m"): AlertState("recovering"), ("c", "m"): AlertState("recovering")})
    merge_into(target, copy_all(source))
    phases = {key[0]: state.phase for key, state in load_states(target).items()}
    assert phases == {"a": "firing", "b": "firing", "c": "recovering"}
    source.close()
    target.close()


def test_what_was_deleted_after_it_was_carried_out_is_deleted_unless_it_was_changed_there() -> None:
    memory, file = store(), store()
    save_states(file, {(each, "m"): AlertState("firing") for each in ("kept", "deleted", "changed there")})
    carried = copy_all(file)
    merge_into(memory, carried)
    save_states(memory, {("deleted", "m"): None, ("changed there", "m"): None})
    save_states(file, {("changed there", "m"): AlertState("recovering"), ("new there", "m"): AlertState()})
    merge_into(file, copy_all(memory), carried)
    assert {key[0] for key in load_states(file)} == {"kept", "changed there", "new there"}
    memory.close()
    file.close()


def test_a_message_that_was_sent_meanwhile_waits_no_more() -> None:
    file, memory = store(), store()
    put_message(file, Message("m1", "local", "mail", 1, "waiting", 1, 0, None, None, {"title": "t"}))
    merge_into(memory, copy_all(file))
    settle(memory, ["m1"], "sent", 5, None, 1)
    merge_into(file, copy_all(memory))
    assert waiting(file) == []
    file.close()
    memory.close()


def test_an_action_that_ended_meanwhile_agrees_with_its_journal() -> None:
    file, memory = store(), store()
    insert_action(file, ACTION)
    merge_into(memory, copy_all(file))
    for phase in ("confirmed", "sending", "succeeded"):
        turn_action(memory, ACTION.action_id, phase, 2)
    merge_into(file, copy_all(memory))
    assert verify(file).reason is None
    assert open_actions(file) == []
    file.close()
    memory.close()
