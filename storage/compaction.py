"""Compaction: the journal becomes chunks, packs become larger ones, each step one transaction.

A step has two halves. `plan_*` reads inside a snapshot, unpacks, sorts and compresses, which takes long and holds up
nobody; `apply` deletes and inserts inside a transaction, which takes milliseconds. A plan that something has overtaken
is noticed (`Stale`) and made anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .chunk import SAMPLES, ChunkError, directory
from .damage import Damage
from .models import Times, Values, Window
from .packing import Plan, Source, plan_merge, plan_store
from .sqlite_chunks import (
    CHUNKS,
    JOURNAL,
    Stored,
    by_ids,
    delete_rows,
    journal_columns,
    put_chunk,
    raise_tier,
    runs_in,
)
from .sqlite_names import Rows
from .sqlite_reading import Reading

STEP_SAMPLES: Final = 750_000  # unpacked in one step: bounds its memory to some 45 MB for a moment
MANY_COMMITS: Final = 2_000  # readers look through the list of them
MERGE_PACKS: Final = 8  # so many packs of a level over the same metrics become the next level's
LAST_LEVEL: Final = 3  # a pack of level 3 spans up to three weeks; retention goes by whole rows

_OVERLAPPING: Final = (
    "SELECT chunk_id FROM analytics_chunks WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms <= ?"
)
_PACKS_NEAR: Final = (
    "SELECT chunk_id FROM analytics_chunks INDEXED BY analytics_chunks_packs"
    " WHERE level > 0 AND end_ms >= ? AND start_ms <= ? AND metric_id <= ? AND last_metric_id >= ?"
)
_PACK_HEADS: Final = (
    "SELECT chunk_id, metric_id, last_metric_id, end_ms FROM analytics_chunks INDEXED BY analytics_chunks_packs"
    " WHERE level > 0 AND level = ? AND tier = 0 AND codec = ? ORDER BY end_ms"
)
_OWN_SPANS: Final = (
    "SELECT chunk_id, start_ms, end_ms FROM analytics_chunks"
    " WHERE level = 0 AND metric_id = ? AND end_ms >= ? AND start_ms <= ?"
)


class Stale(Exception):
    """Something else has changed what the plan was made for."""


class Step(Struct, frozen=True):
    """One transaction of compaction: `plan`, and the journal rows whose samples it stores."""

    plan: Plan
    journal_ids: Sequence[int] = ()
    samples: int = 0


def plan_journal(rows: Rows, reading: Reading, damage: Damage, at_least: int) -> Step | None:
    """The oldest part of the journal as chunks. None when it holds fewer than `at_least` samples in few commits."""
    bad = damage.rows(JOURNAL)
    waiting = [row for row in reading.journal.spans(rows) if row.journal_id not in bad]
    if not waiting or (len(waiting) < MANY_COMMITS and sum(row.count for row in waiting) < at_least):
        return None
    chosen: list[int] = []
    held = 0
    for row in waiting:
        if chosen and held + row.count > STEP_SAMPLES:
            break
        chosen.append(row.journal_id)
        held += row.count
    found = list(journal_columns(rows, chosen, damage))
    if not found:
        return None
    ids, times, values = zip(*(columns for _, columns in found), strict=True)
    new = _by_metric(np.concatenate(ids), np.concatenate(times), np.concatenate(values))
    samples = sum(map(len, new.values()))
    return Step(plan_store(new, near(rows, new, damage)), [journal_id for journal_id, _ in found], samples)


def plan_packs(rows: Rows, damage: Damage) -> Step | None:
    """Eight packs of one level over the same metrics, merged. None when there are no eight."""
    bad = damage.rows(CHUNKS)
    for level in range(1, LAST_LEVEL):
        heads = [row for row in rows(_PACK_HEADS, level, SAMPLES) if row[0] not in bad]
        for _, first, last, _ in heads:
            alike = [row for row in heads if row[1] <= last and row[2] >= first][:MERGE_PACKS]
            if len(alike) == MERGE_PACKS:
                packs = sources(by_ids(rows, [row[0] for row in alike]), damage)
                if len(packs) == MERGE_PACKS:
                    samples = sum(run.samples for pack in packs for run in pack.runs)
                    return Step(plan_merge(packs, list(others(rows, packs, damage))), samples=samples)
    return None


def near(rows: Rows, new: Mapping[int, Window], damage: Damage) -> list[Source]:
    """Every chunk whose span touches that of the new samples of its metric, and the packs of that time."""
    if not new:
        return []
    ids: list[int] = []
    for metric_id, window in new.items():
        ids += [row[0] for row in rows(_OVERLAPPING, metric_id, int(window.times[0]), int(window.times[-1]))]
    first_ms = min(int(window.times[0]) for window in new.values())
    last_ms = max(int(window.times[-1]) for window in new.values())
    ids += [row[0] for row in rows(_PACKS_NEAR, first_ms, last_ms, max(new), min(new))]
    return sources(by_ids(rows, ids), damage)


def apply(connection: sqlite3.Connection, step: Step) -> None:
    """Inside a transaction. Raises Stale when a row is gone that the plan replaces."""
    if delete_rows(connection, CHUNKS, step.plan.delete) != len(step.plan.delete):
        raise Stale
    if delete_rows(connection, JOURNAL, step.journal_ids) != len(step.journal_ids):
        raise Stale
    if raise_tier(connection, step.plan.raise_tier) != len(step.plan.raise_tier):
        raise Stale
    for placed in step.plan.put:
        put_chunk(connection, placed.chunk, placed.level, placed.tier)


def _by_metric(ids: NDArray[np.int64], times: Times, values: Values) -> dict[int, Window]:
    """Columns in order of commit, split by metric, times strictly rising; of two with one time the later wins."""
    order = np.lexsort((times, ids))  # stable
    ids, times, values = ids[order], times[order], values[order]
    keep = np.append((ids[1:] != ids[:-1]) | (times[1:] != times[:-1]), True)
    ids, times, values = ids[keep], times[keep], values[keep]
    edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)]
    return {int(ids[first]): Window(times[first:end], values[first:end]) for first, end in pairwise(edges)}


def sources(found: Sequence[Stored], damage: Damage) -> list[Source]:
    """Chunks unpacked, damaged ones noted and left out."""
    sources = (Source(each.chunk_id, each.level, each.tier, tuple(runs_in(each, damage))) for each in found)
    return [source for source in sources if source.runs]


def others(rows: Rows, ours: Sequence[Source], damage: Damage) -> Iterator[tuple[int, int, int]]:
    """(metric, first, last) of what else is stored of the metrics of these chunks in their time."""
    known = {source.chunk_id for source in ours}
    spans: dict[int, tuple[int, int]] = {}
    for source in ours:
        for run in source.runs:
            first_ms, last_ms = spans.get(run.metric_id, (run.first_ms, run.last_ms))
            spans[run.metric_id] = (min(first_ms, run.first_ms), max(last_ms, run.last_ms))
    for metric_id, (first_ms, last_ms) in spans.items():
        for chunk_id, start_ms, end_ms in rows(_OWN_SPANS, metric_id, first_ms, last_ms):
            if chunk_id not in known:
                yield metric_id, start_ms, end_ms
    first_ms, last_ms = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
    ids = [row[0] for row in rows(_PACKS_NEAR, first_ms, last_ms, max(spans), min(spans)) if row[0] not in known]
    for stored in by_ids(rows, ids):
        try:
            there = set(directory(stored.chunk)[0].tolist()) & spans.keys()
        except ChunkError:
            continue  # noted when somebody reads it
        if there:
            for run in runs_in(stored, damage):
                if run.metric_id in there:
                    yield run.metric_id, run.first_ms, run.last_ms
