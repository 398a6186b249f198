"""The backlog: the samples that came after a sequence number, picked from many series.

Promises: complete up to the sequence number it returns, whole batches only, and no more work than the answer needs
when the backlog is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .models import SeriesPart, Times, Values
from .series import Series


class _Run(NamedTuple):
    min_seq: int
    series: Series
    block: Block | None  # None: the active run


def collect(changed: Iterable[Series], seq: int, max_samples: int, last_seq: int) -> tuple[list[SeriesPart], int]:
    """Samples with a sequence number in (seq, up_to], and up_to. See `MemoryTier.since`."""
    runs: list[_Run] = []
    most = 0
    for series in changed:
        for min_seq, block in series.runs_after(seq):
            runs.append(_Run(min_seq, series, block))
            most += series.count if block is None else block.count
    up_to = last_seq if most <= max_samples else _cut(runs, seq, max_samples, last_seq)
    by_series: dict[str, tuple[Series, list[Block | None]]] = {}
    for run in runs:
        if run.min_seq <= up_to:
            by_series.setdefault(run.series.name, (run.series, []))[1].append(run.block)
    parts = (_part(series, blocks, seq, up_to) for series, blocks in by_series.values())
    return [part for part in parts if part is not None], max(up_to, seq)


def earliest_late(series: Series, seq: int, before_ms: int) -> int | None:
    """See `MemoryTier.late_from_ms`."""
    for _, block in series.runs_after(seq):  # in order of time
        if block is None or block.first_ms < before_ms:
            columns = series.active() if block is None else block.columns
            late = columns.times[(columns.seqs > seq) & (columns.times < before_ms)]
            if len(late):
                return int(late[0])
    return None


def _cut(runs: list[_Run], seq: int, max_samples: int, last_seq: int) -> int:
    """The highest sequence number up to which there are at most `max_samples`, but at least one batch."""
    runs = sorted(runs, key=lambda run: run.min_seq)
    waiting: list[NDArray[np.int64]] = []
    gathered = 0
    look_again = max_samples
    for index, run in enumerate(runs):
        seqs = run.series.active().seqs if run.block is None else run.block.seqs
        seqs = seqs[seqs > seq]
        waiting.append(seqs)
        gathered += len(seqs)
        if gathered > look_again and index + 1 < len(runs):
            # Runs overlap in sequence numbers: only below the next run's first one is the count final.
            waiting = [np.concatenate(waiting)]
            if np.count_nonzero(waiting[0] < runs[index + 1].min_seq) > max_samples:
                break
            look_again = gathered + gathered // 2
    every = np.concatenate(waiting)
    if len(every) <= max_samples:
        return last_seq
    beyond = int(np.partition(every, max_samples)[max_samples])
    return max(beyond - 1, int(every.min()))


def _part(series: Series, runs: Sequence[Block | None], after_seq: int, up_to_seq: int) -> SeriesPart | None:
    """The samples of these runs with after < seq <= up_to; metadata comes along when it changed since."""
    times: list[Times] = []
    values: list[Values] = []
    for block in runs:
        columns = series.active() if block is None else block.columns
        mask = (columns.seqs > after_seq) & (columns.seqs <= up_to_seq)
        times.append(columns.times[mask])
        values.append(columns.values[mask])
    every_time = np.concatenate(times)
    if not len(every_time):
        return None
    metadata = series.metadata if series.metadata_seq > after_seq else None
    return SeriesPart(series.name, every_time, np.concatenate(values), metadata)
