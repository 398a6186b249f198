"""Packing: which chunks hold which samples. Pure; SQL stands in sqlite_chunks.py, when it is done in compaction.py.

A run of a metric that is long enough gets a chunk of its own; shorter ones share packs. Promises: samples of one metric
never lie in two places; a late sample goes to where its neighbours are; of two with one time the later one to come
wins; nothing else changes, so that packing twice is harmless. A span that was thinned is closed: a sample that comes
later for a minute (or hour) that has its bucket is dropped, since nobody could tell it from one counted there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct, field

from .chunk import Chunk, Run, Thinned, encode
from .column import TIGHT
from .grid import merged_windows
from .models import Window

OWN_SAMPLES: Final = 2_048  # from here on a run has a chunk of its own
MOST_SAMPLES: Final = 8_640  # in one chunk: a day at one sample in 10 s; what a reader unpacks in 60 us
PACK_SAMPLES: Final = 32_768  # in one pack: what a reader of one of its metrics unpacks in vain, 0.3 ms


class Placed(Struct, frozen=True):
    """A chunk to be stored."""

    chunk: Chunk
    level: int
    tier: int = 0


class Plan(Struct):
    """What one transaction does to the chunks."""

    delete: list[int] = field(default_factory=list)
    put: list[Placed] = field(default_factory=list)
    raise_tier: list[int] = field(default_factory=list)  # chunks that count as thinned from now on
    dropped: int = 0  # late samples for spans that were thinned


class Source(Struct, frozen=True):
    """A stored chunk with its runs, as far as they are of interest."""

    chunk_id: int
    level: int
    tier: int
    runs: tuple[Run, ...]


def plan_store(new: Mapping[int, Window], near: Sequence[Source]) -> Plan:
    """Store `new` samples by metric. `near`: every chunk whose span touches that of the new ones, whole packs."""
    plan = Plan()
    by_metric: dict[int, list[tuple[Run, Source]]] = {}
    closed: dict[int, list[Thinned]] = {}
    for source in near:
        for run in source.runs:
            if isinstance(run.data, Thinned):
                closed.setdefault(run.metric_id, []).append(run.data)
            else:
                by_metric.setdefault(run.metric_id, []).append((run, source))
    fresh: list[Run] = []
    changed: dict[int, tuple[Source, dict[int, Window]]] = {}  # chunk id -> (chunk, id of the run -> what it becomes)
    for metric_id, window in new.items():
        kept = outside(window, closed.get(metric_id, ()))
        plan.dropped += len(window) - len(kept)
        for owner, part in _shares(kept, by_metric.get(metric_id, [])):
            if owner is None:
                fresh.append(Run(metric_id, part))
                continue
            run, source = owner
            _, becomes = changed.setdefault(source.chunk_id, (source, {}))
            becomes[id(run)] = merged_windows(_samples(run), part)
    for source, becomes in changed.values():
        runs = [Run(run.metric_id, becomes[id(run)]) if id(run) in becomes else run for run in source.runs]
        plan.delete.append(source.chunk_id)
        plan.put += placed(runs, level=source.level, tier=source.tier)
    plan.put += placed(fresh, level=1)
    return plan


def plan_merge(packs: Sequence[Source], others: Iterable[tuple[int, int, int]]) -> Plan:
    """Packs of one level as packs of the next, runs of one metric joined; what has grown long gets its own chunk.

    `others`: (metric, first, last) of whatever else is stored of these metrics; no run may reach over it.
    """
    level, tier = packs[0].level, packs[0].tier
    by_metric: dict[int, list[Run]] = {}
    for pack in packs:
        for run in pack.runs:
            by_metric.setdefault(run.metric_id, []).append(run)
    foreign: dict[int, list[tuple[int, int]]] = {}
    for metric_id, first_ms, last_ms in others:
        foreign.setdefault(metric_id, []).append((first_ms, last_ms))
    joined: list[Run] = []
    for metric_id, runs in by_metric.items():
        runs.sort(key=lambda run: run.first_ms)
        for run in runs:
            before = joined[-1] if joined and joined[-1].metric_id == metric_id else None
            if before is not None and may_join(before, run, foreign.get(metric_id, ())):
                joined[-1] = Run(metric_id, merged_windows(_samples(before), _samples(run)))
            else:
                joined.append(run)
    return Plan(delete=[pack.chunk_id for pack in packs], put=placed(joined, level=level + 1, tier=tier))


def placed(runs: Iterable[Run], *, level: int, tier: int = 0) -> list[Placed]:
    """Runs of samples as chunks: long ones cut to size, each its own; short ones together in packs of `level` (at 0,
    a chunk's own level, every run is its own)."""
    found: list[Placed] = []
    short: list[Run] = []
    for run in runs:
        size = len(run.data) if isinstance(run.data, Window) else OWN_SAMPLES
        if level and size < OWN_SAMPLES:
            short.append(run)
        else:
            found += [Placed(encode([piece], TIGHT), 0, tier) for piece in _pieces(run)]
    short.sort(key=lambda run: (run.metric_id, run.first_ms))
    found += [Placed(encode(pack, TIGHT), level, tier) for pack in _packs(short)]
    return found


def outside(window: Window, closed: Iterable[Thinned]) -> Window:
    """The samples that no bucket of a thinned span stands for."""
    keep: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
    for span in closed:
        first, end = window.times.searchsorted((span.first_ms, span.last_ms + 1))
        if first < end:
            step_ms = span.buckets.step_ms
            cells = window.times[first:end] // step_ms * step_ms
            keep = np.ones(len(window), dtype=np.bool_) if keep is None else keep
            keep[first:end] &= ~np.isin(cells, span.buckets.starts)
    return window if keep is None else Window(window.times[keep], window.values[keep])


def _samples(run: Run) -> Window:
    if isinstance(run.data, Window):
        return run.data
    raise TypeError("a run of buckets, where samples are expected")


def _shares(window: Window, stored: Sequence[tuple[Run, Source]]) -> Iterator[tuple[tuple[Run, Source] | None, Window]]:
    """Cut the samples at the stored runs: (the run whose span they lie in, or None; the samples)."""
    if not len(window):
        return
    if not stored:
        yield None, window
        return
    stored = sorted(stored, key=lambda item: item[0].first_ms)
    firsts = np.array([run.first_ms for run, _ in stored], dtype=np.int64)
    lasts = np.array([run.last_ms for run, _ in stored], dtype=np.int64)
    at = firsts.searchsorted(window.times, side="right") - 1
    inside = (at >= 0) & (window.times <= lasts[at.clip(0)])
    place = 2 * at + inside  # rises with time: each run and each gap has its own number
    edges = np.flatnonzero(np.diff(place)) + 1
    for first, end in zip((0, *edges.tolist()), (*edges.tolist(), len(window)), strict=True):
        owner = stored[int(at[first])] if inside[first] else None
        yield owner, Window(window.times[first:end], window.values[first:end])


def may_join(before: Run, after: Run, foreign: Sequence[tuple[int, int]]) -> bool:
    """Two runs of one metric with nothing of it stored elsewhere from the first's begin to the second's end."""
    if isinstance(before.data, Window) != isinstance(after.data, Window):
        return False
    return not any(first_ms < after.last_ms and last_ms > before.first_ms for first_ms, last_ms in foreign)


def _pieces(run: Run) -> Iterator[Run]:
    if isinstance(run.data, Thinned) or len(run.data) <= MOST_SAMPLES:
        yield run
        return
    size = len(run.data)
    count = -(-size // MOST_SAMPLES)
    for index in range(count):
        cut = slice(index * size // count, (index + 1) * size // count)
        yield Run(run.metric_id, Window(run.data.times[cut], run.data.values[cut]))


def _packs(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Of equal size as far as may be, so that packs of later hours are cut at the same metrics."""
    size = sum(len(run.data) for run in runs if isinstance(run.data, Window))
    count = max(1, -(-size // PACK_SAMPLES))
    pack: list[Run] = []
    held = 0
    for run in runs:
        pack.append(run)
        held += len(run.data) if isinstance(run.data, Window) else 0
        if held * count >= size:
            yield pack
            pack, held = [], 0
    if pack:
        yield pack
