"""The outbox in the control store: functions over a connection, run by `ControlStore.read` or `write`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from analytics.notices import Grouping, grouping_from, grouping_json

KEPT: Final = 1_000  # records of deliveries that are over


class Message(Struct, frozen=True):
    """One message to one channel of one user. `body`: title, text, severity, count, notices."""

    message_id: str
    owner: str
    channel_id: str
    created_ms: int
    state: str
    next_ms: int
    attempts: int
    done_ms: int | None
    error: str | None
    body: Mapping[str, Any]


def load_groupings(connection: sqlite3.Connection) -> dict[str, Grouping]:
    """By owner."""
    rows = connection.execute("SELECT owner, body FROM notify_states")
    return {owner: grouping_from(json.loads(text)) for owner, text in rows}


def save_groupings(
    connection: sqlite3.Connection, groupings: Mapping[str, Grouping], messages: Sequence[Message] = ()
) -> None:
    """The state of gathering, and the messages it gave rise to, together."""
    connection.executemany(
        "INSERT OR REPLACE INTO notify_states VALUES (?, ?)",
        [(owner, json.dumps(grouping_json(each))) for owner, each in groupings.items()],
    )
    for message in messages:
        _put(connection, message)


def put_message(connection: sqlite3.Connection, message: Message) -> None:
    _put(connection, message)


def waiting(connection: sqlite3.Connection) -> list[Message]:
    """Oldest first."""
    rows = connection.execute("SELECT * FROM outbox WHERE state = 'waiting' ORDER BY created_ms, message_id")
    return [_message(row) for row in rows]


def settle(
    connection: sqlite3.Connection, ids: Sequence[str], state: str, at_ms: int, error: str | None, attempts: int
) -> None:
    """The first of `ids` is `state`; the others went with it (merged) when it was sent. Old records go."""
    for place, id_ in enumerate(ids):
        own = "merged" if place and state == "sent" else state
        connection.execute(
            "UPDATE outbox SET state = ?, done_ms = ?, error = ?, attempts = ? WHERE message_id = ?",
            (own, at_ms, error, attempts, id_),
        )
    connection.execute(
        "DELETE FROM outbox WHERE state != 'waiting' AND message_id NOT IN"
        " (SELECT message_id FROM outbox WHERE state != 'waiting' ORDER BY done_ms DESC LIMIT ?)",
        (KEPT,),
    )


def postpone(connection: sqlite3.Connection, ids: Sequence[str], next_ms: int, attempts: int, error: str) -> None:
    connection.executemany(
        "UPDATE outbox SET next_ms = ?, attempts = ?, error = ? WHERE message_id = ?",
        [(next_ms, attempts, error, id_) for id_ in ids],
    )


def deliveries(connection: sqlite3.Connection, owner: str, limit: int) -> list[Message]:
    """Newest first, waiting ones included."""
    rows = connection.execute(
        "SELECT * FROM outbox WHERE owner = ? ORDER BY created_ms DESC, message_id LIMIT ?", (owner, limit)
    )
    return [_message(row) for row in rows]


def _put(connection: sqlite3.Connection, message: Message) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.message_id, message.owner, message.channel_id, message.created_ms, message.state, message.next_ms,
            message.attempts, message.done_ms, message.error, json.dumps(dict(message.body), ensure_ascii=False),
        ),
    )  # fmt: skip


def _message(row: Sequence[Any]) -> Message:
    id_, owner, channel_id, created_ms, state, next_ms, attempts, done_ms, error, text = row
    return Message(id_, owner, channel_id, created_ms, state, next_ms, attempts, done_ms, error, json.loads(text))
