"""Which blocks go first, and what is counted of those that went."""

from __future__ import annotations

import numpy as np

from storage.eviction import Losses, oldest_first
from storage.series import Series


def series(name: str, first_ms: int, seq: int) -> Series:
    """A series with two sealed blocks of four samples, a millisecond apart."""
    made = Series(name, first_ms)
    for start_ms in (first_ms, first_ms + 4):
        made.append_sorted(np.arange(start_ms, start_ms + 4), np.zeros(4), seq, 4)
    return made


def test_what_an_archive_has_goes_first_and_then_the_oldest():
    stored, unstored = series("stored", 1000, 5), series("unstored", 500, 6)
    assert [(each.name, block.first_ms) for each, block in oldest_first([unstored, stored], 5)] == [
        ("stored", 1000), ("stored", 1004), ("unstored", 500), ("unstored", 504),
    ]  # fmt: skip
    assert [each.name for each, _ in oldest_first([stored, unstored], 6)] == ["unstored"] * 2 + ["stored"] * 2
    assert oldest_first([], 0) == []


def test_without_an_archive_nothing_counts_as_lost_before_it_was_stored():
    losses = Losses()
    losses.count(np.array([1, 2, 3]))
    assert (losses.evicted, losses.lost_unpersisted) == (3, 0)
    losses.persisted_seq = 4
    losses.count(np.array([4, 5, 6]))
    assert (losses.evicted, losses.lost_unpersisted) == (6, 2)
