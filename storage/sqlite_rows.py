"""The samples that lie in analytics_metrics as rows: what the latest small commits brought, as the seed has it.

SQL of that one table. It stays small: when a larger commit comes, or a few hundred rows have gathered, they go into
the journal with it. What stands here is newer than the journal and the chunks: of two samples with one time it wins.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

import numpy as np

from .models import SeriesPart, Window
from .sqlite_names import Rows

GROUP_ROWS: Final = 256  # rows in one INSERT: each statement gives up the interpreter lock and has to win it back
_SPAN: Final = "FROM analytics_metrics WHERE metric_name = ? AND timestamp >= ? AND timestamp < ?"
_WINDOW: Final = f"SELECT timestamp, value {_SPAN} ORDER BY timestamp"
_NEWEST: Final = f"SELECT timestamp, value {_SPAN} ORDER BY timestamp DESC LIMIT ?"
_TAKE: Final = f"DELETE {_SPAN}"
_TEXT: Final = f"SELECT metadata {_SPAN} AND metadata IS NOT NULL ORDER BY timestamp DESC LIMIT 1"
_TEXTS: Final = "SELECT metric_name, metadata FROM analytics_metrics WHERE metadata IS NOT NULL ORDER BY timestamp"
_COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM analytics_metrics LIMIT ?)"
_ALL: Final = "SELECT metric_name, timestamp, value, metadata FROM analytics_metrics ORDER BY metric_name, timestamp"
_EDGE: Final = (
    "SELECT timestamp FROM analytics_metrics WHERE metric_name = ? AND timestamp < ?"
    " ORDER BY timestamp LIMIT 1 OFFSET ?"
)
_NAMES: Final = """
    WITH RECURSIVE known(name) AS (
        SELECT min(metric_name) FROM analytics_metrics
        UNION ALL
        SELECT (SELECT min(metric_name) FROM analytics_metrics WHERE metric_name > known.name)
        FROM known WHERE known.name IS NOT NULL
    )
    SELECT name FROM known WHERE name IS NOT NULL"""


def put_rows(connection: sqlite3.Connection, parts: Sequence[SeriesPart]) -> None:
    values = chain.from_iterable(map(_flat_rows, parts))
    rest = sum(map(len, parts))
    size = GROUP_ROWS
    while rest:
        while size > rest:
            size //= 2
        connection.execute(_put_sql(size), tuple(islice(values, 4 * size)))
        rest -= size


def row_count(rows: Rows, most: int) -> int:
    """How many there are, counted up to `most`."""
    count: int = rows(_COUNT, most)[0][0]
    return count


def row_names(rows: Rows) -> list[str]:
    return [name for (name,) in rows(_NAMES)]


def row_metadata(rows: Rows) -> dict[str, str]:
    """The latest of each metric of which some row has any."""
    return dict(rows(_TEXTS))


def row_window(rows: Rows, name: str, start_ms: int, end_ms: int, limit: int | None = None) -> Window:
    if limit is None:
        found = rows(_WINDOW, name, start_ms / 1000, end_ms / 1000)
    else:
        found = rows(_NEWEST, name, start_ms / 1000, end_ms / 1000, limit)[::-1]
    return _window(found)


def take_window(rows: Rows, name: str, start_ms: int, end_ms: int) -> SeriesPart:
    """The rows of that span, deleted, with their latest metadata."""
    window = row_window(rows, name, start_ms, end_ms)
    text: list[tuple[str]] = []
    if len(window):
        text = rows(_TEXT, name, start_ms / 1000, end_ms / 1000)
        rows(_TAKE, name, start_ms / 1000, end_ms / 1000)
    return SeriesPart(name, window.times, window.values, text[0][0] if text else None)


def take_all(rows: Rows) -> list[SeriesPart]:
    """Every row, deleted; each part with the latest metadata of its metric."""
    grouped: dict[str, tuple[list[tuple[float, float]], list[str | None]]] = {}
    for name, timestamp, value, metadata in rows(_ALL):
        samples, texts = grouped.setdefault(name, ([], [None]))
        samples.append((timestamp, value))
        if metadata is not None:
            texts[0] = metadata
    rows("DELETE FROM analytics_metrics")
    parts = []
    for name, (samples, texts) in grouped.items():
        window = _window(samples)
        parts.append(SeriesPart(name, window.times, window.values, texts[0]))
    return parts


def take_oldest(rows: Rows, name: str, most: int) -> SeriesPart:
    """The oldest `most` rows of one metric, deleted."""
    edge = rows(_EDGE, name, float("inf"), most)
    end_ms = round(edge[0][0] * 1000) if edge else 2**52
    return take_window(rows, name, -(2**52), end_ms)


def purge_rows(connection: sqlite3.Connection, before_s: float, most: int) -> int:
    """Delete up to `most` rows, metric by metric, the oldest first."""
    gone = 0
    for (name,) in connection.execute(_NAMES).fetchall():
        if gone >= most:
            break
        edge = connection.execute(_EDGE, (name, before_s, most - gone)).fetchone()
        bound_s = before_s if edge is None else edge[0]
        gone += connection.execute(
            "DELETE FROM analytics_metrics WHERE metric_name = ? AND timestamp < ?", (name, bound_s)
        ).rowcount
    return gone


def _flat_rows(part: SeriesPart) -> Iterator[str | float | None]:
    """name, value, metadata, timestamp, name, value ..."""
    for value, time_s in zip(part.values.tolist(), (part.times / 1000.0).tolist(), strict=True):
        yield part.name
        yield value
        yield part.metadata
        yield time_s


def _put_sql(rows: int) -> str:
    return (  # the text holds no content, only as many places as there are rows
        "INSERT INTO analytics_metrics (metric_name, value, metadata, timestamp) VALUES "  # noqa: S608
        + ", ".join(["(?, ?, ?, ?)"] * rows)
        + " ON CONFLICT (metric_name, timestamp) DO UPDATE SET value = excluded.value, metadata = excluded.metadata"
    )


def _window(rows: Sequence[tuple[float, float]]) -> Window:
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 2)
    times = np.rint(table[:, 0] * 1000.0).astype(np.int64)
    values = table[:, 1].copy()
    times.flags.writeable = values.flags.writeable = False
    return Window(times, values)
