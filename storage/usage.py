"""Usage: what lies in the archive, metric by metric, in how many bytes and at which resolution.

Reads inside a snapshot. Bytes of a pack or a commit that several metrics share are split by their samples, so the sum
over metrics is the bytes of all blobs; pages, indexes and names come on top and show in the total alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .budget import STEPS_MS, Budget, days_until_thinning
from .chunk import BUCKETS, ChunkError, Thinned, directory
from .damage import Damage
from .sqlite_chunks import Stored, packs, runs_in
from .sqlite_names import Rows
from .sqlite_reading import Reading
from .thinning import use_of

DAY_MS: Final = 86_400_000
LEAST_SPAN_MS: Final = 600_000  # of shorter ones a rate per day would be a guess,
LEAST_SAMPLES: Final = 10  # and of fewer samples, too
ROW_BYTES: Final = 40  # of a sample in analytics_metrics, about
_OWN: Final = (
    "SELECT metric_id, CASE codec WHEN 2 THEN tier ELSE 0 END AS step, sum(count), sum(length(data)), min(start_ms),"
    " max(end_ms) FROM analytics_chunks WHERE level = 0 GROUP BY metric_id, step"
)
_ROWS: Final = (
    "SELECT metric_name, count(*), min(timestamp), max(timestamp) FROM analytics_metrics GROUP BY metric_name"
)


class Span(Struct):
    """Samples of one metric at one resolution. `step_ms` 0: as they came."""

    step_ms: int
    samples: int = 0
    bytes: float = 0.0
    first_ms: int = 2**62
    last_ms: int = -(2**62)

    def add(self, samples: int, size: float, first_ms: int, last_ms: int) -> None:
        self.samples += samples
        self.bytes += size
        self.first_ms, self.last_ms = min(self.first_ms, first_ms), max(self.last_ms, last_ms)


class MetricUse(Struct, frozen=True):
    """`bytes_per_day`: of samples as they come; None: too short a time, or too few of them, to tell."""

    name: str
    spans: tuple[Span, ...]  # coarsest first
    bytes_per_day: float | None

    @property
    def samples(self) -> int:
        return sum(span.samples for span in self.spans)

    @property
    def bytes(self) -> float:
        return sum(span.bytes for span in self.spans)


class ArchiveUse(Struct, frozen=True):
    """`used_bytes`: in pages that hold something; `free_bytes`: in the file, to be used again."""

    used_bytes: int
    free_bytes: int
    journal_samples: int
    metrics: tuple[MetricUse, ...]  # most bytes first
    damaged: tuple[str, ...]
    raw_from_ms: int | None  # from here on every sample is there as it came

    @property
    def bytes_per_day(self) -> float:
        return sum(metric.bytes_per_day or 0.0 for metric in self.metrics)

    def days_until_thinning(self, budget: Budget | None, retention_days: float) -> float | None:
        """None: not at this rate."""
        if budget is None:
            return None
        return days_until_thinning(budget, self.used_bytes, self.bytes_per_day, retention_days)


def usage_of(rows: Rows, reading: Reading, damage: Damage) -> ArchiveUse:
    """All of it; a tenth of a second for a file of 100 MB."""
    found: dict[str, dict[int, Span]] = {}
    for name, step_ms, samples, size, first_ms, last_ms in _everything(rows, reading, damage):
        spans = found.setdefault(name, {})
        spans.setdefault(step_ms, Span(step_ms)).add(samples, size, first_ms, last_ms)
    metrics = [
        MetricUse(name, tuple(spans[step] for step in sorted(spans, reverse=True)), _per_day(spans.get(0)))
        for name, spans in found.items()
    ]
    metrics.sort(key=lambda metric: (-metric.bytes, metric.name))
    return ArchiveUse(
        used_bytes=use_of(rows).used,
        free_bytes=rows("PRAGMA freelist_count")[0][0] * rows("PRAGMA page_size")[0][0],
        journal_samples=sum(row.count for row in reading.journal.spans(rows)),
        metrics=tuple(metrics),
        damaged=tuple(damage.named()),
        raw_from_ms=raw_from_ms(rows),
    )


def raw_from_ms(rows: Rows) -> int | None:
    """Since when every sample is there as it came. None: nothing is packed yet."""
    thinned = [
        row[0]
        for tier in (1, 2)
        for row in rows(
            "SELECT end_ms FROM analytics_chunks WHERE tier = ? AND codec = ? ORDER BY end_ms DESC LIMIT 1",
            tier,
            BUCKETS,
        )
    ]
    if thinned:
        return int(max(thinned)) + 1
    first: int | None = rows("SELECT min(start_ms) FROM analytics_chunks")[0][0]
    return first


def _everything(rows: Rows, reading: Reading, damage: Damage) -> Iterator[tuple[str, int, int, float, int, int]]:
    """(name, step in ms, samples, bytes, first, last)"""
    name_of = reading.names.name_of
    for metric_id, tier, samples, size, first_ms, last_ms in rows(_OWN):
        yield name_of(metric_id), STEPS_MS[tier], samples, size, first_ms, last_ms
    for pack in packs(rows):
        yield from ((name_of(metric_id), *rest) for metric_id, *rest in _of_pack(pack, damage))  # type: ignore[misc]
    spans = reading.journal.spans(rows)
    if spans:
        first_ms, last_ms = min(row.start_ms for row in spans), max(row.end_ms for row in spans)
        size = rows("SELECT sum(length(data)) FROM analytics_journal")[0][0]
        total = max(1, sum(row.count for row in spans))
        for metric_id, samples in reading.journal.counts(rows).items():
            yield name_of(metric_id), 0, samples, size * samples / total, first_ms, last_ms
    for name, samples, first_s, last_s in rows(_ROWS):
        yield name, 0, samples, samples * ROW_BYTES, round(first_s * 1000), round(last_s * 1000)


def _of_pack(pack: Stored, damage: Damage) -> Iterator[tuple[int, int, int, float, int, int]]:
    """(metric, step in ms, samples, bytes, first, last); of packs of samples the time is the pack's."""
    chunk = pack.chunk
    if chunk.codec == BUCKETS:
        runs = runs_in(pack, damage)
        total = max(1, sum(run.samples for run in runs))
        for run in runs:
            if isinstance(run.data, Thinned):
                size = len(chunk.data) * run.samples / total
                yield run.metric_id, run.data.buckets.step_ms, run.samples, size, run.first_ms, run.last_ms
        return
    try:
        ids, items = directory(chunk)
    except ChunkError:
        runs_in(pack, damage)  # notes it
        return
    per_item = len(chunk.data) / max(1, int(items.sum()))
    for metric_id, samples in zip(ids.tolist(), items.tolist(), strict=True):
        yield metric_id, 0, samples, per_item * samples, chunk.start_ms, chunk.end_ms


def _per_day(raw: Span | None) -> float | None:
    if raw is None or raw.samples < LEAST_SAMPLES or raw.last_ms - raw.first_ms < LEAST_SPAN_MS:
        return None
    return raw.bytes * DAY_MS / (raw.last_ms - raw.first_ms)
