"""How an append reaches the file: as rows, as one row of the journal, or straight into chunks.

- A commit of a few samples goes into analytics_metrics as the seed has it, until some hundred rows have gathered.
- A larger one becomes one compressed row of the journal, together with those rows.
- A long part of one metric (a backfill by columns) goes into chunks at once, unless the journal holds samples of that
  time, whichever the metric: then the order of commits must be kept, and it takes the way through the journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from .archive import PoisonError
from .compaction import Stale, Step, apply, near
from .damage import Damage
from .models import SeriesPart, Window
from .packing import OWN_SAMPLES, plan_store
from .sqlite_chunks import journal_spans
from .sqlite_journal import FEW_ROWS, gathered, put_metadata, put_samples
from .sqlite_names import Names, fetcher
from .sqlite_rows import put_rows, row_count, row_names, take_oldest

SMALL_COMMIT: Final = 100  # samples: as rows they take no more pages than compressed
ROWS_KEPT: Final = 400  # with more of them a small commit goes into the journal, and they with it
ROWS_STEP: Final = 50_000  # rows of a file of the first form packed in one transaction
EXACT_MS: Final = 2**52  # whole milliseconds below it survive the way through seconds as REAL
_JOURNAL_SPAN: Final = "SELECT min(start_ms), max(end_ms) FROM analytics_journal"


class Writing:
    """The writing connection's side of an archive. Every method inside a transaction, in the connection's thread."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._names = Names(damage)
        self.generation = 0  # rises whenever chunks are about to change

    def put(self, connection: sqlite3.Connection, parts: Sequence[SeriesPart]) -> None:
        """Raises PoisonError, and UnicodeEncodeError for a name that is no text."""
        _check(parts)
        size = sum(map(len, parts))
        rows = fetcher(connection)
        if size <= SMALL_COMMIT and not _has_minus_zero(parts) and row_count(rows, ROWS_KEPT) < ROWS_KEPT:
            put_rows(connection, parts)
            return
        samples, metadata = gathered(rows, parts)
        self._names.refresh(rows)
        ids = self._names.ids_for(rows, samples)
        put_metadata(rows, ids, metadata)
        by_id = {ids[name]: window for name, window in samples.items()}
        straight = self._straight(connection, by_id)
        if straight:
            self.generation += 1
            apply(connection, Step(plan_store(straight, near(rows, straight, self._damage))))
        put_samples(connection, {key: window for key, window in by_id.items() if key not in straight})

    def pack_rows(self, connection: sqlite3.Connection) -> int:
        """A file of the first form, every sample a row: the oldest rows of one metric become chunks. Returns how many.

        Does nothing while there are only the few rows of a file of this form. Raises Stale when the journal holds
        samples of that time: it must not come to lie over newer ones, so it is packed first.
        """
        rows = fetcher(connection)
        if row_count(rows, FEW_ROWS + 1) <= FEW_ROWS:
            return 0
        name = row_names(rows)[0]
        part = take_oldest(rows, name, ROWS_STEP)
        if any(row.start_ms <= part.times[-1] and row.end_ms >= part.times[0] for row in journal_spans(rows)):
            raise Stale
        self._names.refresh(rows)
        ids = self._names.ids_for(rows, [name])
        if part.metadata is not None:
            put_metadata(rows, ids, {name: part.metadata})
        new = {ids[name]: Window(part.times, part.values)}
        apply(connection, Step(plan_store(new, near(rows, new, self._damage))))
        return len(part)

    def _straight(self, connection: sqlite3.Connection, samples: Mapping[int, Window]) -> dict[int, Window]:
        long = {key: window for key, window in samples.items() if len(window) >= OWN_SAMPLES}
        if long:
            first_ms, last_ms = connection.execute(_JOURNAL_SPAN).fetchone()
            if first_ms is not None:
                long = {
                    key: window
                    for key, window in long.items()
                    if window.times[-1] < first_ms or window.times[0] > last_ms
                }
        return long


def _has_minus_zero(parts: Sequence[SeriesPart]) -> bool:
    """SQLite stores -0.0 as the integer 0; compressed it keeps its sign."""
    return any(bool((np.signbit(part.values) & (part.values == 0.0)).any()) for part in parts)


def _check(parts: Sequence[SeriesPart]) -> None:
    """Raises PoisonError."""
    for part in parts:
        if not np.isfinite(part.values).all():
            raise PoisonError(f"{part.name!r} has a value that is not a finite number")
        if len(part.times) and not -EXACT_MS < part.times.min() <= part.times.max() < EXACT_MS:
            raise PoisonError(f"{part.name!r} has a time beyond what can be stored exactly")
