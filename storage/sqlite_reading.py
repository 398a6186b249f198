"""Reading samples out of the archive: chunks, journal and rows of analytics_metrics as one.

What is newer wins: rows over the journal, the journal over chunks. Where samples were thinned to buckets, `read_window`
gives the mean of each bucket at its start, and `read_buckets` the bucket itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np

from .bucket_cache import BucketCache
from .chunk import SAMPLES, ChunkError, Thinned, directory
from .damage import Damage
from .grid import coarser, combined, merged_windows, sum_up
from .intake import rising
from .models import EMPTY_WINDOW, Buckets, Window
from .packing import outside
from .sqlite_chunks import (
    CHUNKS,
    JOURNAL,
    Head,
    amounts_of,
    by_ids,
    chunk_at,
    chunks_of,
    damaged_words,
    heads_of,
    newest_of,
    runs_in,
)
from .sqlite_journal import JournalView
from .sqlite_names import Names, Rows
from .sqlite_rows import row_metadata, row_names, row_window


class Reading:
    """One connection's way to read. Each method inside a snapshot, after `begin`."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self.names = Names(damage)
        self.journal = JournalView(damage)
        self._summed = BucketCache()
        self._metrics_in: dict[tuple[str, int, int], frozenset[int]] = {}  # (table, row, crc) of packs and commits

    def begin(self, rows: Rows) -> None:
        """Learn what has been committed since."""
        self.names.refresh(rows)

    def window(self, rows: Rows, name: str, start_ms: int, end_ms: int, limit: int | None) -> Window:
        """Times strictly rising; with `limit`: the newest."""
        runs, thinned = self._found(rows, name, start_ms, end_ms, limit)
        samples = _joined(runs)
        for buckets in _buckets_of(thinned, start_ms, end_ms):
            samples = merged_windows(Window(buckets.starts, buckets.total / buckets.count), samples)
        if limit is not None:
            samples = Window(samples.times[-limit:], samples.values[-limit:])
        samples.times.flags.writeable = samples.values.flags.writeable = False
        return samples

    def bound(self, rows: Rows, name: str, start_ms: int, end_ms: int, samples: int) -> int:
        """See `Archive.bound`. What has not been packed yet does not count: there is little of it."""
        metric_id = self.names.id_of(name)
        held = 0
        for chunk_end_ms, amount in amounts_of(rows, metric_id, start_ms, end_ms) if metric_id is not None else ():
            held += amount
            if held >= samples:
                return min(chunk_end_ms + 1, end_ms)
        return end_ms

    def buckets(self, rows: Rows, name: str, start_ms: int, end_ms: int, step_ms: int) -> Buckets:
        metric_id = self.names.id_of(name)
        parts: list[Buckets] = []
        at_hand: list[Head] = []
        if metric_id is not None:
            at_hand, parts = self._whole_chunks(rows, metric_id, name, start_ms, end_ms, step_ms)
        runs, thinned = self._found(rows, name, start_ms, end_ms, None, {head.chunk_id for head in at_hand})
        if any(head.start_ms <= span.last_ms and head.end_ms >= span.first_ms for span in thinned for head in at_hand):
            parts = []  # samples that came late for a thinned span: not every one of them counts
            runs, thinned = self._found(rows, name, start_ms, end_ms, None)
        parts += [coarser(buckets, step_ms) for buckets in _buckets_of(thinned, start_ms, end_ms)]
        return combined([*parts, *(sum_up(run, step_ms) for run in runs)], step_ms)

    def thinned(self, rows: Rows, name: str, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """See `Archive.thinned`."""
        found = [each.buckets for each in self._found(rows, name, start_ms, end_ms, None)[1]]
        spans: list[tuple[int, int]] = []
        for first_ms, last_ms in sorted((int(b.starts[0]), int(b.starts[-1]) + b.step_ms) for b in found):
            if spans and first_ms <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(spans[-1][1], last_ms)
            else:
                spans.append((first_ms, last_ms))
        return [
            (max(first, start_ms), min(last, end_ms)) for first, last in spans if first < end_ms and last > start_ms
        ]

    def _whole_chunks(
        self, rows: Rows, metric_id: int, name: str, start_ms: int, end_ms: int, step_ms: int
    ) -> tuple[list[Head], list[Buckets]]:
        """Chunks of samples that lie in the span and that nothing else reaches into: which, and their buckets."""
        heads = heads_of(rows, metric_id, start_ms, end_ms)
        recent = merged_windows(
            self.journal.window(rows, metric_id, start_ms, end_ms), row_window(rows, name, start_ms, end_ms)
        ).times
        done: list[Head] = []
        found: list[Buckets] = []
        reached_ms = start_ms - 1  # by the chunks before
        for index, head in enumerate(heads):
            before_ms, reached_ms = reached_ms, max(reached_ms, head.end_ms)
            first, end = recent.searchsorted((head.start_ms, head.end_ms + 1))
            if (
                head.codec != SAMPLES
                or head.start_ms < start_ms
                or head.end_ms >= end_ms
                or first < end
                or before_ms >= head.start_ms
                or (index + 1 < len(heads) and heads[index + 1].start_ms <= head.end_ms)
            ):
                continue
            key = head.chunk_id, head.crc, step_ms
            buckets = self._summed.get(key)
            if buckets is None:
                runs = [run for each in by_ids(rows, [head.chunk_id]) for run in runs_in(each, self._damage)]
                if len(runs) != 1 or not isinstance(runs[0].data, Window):
                    continue  # damaged
                buckets = sum_up(runs[0].data, step_ms)
                self._summed.put(key, buckets)
            done.append(head)
            found.append(buckets)
        return done, found

    def stored(self, rows: Rows) -> set[str]:
        """The name of every metric with at least one sample."""
        ids = {row[0] for row in rows("SELECT DISTINCT metric_id FROM analytics_chunks WHERE level = 0")}
        seen = {(CHUNKS, *row) for row in rows("SELECT chunk_id, crc FROM analytics_chunks WHERE level > 0")}
        seen.update((JOURNAL, row.journal_id, row.crc) for row in self.journal.spans(rows))
        self._metrics_in = {key: found for key, found in self._metrics_in.items() if key in seen}
        for table, row_id, crc in seen - self._metrics_in.keys():
            self._metrics_in[table, row_id, crc] = frozenset(self._metrics_of(rows, table, row_id))
        ids.update(*self._metrics_in.values())
        return {self.names.name_of(metric_id) for metric_id in ids}.union(row_names(rows))

    def metadata(self, rows: Rows) -> dict[str, str]:
        """The latest of each metric that has some."""
        packed = {
            self.names.name_of(metric_id): text for metric_id, text in rows("SELECT * FROM analytics_series_metadata")
        }
        return packed | row_metadata(rows)

    def _metrics_of(self, rows: Rows, table: str, row_id: int) -> list[int]:
        chunk = chunk_at(rows, table, row_id)
        try:
            ids: list[int] = directory(chunk)[0].tolist()
        except ChunkError as error:
            self._damage.note(table, row_id, damaged_words(chunk, error))
            return []
        return ids

    def _found(
        self,
        rows: Rows,
        name: str,
        start_ms: int,
        end_ms: int,
        limit: int | None,
        without: Collection[int] = (),
    ) -> tuple[list[Window], list[Thinned]]:
        """Samples as windows one after the other, none overlapping another; and thinned spans. `without` these
        chunks."""
        runs: list[Window] = []
        thinned: list[Thinned] = []
        recent = row_window(rows, name, start_ms, end_ms, limit)
        metric_id = self.names.id_of(name)
        if metric_id is not None:
            if limit is None:
                stored = sorted(chunks_of(rows, metric_id, start_ms, end_ms, without), key=lambda each: each.chunk_id)
                found = [run for each in stored for run in runs_in(each, self._damage, only=metric_id)]
            else:
                found = newest_of(rows, metric_id, start_ms, end_ms, limit, self._damage)
            runs = _apart([run.data for run in found if isinstance(run.data, Window)], start_ms, end_ms)
            thinned = [run.data for run in found if isinstance(run.data, Thinned)]
            recent = merged_windows(self.journal.window(rows, metric_id, start_ms, end_ms), recent)
        if len(recent):
            runs = [merged_windows(_joined(runs), recent)]
        if thinned:
            runs = [outside(run, thinned) for run in runs]
        return runs, thinned


def _apart(windows: Sequence[Window], start_ms: int, end_ms: int) -> list[Window]:
    """Runs of one metric, the older chunk first, cut to the span, none overlapping another."""
    parts = []
    for window in windows:
        first, end = window.times.searchsorted((start_ms, end_ms))
        if first < end:
            parts.append(Window(window.times[first:end], window.values[first:end]))
    in_order = sorted(parts, key=lambda part: int(part.times[0]))
    if all(one.times[-1] < other.times[0] for one, other in pairwise(in_order)):
        return in_order
    times, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "values"))
    return [Window(*rising(times, values))]


def _joined(runs: Sequence[Window]) -> Window:
    if len(runs) < 2:
        return runs[0] if runs else EMPTY_WINDOW
    return Window(np.concatenate([run.times for run in runs]), np.concatenate([run.values for run in runs]))


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
