"""The action journal: what may not happen does not, and what was changed is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from analytics.action_state import Action, WrongTurnError
from storage.control_actions import (
    EntityBusyError,
    KeyUsedError,
    get_action,
    insert_action,
    journal,
    latest_actions,
    note_effect,
    open_actions,
    scores,
    turn_action,
    verify,
)
from storage.control_merge import copy_all, merge_into
from storage.control_schema import migrate

ACTION = Action(
    "a1", "local", "key-1", "i.0.light", "i", "rule", "m", "switch_off", "light", "Light", "green", "proposed", 1, 1, 30
)


def store() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = store()
    yield connection
    connection.close()


def done(connection: sqlite3.Connection, action: Action = ACTION) -> None:
    insert_action(connection, action)
    for phase in ("confirmed", "sending", "succeeded"):
        turn_action(connection, action.action_id, phase, 2, {"why": phase})


def test_one_life(connection) -> None:
    done(connection)
    action = get_action(connection, "a1")
    assert (action.phase, action.facts) == ("succeeded", {"why": "succeeded"})
    assert open_actions(connection) == []
    assert [entry.phase for entry in journal(connection, 10)] == ["succeeded", "sending", "confirmed", "proposed"]
    with pytest.raises(WrongTurnError):
        turn_action(connection, "a1", "sending", 3)
    with pytest.raises(WrongTurnError):
        turn_action(connection, "nothing", "sending", 3)
    with pytest.raises(WrongTurnError):
        note_effect(connection, "nothing", 3, {})


def test_a_key_is_used_once_and_an_entity_is_busy_once(connection) -> None:
    insert_action(connection, ACTION)
    with pytest.raises(KeyUsedError):
        insert_action(connection, replace(ACTION, action_id="a2", entity_id="other"))
    with pytest.raises(EntityBusyError):
        insert_action(connection, replace(ACTION, action_id="a2", key="key-2"))
    insert_action(connection, replace(ACTION, action_id="a3", owner="other", entity_id="other"))
    turn_action(connection, "a1", "cancelled", 2)
    insert_action(connection, replace(ACTION, action_id="a4", key="key-4", created_ms=9))
    assert [each.action_id for each in latest_actions(connection, 1)] == ["a4"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE action_journal SET phase = 'cancelled' WHERE seq = 2",
        "UPDATE action_journal SET body = '{}' WHERE seq = 1",
        "UPDATE action_journal SET at_ms = 9 WHERE seq = 3",
        "DELETE FROM action_journal WHERE seq = 1",
        "DELETE FROM action_journal WHERE seq = 3",
        "DELETE FROM action_journal WHERE seq = 4",  # the end: the action says what the journal does not
        "UPDATE action_journal SET seq = seq + 10",
        "UPDATE actions SET phase = 'cancelled'",
        "INSERT INTO action_journal VALUES (5, 'a1', 'cancelled', 9, '{}', 'x')",
    ],
)
def test_whoever_changes_it_is_found_out(connection, sql) -> None:
    done(connection)
    assert verify(connection).broken_at is None
    connection.execute(sql)
    assert verify(connection).broken_at is not None


def test_scores(connection) -> None:
    done(connection)
    note_effect(connection, "a1", 5, {"effect": "e", "helped": True})
    done(connection, replace(ACTION, action_id="a2", key="k2"))
    note_effect(connection, "a2", 5, {"effect": "e", "helped": False})
    done(connection, replace(ACTION, action_id="a3", key="k3"))
    assert scores(connection) == {"rule": (1, 2)}
    assert verify(connection).broken_at is None


def test_the_chain_goes_on_in_another_store(connection) -> None:
    done(connection)
    target = store()
    done(target, replace(ACTION, action_id="b1", key="kb"))
    for _ in range(2):  # a second time changes nothing
        merge_into(target, copy_all(connection))
        assert verify(target).entries == 8
        assert verify(target).broken_at is None
    assert get_action(target, "a1").phase == "succeeded"
    target.close()
