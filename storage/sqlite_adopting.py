"""Packed rows saved out of a damaged file, on their way into a new one.

What the new file has already was written later and stays; the rest finds its place as any late sample does. Ids of
metrics are the same in every file (sqlite_names.py), so nothing needs to be translated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from .chunk import Chunk, ChunkError, Run, decode
from .compaction import Step, apply, near
from .damage import Damage
from .grid import merged_windows
from .models import Window
from .packing import Source, plan_store
from .sqlite_chunks import CHUNKS, JOURNAL, put_chunk
from .sqlite_names import TABLE as SERIES
from .sqlite_names import Names, fetcher, unpacked_names

METADATA: Final = "analytics_series_metadata"
PACKED: Final = frozenset((CHUNKS, JOURNAL, SERIES, METADATA))
_NUMBERS: Final = ("metric_id", "last_metric_id", "start_ms", "end_ms", "count", "codec", "crc", "data")

SavedRow = Mapping[str, Any]  # column -> value


def problem_of(table: str, row: SavedRow) -> str | None:
    """What is wrong with a row of a packed table, in words; None when it is whole."""
    if table == SERIES:
        return None if unpacked_names(row.get("names", b""), row.get("crc", 0)) is not None else f"names of {table}"
    if table not in (CHUNKS, JOURNAL):
        return None
    try:
        decode(_chunk(row))
    except (ChunkError, KeyError) as error:
        numbers = {name: row.get(name) for name in ("metric_id", "start_ms", "end_ms", "count")}
        return f"a row of {table} ({numbers}): {error}"
    return None


def adopt_packed(connection: sqlite3.Connection, table: str, rows: Sequence[SavedRow], names: Names) -> int:
    """Store rows of one of `PACKED` that were saved; damaged ones are passed over. Inside a transaction. Returns how
    many samples were taken."""
    fetch = fetcher(connection)
    whole = [row for row in rows if problem_of(table, row) is None]
    if table == SERIES:
        names.refresh(fetch)
        saved = [unpacked_names(row["names"], row["crc"]) or [] for row in whole]
        names.ids_for(fetch, dict.fromkeys(name for group in saved for name in group))
        return 0
    if table == METADATA:
        for row in whole:
            connection.execute(
                "INSERT OR IGNORE INTO analytics_series_metadata (metric_id, metadata) VALUES (?, ?)",
                (row["metric_id"], row["metadata"]),
            )
        return 0
    return sum(_adopt(connection, _chunk(row), int(row.get("level", 1)), int(row.get("tier", 0))) for row in whole)


def _adopt(connection: sqlite3.Connection, chunk: Chunk, level: int, tier: int) -> int:
    damage = Damage()
    fetch = fetcher(connection)
    runs = decode(chunk)
    samples: dict[int, Window] = {}
    for run in runs:
        if isinstance(run.data, Window):
            samples[run.metric_id] = merged_windows(samples.get(run.metric_id), run.data)
    if not samples:  # buckets: as they are, unless they are there
        known = fetch(
            "SELECT 1 FROM analytics_chunks WHERE metric_id = ? AND start_ms = ? AND end_ms = ? AND crc = ?",
            chunk.metric_id,
            chunk.start_ms,
            chunk.end_ms,
            chunk.crc,
        )
        if not known:
            put_chunk(connection, chunk, level, tier)
        return 0 if known else chunk.count
    there = near(fetch, samples, damage)
    new = {metric_id: _lacking(window, metric_id, there) for metric_id, window in samples.items()}
    new = {metric_id: window for metric_id, window in new.items() if len(window)}
    apply(connection, Step(plan_store(new, there)))
    return sum(map(len, new.values()))


def _lacking(window: Window, metric_id: int, there: Sequence[Source]) -> Window:
    stored: list[Run] = [run for source in there for run in source.runs if run.metric_id == metric_id]
    keep = np.ones(len(window), dtype=np.bool_)
    for run in stored:
        if isinstance(run.data, Window):
            keep &= ~np.isin(window.times, run.data.times, assume_unique=True)
    return Window(window.times[keep], window.values[keep])


def _chunk(row: SavedRow) -> Chunk:
    return Chunk(**{name: row[name] for name in _NUMBERS})
