"""The journal: each commit of more than a few samples as one compressed row, and how readers look into it.

A commit of 1,000 samples writes two or three pages this way; as rows of a table it would be some forty. What the
journal holds is newer than the chunks and older than the rows of analytics_metrics.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .chunk import Run, encode
from .column import QUICK
from .damage import Damage
from .grid import merged_windows
from .intake import rising
from .models import EMPTY_WINDOW, SeriesPart, Times, Values, Window
from .sqlite_chunks import JournalRow, journal_columns, journal_spans, put_journal
from .sqlite_names import Rows
from .sqlite_rows import row_count, take_all, take_window

CACHE_BYTES: Final = 4 << 20  # unpacked rows kept at hand: a start reads the whole journal several times over
FEW_ROWS: Final = 1_000  # up to here all rows of analytics_metrics go along with the next larger commit
MOST_SAMPLES: Final = 65_536  # in one row
_METADATA: Final = "INSERT OR REPLACE INTO analytics_series_metadata (metric_id, metadata) VALUES (?, ?)"

Columns = tuple[NDArray[np.int64], Times, Values]


def gathered(rows: Rows, parts: Iterable[SeriesPart]) -> tuple[dict[str, Window], dict[str, str]]:
    """`parts` by metric, with the rows of analytics_metrics that must not come to lie over them, which are deleted;
    and the latest metadata of each metric that has some. Raises UnicodeEncodeError."""
    windows: dict[str, Window] = {}
    metadata: dict[str, str] = {}
    count = row_count(rows, FEW_ROWS + 1)
    if 0 < count <= FEW_ROWS:
        parts = (*take_all(rows), *parts)
    for part in parts:
        window = Window(*rising(part.times, part.values))
        if not len(window):
            continue
        if count > FEW_ROWS:  # a file of the first form, whose rows become chunks in the background
            older = take_window(rows, part.name, int(window.times[0]), int(window.times[-1]) + 1)
            window = merged_windows(Window(older.times, older.values), window)
            if older.metadata is not None:
                metadata.setdefault(part.name, older.metadata)
        windows[part.name] = merged_windows(windows.get(part.name), window)
        if part.metadata is not None:
            metadata[part.name] = part.metadata
    return windows, metadata


def put_samples(connection: sqlite3.Connection, samples: Mapping[int, Window]) -> None:
    """One row, or a few when there are very many."""
    runs: list[Run] = []
    held = 0
    for metric_id in sorted(samples):
        runs.append(Run(metric_id, samples[metric_id]))
        held += len(samples[metric_id])
        if held >= MOST_SAMPLES:
            put_journal(connection, encode(runs, QUICK))
            runs, held = [], 0
    if runs:
        put_journal(connection, encode(runs, QUICK))


def put_metadata(rows: Rows, ids: Mapping[str, int], metadata: Mapping[str, str]) -> None:
    for name, text in metadata.items():
        rows(_METADATA, ids[name], text)


class JournalView:
    """One connection's look at the journal: what each row spans, and the last rows it has unpacked."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._version = -1
        self._spans: Sequence[JournalRow] = ()
        self._unpacked: OrderedDict[JournalRow, Columns] = OrderedDict()
        self._bytes = 0

    def spans(self, rows: Rows) -> Sequence[JournalRow]:
        """In order of commit. Inside a snapshot."""
        version = rows("PRAGMA data_version")[0][0]
        if version != self._version:
            self._spans = journal_spans(rows)
            self._version = version
        return self._spans

    def window(self, rows: Rows, metric_id: int, start_ms: int, end_ms: int) -> Window:
        """The metric's samples in [start, end)."""
        times: list[Times] = []
        values: list[Values] = []
        for row in self.spans(rows):
            if row.metric_id <= metric_id <= row.last_metric_id and row.start_ms < end_ms and row.end_ms >= start_ms:
                ids, all_times, all_values = self._columns(rows, row)
                first, end = ids.searchsorted((metric_id, metric_id + 1))  # a commit's runs lie in order of metric
                if first < end:
                    low, high = all_times[first:end].searchsorted((start_ms, end_ms))
                    times.append(all_times[first + low : first + high])
                    values.append(all_values[first + low : first + high])
        if not times:
            return EMPTY_WINDOW
        return Window(*rising(np.concatenate(times), np.concatenate(values)))

    def counts(self, rows: Rows) -> dict[int, int]:
        """How many samples each metric has in it."""
        counts: dict[int, int] = {}
        for row in self.spans(rows):
            ids, found = np.unique(self._columns(rows, row)[0], return_counts=True)
            for metric_id, count in zip(ids.tolist(), found.tolist(), strict=True):
                counts[metric_id] = counts.get(metric_id, 0) + count
        return counts

    def _columns(self, rows: Rows, row: JournalRow) -> Columns:
        found = self._unpacked.get(row)
        if found is not None:
            self._unpacked.move_to_end(row)
            return found
        nothing = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
        columns: Columns = next((each for _, each in journal_columns(rows, [row.journal_id], self._damage)), nothing)
        self._unpacked[row] = columns
        self._bytes += _size(columns)
        while self._bytes > CACHE_BYTES and len(self._unpacked) > 1:
            self._bytes -= _size(self._unpacked.popitem(last=False)[1])
        return columns


def _size(columns: Columns) -> int:
    return sum(column.nbytes for column in columns) + 500
