"""The names of metrics in the archive: numbers stand for them in journal and chunks.

The number is a hash of the name, so that it is the same in every file: what is saved out of a damaged one, or copied
from another, needs no translation, and a name whose row is lost comes back with the metric's next sample. Should two
names meet in one number (once in 100,000 archives of 5,000 metrics), the later one takes the next free number.

A `Names` belongs to one connection and learns what others have added before each use (`refresh`). Names lie compressed
in groups: the text of a metric that seldom speaks would take more room than its samples.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

from .damage import Damage

Rows = Callable[..., list[tuple[Any, ...]]]  # (sql, *parameters) -> every row
TABLE: Final = "analytics_series"
GROUP_NAMES: Final = 256  # in one row: so many at most lose their names by one damaged row
HASH_BYTES: Final = 5
_MADE_UP: Final = re.compile(r"unnamed\.([0-9a-f]{10})")
_NEW: Final = "SELECT series_id, crc, names FROM analytics_series WHERE series_id > ? ORDER BY series_id"
_ADD: Final = "INSERT INTO analytics_series (crc, names) VALUES (?, ?)"


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
        self._seen = 0  # the last row that was read

    def refresh(self, rows: Rows) -> None:
        """Learn the names that were committed since the last call."""
        for series_id, crc, blob in rows(_NEW, self._seen):
            names = unpacked_names(blob, crc)
            if names is None:
                self._damage.note(TABLE, series_id, "the names of some metrics can't be read")
            for name in names or ():
                if name not in self._ids:
                    self._ids[name] = metric_id = self._free_id(name, ())
                    self._names[metric_id] = name
            self._seen = series_id

    def id_of(self, name: str) -> int | None:
        """Also of a made-up name, so that its history can be read."""
        known = self._ids.get(name)
        if known is None and (made_up := _MADE_UP.fullmatch(name)):
            return int(made_up[1], 16)
        return known

    def name_of(self, metric_id: int) -> str:
        """A made-up one where the name is lost."""
        return self._names.get(metric_id, f"unnamed.{metric_id:010x}")

    def ids_for(self, rows: Rows, names: Iterable[str]) -> dict[str, int]:
        """The id of each, new names stored; call `refresh` first in the same transaction. What a transaction that is
        rolled back has given is not remembered. Raises UnicodeEncodeError for what is no text."""
        found: dict[str, int] = {}
        fresh: dict[int, str] = {}
        for name in names:
            known = self._ids.get(name)
            if known is None:
                known = self._free_id(name, fresh)
                fresh[known] = name
            found[name] = known
        for crc, blob in packed_names(list(fresh.values())):
            rows(_ADD, crc, blob)
        return found

    def _free_id(self, name: str, given: Container[int]) -> int:
        metric_id = hashed(name)
        while metric_id in self._names or metric_id in given:
            metric_id += 1
        return metric_id


def hashed(name: str) -> int:
    """1 ... 2**40. Raises UnicodeEncodeError for what is no text."""
    return int.from_bytes(blake2b(name.encode(), digest_size=HASH_BYTES).digest(), "big") + 1


def packed_names(names: list[str]) -> Iterator[tuple[int, bytes]]:
    """(CRC, blob) of each row they make."""
    for first in range(0, len(names), GROUP_NAMES):
        text = json.dumps(names[first : first + GROUP_NAMES], ensure_ascii=False, separators=(",", ":")).encode()
        yield zlib.crc32(text), zlib.compress(text, 9)


def unpacked_names(blob: bytes, crc: int) -> list[str] | None:
    """None when the row is damaged."""
    try:
        text = zlib.decompress(blob)
        if zlib.crc32(text) != crc:
            return None
        names: list[str] = json.loads(text)
    except (TypeError, ValueError, zlib.error):
        return None
    return names
