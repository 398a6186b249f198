"""Documents of the control store: thresholds, KPIs, preferences, layouts, each with a revision.

Functions over a connection, to be run by `ControlStore.read` or `write`. Promise: of two changes that rest on the same
revision one succeeds; the other is told (StaleError), whatever threads, tabs or processes they come from.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

Expected = tuple[int, ...] | Literal["any", "present", "absent"]  # one of these revisions, or what must be there

_ONE: Final = "SELECT id, revision, created_ms, updated_ms, body FROM documents WHERE kind = ? AND owner = ? AND id = ?"
_ALL: Final = (
    "SELECT id, revision, created_ms, updated_ms, body FROM documents WHERE kind = ? AND owner = ?"
    " ORDER BY created_ms, id"
)


class Document(Struct, frozen=True):
    id: str
    revision: int
    created_ms: int
    updated_ms: int
    body: Mapping[str, Any]


class StaleError(Exception):
    """Somebody else changed it meanwhile (`present`: how it is now), or it is not there (`present` None)."""

    def __init__(self, present: Document | None) -> None:
        super().__init__("changed meanwhile" if present is not None else "not there")
        self.present = present


class TooManyError(Exception):
    """There are as many of this kind as there may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are {limit} already, which is the limit")
        self.limit = limit


def all_documents(connection: sqlite3.Connection, kind: str, owner: str = "") -> list[Document]:
    """In order of creation."""
    return [_document(row) for row in connection.execute(_ALL, (kind, owner))]


def documents_of_kind(connection: sqlite3.Connection, kind: str) -> list[tuple[str, Document]]:
    """Everybody's, with their owners."""
    rows = connection.execute(
        "SELECT owner, id, revision, created_ms, updated_ms, body FROM documents WHERE kind = ? ORDER BY owner, id",
        (kind,),
    )
    return [(owner, _document(row)) for owner, *row in rows]


def document(connection: sqlite3.Connection, kind: str, id_: str, owner: str = "") -> Document | None:
    row = connection.execute(_ONE, (kind, owner, id_)).fetchone()
    return None if row is None else _document(row)


def put_document(
    connection: sqlite3.Connection,
    kind: str,
    id_: str,
    body: Mapping[str, Any],
    *,
    owner: str = "",
    expected: Expected,
    now_ms: int,
    limit: int,
) -> Document:
    """Create or change. Raises StaleError, TooManyError."""
    present = document(connection, kind, id_, owner)
    _check(present, expected)
    if present is None:
        count = connection.execute(
            "SELECT count(*) FROM documents WHERE kind = ? AND owner = ?", (kind, owner)
        ).fetchone()[0]
        if count >= limit:
            raise TooManyError(limit)
    created_ms = now_ms if present is None else present.created_ms
    # By the clock, so that a store which began anew in memory gives none that an older tab may hold.
    connection.execute("UPDATE counters SET value = max(value + 1, ?) WHERE name = 'revision'", (now_ms,))
    revision = connection.execute("SELECT value FROM counters WHERE name = 'revision'").fetchone()[0]
    text = json.dumps(dict(body), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    connection.execute(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
        (kind, owner, id_, revision, created_ms, now_ms, text),
    )
    return Document(id_, revision, created_ms, now_ms, body)


def delete_document(
    connection: sqlite3.Connection, kind: str, id_: str, *, owner: str = "", expected: Expected
) -> None:
    """Raises StaleError."""
    present = document(connection, kind, id_, owner)
    _check(present, "present" if expected == "any" else expected)
    connection.execute("DELETE FROM documents WHERE kind = ? AND owner = ? AND id = ?", (kind, owner, id_))


def _check(present: Document | None, expected: Expected) -> None:
    match expected:
        case "any":
            fits = True
        case "present":
            fits = present is not None
        case "absent":
            fits = present is None
        case revisions:
            fits = present is not None and present.revision in revisions
    if not fits:
        raise StaleError(present)


def _document(row: Sequence[Any]) -> Document:
    id_, revision, created_ms, updated_ms, body = row
    return Document(id_, revision, created_ms, updated_ms, json.loads(body))
