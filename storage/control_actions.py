"""Actions and their journal in the control store: functions over a connection, run by `ControlStore.read` or `write`.

Promises: an action and its journal entry change together, in one transaction; a key is used once; an action turns
only as its states allow; one entity has at most one open action; `verify` finds any entry that was changed, taken out,
put in or put elsewhere (the end of the journal cut off is found by whoever noted its last hash).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from analytics.action_state import OPEN, Action, ActionPhase, WrongTurnError, check_turn

GENESIS: Final = "0" * 64


class KeyUsedError(Exception):
    """The key belongs to `action`."""

    def __init__(self, action: Action) -> None:
        super().__init__("the key was used before")
        self.action = action


class EntityBusyError(Exception):
    """`action` is not over yet."""

    def __init__(self, action: Action) -> None:
        super().__init__("another action on this entity is not over yet")
        self.action = action


class Entry(Struct, frozen=True):
    seq: int
    action_id: str
    phase: str
    at_ms: int
    body: Mapping[str, Any]
    hash: str


class Verdict(Struct, frozen=True):
    """`broken_at`: the first entry that is not as it was written; None: all are. `last_hash`: note it elsewhere."""

    entries: int
    broken_at: int | None
    reason: str | None
    last_hash: str


def insert_action(connection: sqlite3.Connection, action: Action) -> Action:
    """Raises KeyUsedError, EntityBusyError."""
    used = connection.execute(
        "SELECT body FROM actions WHERE owner = ? AND idempotency_key = ?", (action.owner, action.key)
    ).fetchone()
    if used is not None:
        raise KeyUsedError(_action(used[0]))
    for (text,) in connection.execute("SELECT body FROM actions WHERE entity_id = ?", (action.entity_id,)):
        other = _action(text)
        if other.phase in OPEN:
            raise EntityBusyError(other)
    check_turn(None, action.phase)
    _put(connection, action)
    append_entry(connection, action.action_id, action.phase, action.changed_ms, asdict(action))
    return action


def turn_action(
    connection: sqlite3.Connection,
    action_id: str,
    phase: ActionPhase,
    at_ms: int,
    facts: Mapping[str, Any] | None = None,
) -> Action:
    """Raises WrongTurnError, also when there is no such action."""
    known = get_action(connection, action_id)
    if known is None:
        raise WrongTurnError("there is no such action")
    check_turn(known.phase, phase)
    turned = replace(known, phase=phase, changed_ms=at_ms, facts={**known.facts, **(facts or {})})
    _put(connection, turned)
    append_entry(connection, action_id, phase, at_ms, facts or {})
    return turned


def note_effect(connection: sqlite3.Connection, action_id: str, at_ms: int, facts: Mapping[str, Any]) -> Action:
    """What came of an action that succeeded. Its phase stays."""
    known = get_action(connection, action_id)
    if known is None:
        raise WrongTurnError("there is no such action")
    noted = replace(known, facts={**known.facts, **facts})
    _put(connection, noted)
    append_entry(connection, action_id, "effect", at_ms, facts)
    return noted


def get_action(connection: sqlite3.Connection, action_id: str) -> Action | None:
    row = connection.execute("SELECT body FROM actions WHERE action_id = ?", (action_id,)).fetchone()
    return None if row is None else _action(row[0])


def find_by_key(connection: sqlite3.Connection, owner: str, key: str) -> Action | None:
    row = connection.execute(
        "SELECT body FROM actions WHERE owner = ? AND idempotency_key = ?", (owner, key)
    ).fetchone()
    return None if row is None else _action(row[0])


def open_actions(connection: sqlite3.Connection) -> list[Action]:
    places = ", ".join("?" * len(OPEN))
    rows = connection.execute(f"SELECT body FROM actions WHERE phase IN ({places})", OPEN)  # noqa: S608  # only marks
    return [_action(text) for (text,) in rows]


def latest_actions(connection: sqlite3.Connection, limit: int) -> list[Action]:
    """Newest first."""
    rows = connection.execute("SELECT body FROM actions ORDER BY created_ms DESC, action_id LIMIT ?", (limit,))
    return [_action(text) for (text,) in rows]


def journal(connection: sqlite3.Connection, limit: int) -> list[Entry]:
    """Newest first."""
    rows = connection.execute("SELECT * FROM action_journal ORDER BY seq DESC LIMIT ?", (limit,))
    return [Entry(seq, id_, phase, at_ms, json.loads(body), hash_) for seq, id_, phase, at_ms, body, hash_ in rows]


def append_entry(
    connection: sqlite3.Connection, action_id: str, phase: str, at_ms: int, body: Mapping[str, Any]
) -> None:
    last = connection.execute("SELECT seq, hash FROM action_journal ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (0, GENESIS) if last is None else last
    text = json.dumps(dict(body), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    entry = (seq + 1, action_id, phase, at_ms, text)
    connection.execute("INSERT INTO action_journal VALUES (?, ?, ?, ?, ?, ?)", (*entry, chained(before, *entry)))


def chained(before: str, *entry: object) -> str:
    """The hash of an entry: SHA-256 over the hash before and the entry as a JSON list."""
    text = json.dumps([before, *entry], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(connection: sqlite3.Connection) -> Verdict:
    """Read the whole journal and hold each entry against its hash, and each action against its last entry."""
    before, count = GENESIS, 0
    phases: dict[str, str] = {}
    for seq, action_id, phase, at_ms, text, hash_ in connection.execute("SELECT * FROM action_journal ORDER BY seq"):
        count += 1
        if seq != count:
            return Verdict(count, count, f"entry {count} is missing", before)
        if chained(before, seq, action_id, phase, at_ms, text) != hash_:
            return Verdict(count, count, f"entry {count} is not as it was written", before)
        before = hash_
        if phase != "effect":
            phases[action_id] = phase
    for action_id, phase in connection.execute("SELECT action_id, phase FROM actions"):
        if phases.get(action_id) != phase:
            return Verdict(count, count, f"action {action_id} is {phase}, which the journal does not say", before)
    return Verdict(count, None, None, before)


def scores(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """By rule (an insight's key): how often an action on its advice helped, and of how many whose effect is known."""
    found: dict[str, tuple[int, int]] = {}
    for (text,) in connection.execute("SELECT body FROM actions WHERE phase IN ('succeeded', 'reconciled')"):
        action = _action(text)
        if "helped" in action.facts:
            helped, known = found.get(action.rule, (0, 0))
            found[action.rule] = (helped + bool(action.facts["helped"]), known + 1)
    return found


def _put(connection: sqlite3.Connection, action: Action) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO actions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            action.action_id, action.owner, action.key, action.entity_id, action.phase, action.created_ms,
            json.dumps(asdict(action), ensure_ascii=False),
        ),
    )  # fmt: skip


def _action(text: str) -> Action:
    return Action(**json.loads(text))
