"""Reading samples out of the archive: chunks, journal and rows of analytics_metrics as one.

What is newer wins: rows over the journal, the journal over chunks. Where samples were thinned to buckets, `read_window`
gives the mean of each bucket at its start, and `read_buckets` the bucket itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .chunk import ChunkError, Run, Thinned, directory
from .damage import Damage
from .grid import coarser, combined, merged_windows, sum_up
from .intake import rising
from .models import EMPTY_WINDOW, Buckets, Window
from .packing import outside
from .sqlite_chunks import chunks_of, newest_of, packs, runs_in
from .sqlite_journal import JournalView
from .sqlite_names import Names, Rows
from .sqlite_rows import row_names, row_window


class Reading:
    """One connection's way to read. Each method inside a snapshot, after `begin`."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self.names = Names(damage)
        self.journal = JournalView(damage)

    def begin(self, rows: Rows) -> None:
        """Learn what has been committed since."""
        self.names.refresh(rows)

    def window(self, rows: Rows, name: str, start_ms: int, end_ms: int, limit: int | None) -> Window:
        """Times strictly rising; with `limit`: the newest."""
        samples, thinned = self._found(rows, name, start_ms, end_ms, limit)
        for buckets in _buckets_of(thinned, start_ms, end_ms):
            samples = merged_windows(Window(buckets.starts, buckets.total / buckets.count), samples)
        if limit is not None:
            samples = Window(samples.times[-limit:], samples.values[-limit:])
        samples.times.flags.writeable = samples.values.flags.writeable = False
        return samples

    def buckets(self, rows: Rows, name: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        samples, thinned = self._found(rows, name, start_ms, end_ms, None)
        parts = [coarser(buckets, step_ms) for buckets in _buckets_of(thinned, start_ms, end_ms)]
        return combined([*parts, sum_up(samples, step_ms)], step_ms)

    def stored(self, rows: Rows) -> set[str]:
        """The name of every metric with at least one sample."""
        ids = {row[0] for row in rows("SELECT DISTINCT metric_id FROM analytics_chunks WHERE level = 0")}
        ids.update(self.journal.counts(rows))
        for pack in packs(rows):
            try:
                ids.update(directory(pack.chunk)[0].tolist())
            except ChunkError:
                runs_in(pack, self._damage)  # notes it
        return {self.names.name_of(metric_id) for metric_id in ids}.union(row_names(rows))

    def _found(
        self, rows: Rows, name: str, start_ms: int, end_ms: int, limit: int | None
    ) -> tuple[Window, list[Thinned]]:
        samples, thinned = EMPTY_WINDOW, []
        metric_id = self.names.id_of(name)
        if metric_id is not None:
            if limit is None:
                runs = [
                    (stored.chunk_id, run)
                    for stored in chunks_of(rows, metric_id, start_ms, end_ms)
                    for run in runs_in(stored, self._damage, only=metric_id)
                ]
                runs.sort(key=lambda item: item[0])
                found: Sequence[Run] = [run for _, run in runs]
            else:
                found = newest_of(rows, metric_id, start_ms, end_ms, limit, self._damage)
            samples = _joined([run.data for run in found if isinstance(run.data, Window)], start_ms, end_ms)
            thinned = [run.data for run in found if isinstance(run.data, Thinned)]
            samples = merged_windows(samples, self.journal.window(rows, metric_id, start_ms, end_ms))
        samples = merged_windows(samples, row_window(rows, name, start_ms, end_ms, limit))
        return outside(samples, thinned), thinned


def _joined(windows: Sequence[Window], start_ms: int, end_ms: int) -> Window:
    """Runs of one metric, the older chunk first, as one, cut to the span."""
    parts = []
    for window in windows:
        first, end = window.times.searchsorted((start_ms, end_ms))
        if first < end:
            parts.append(Window(window.times[first:end], window.values[first:end]))
    if len(parts) < 2:
        return parts[0] if parts else EMPTY_WINDOW
    in_order = sorted(parts, key=lambda part: int(part.times[0]))
    if all(one.times[-1] < other.times[0] for one, other in pairwise(in_order)):
        parts = in_order
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    return Window(*rising(times, values))


def _buckets_of(thinned: Sequence[Thinned], start_ms: int, end_ms: int) -> list[Buckets]:
    """Of each step width its buckets that start in the span, each once."""
    by_step: dict[int, list[Buckets]] = {}
    for each in thinned:
        buckets = each.buckets
        cut = slice(*buckets.starts.searchsorted((start_ms, end_ms)).tolist())
        if cut.start < cut.stop:
            by_step.setdefault(buckets.step_ms, []).append(
                Buckets(
                    buckets.step_ms,
                    buckets.starts[cut],
                    buckets.count[cut],
                    buckets.total[cut],
                    buckets.minimum[cut],
                    buckets.maximum[cut],
                )
            )
    return [combined(parts, step_ms) for step_ms, parts in sorted(by_step.items())]
