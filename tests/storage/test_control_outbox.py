"""The outbox and the state of gathering, together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from analytics.notices import Grouping, Notice
from storage.control_outbox import (
    KEPT,
    Message,
    deliveries,
    load_groupings,
    postpone,
    put_message,
    save_groupings,
    settle,
    waiting,
)
from storage.control_schema import migrate

MESSAGE = Message("m1", "anna", "phone", 5, "waiting", 5, 0, None, None, {"title": "t"})


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()


def test_saved_and_loaded(connection) -> None:
    grouping = Grouping()
    grouping.hear(Notice("k", "t", "x", "high", "cost", True, 1), 2)
    save_groupings(connection, {"anna": grouping}, [MESSAGE])
    assert load_groupings(connection) == {"anna": grouping}
    assert waiting(connection) == [MESSAGE]
    assert deliveries(connection, "bert", 9) == []


def test_postponed_and_settled(connection) -> None:
    put_message(connection, MESSAGE)
    put_message(connection, replace(MESSAGE, message_id="m2", created_ms=6))
    postpone(connection, ["m1", "m2"], 99, 3, "busy")
    assert [(each.next_ms, each.attempts, each.error) for each in waiting(connection)] == [(99, 3, "busy")] * 2
    settle(connection, ["m1", "m2"], "sent", 100, None, 4)
    assert waiting(connection) == []
    assert [(each.message_id, each.state) for each in deliveries(connection, "anna", 9)] == [
        ("m2", "merged"), ("m1", "sent"),
    ]  # fmt: skip


def test_old_records_go(connection) -> None:
    for number in range(KEPT + 5):
        put_message(connection, replace(MESSAGE, message_id=f"m{number}", created_ms=number))
    settle(connection, [f"m{number}" for number in range(KEPT + 5)], "failed", 1, "gone", 1)
    assert len(deliveries(connection, "anna", KEPT * 2)) == KEPT
