"""The names of metrics in the archive: numbers stand for them in journal and chunks.

A `Names` belongs to one connection and learns what others have added before each use (`refresh`). Ids are given once
and never again to another name. Names lie compressed in groups, since their texts alike take more room than the samples
of a metric that seldom speaks.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from .damage import Damage

Rows = Callable[..., list[tuple[Any, ...]]]  # (sql, *parameters) -> every row
TABLE: Final = "analytics_series"
GROUP_NAMES: Final = 256  # in one row: so many at most lose their names by one damaged row
_NEW: Final = "SELECT first_id, count, crc, names FROM analytics_series WHERE first_id >= ? ORDER BY first_id"
_ADD: Final = "INSERT INTO analytics_series (first_id, count, crc, names) VALUES (?, ?, ?, ?)"


def fetcher(connection: sqlite3.Connection) -> Rows:
    """How functions that read fetch from the connection of a transaction."""

    def rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return connection.execute(sql, parameters).fetchall()

    return rows


class Names:
    """See the module docstring."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._next = 1

    def refresh(self, rows: Rows) -> None:
        """Learn the names that were committed since the last call."""
        for first_id, count, crc, blob in rows(_NEW, self._next):
            names = _unpacked(blob, count, crc)
            if names is None:
                self._damage.note(TABLE, first_id, f"the names of {count} metrics can't be read")
                names = [f"unnamed.{first_id + index}" for index in range(count)]
            for index, name in enumerate(names):
                self._ids[name] = first_id + index
                self._names[first_id + index] = name
            self._next = first_id + count

    def id_of(self, name: str) -> int | None:
        return self._ids.get(name)

    def name_of(self, metric_id: int) -> str:
        return self._names.get(metric_id, f"unnamed.{metric_id}")

    def ids_for(self, rows: Rows, names: Iterable[str]) -> dict[str, int]:
        """The id of each, new ones given; call `refresh` first in the same transaction. What a transaction that is
        rolled back has given is not remembered. Raises UnicodeEncodeError for what is no text."""
        found: dict[str, int] = {}
        fresh: list[str] = []
        for name in names:
            known = self._ids.get(name)
            if known is None:
                known = self._next + len(fresh)
                fresh.append(name)
            found[name] = known
        for first in range(0, len(fresh), GROUP_NAMES):
            group = fresh[first : first + GROUP_NAMES]
            text = json.dumps(group, ensure_ascii=False, separators=(",", ":")).encode()
            rows(_ADD, self._next + first, len(group), zlib.crc32(text), zlib.compress(text, 9))
        return found


def _unpacked(blob: bytes, count: int, crc: int) -> list[str] | None:
    try:
        text = zlib.decompress(blob)
        if zlib.crc32(text) != crc:
            return None
        names: list[str] = json.loads(text)
    except (TypeError, ValueError, zlib.error):
        return None
    return names if len(names) == count else None
