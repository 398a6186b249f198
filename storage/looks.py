"""Finer looks at the newest samples of some metrics: two hours by ten seconds, a day by two minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .grid import as_series
from .history import History, HistoryBuckets
from .models import Times, Values

LOOKS: Final = ((2 * 3_600_000, 10_000), (24 * 3_600_000, 120_000))  # (span, width of a bucket) in ms, the finest first
FINER: Final = 3  # times the grid at hand


async def finer_looks(
    history: History, names: Sequence[str], now_ms: int, step_ms: int
) -> tuple[Mapping[str, list[tuple[Times, Values]]], list[HistoryBuckets]]:
    """By metric the looks that are clearly finer than `step_ms`; and what was read for them."""
    read = [
        await history.buckets(names, now_ms - span_ms, now_ms + 1, width_ms)
        for span_ms, width_ms in LOOKS
        if width_ms * FINER <= step_ms
    ]
    looks = {name: [as_series(each.buckets[name]) for each in read if name in each.buckets] for name in names}
    return looks, read
