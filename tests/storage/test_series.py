"""The series: what the tier relies on and does not test itself."""

from __future__ import annotations

import numpy as np
import pytest

from storage.models import SeriesPart
from storage.series import FIRST_CAPACITY, NEVER, Series


def filled(count: int, seal_at: int = 1_000) -> Series:
    series = Series("a", 0)
    if count:
        times = np.arange(count) * 10
        series.append_sorted(times, times * 1.0, 1, seal_at)
    return series


@pytest.mark.parametrize(
    ("times", "values"),
    [([995], [1.0]), ([1_000, 1_000], [1.0, 1.0]), ([1_000, 5_001], [1.0, 1.0]), ([1_000, 1_001], [1.0, np.inf])],
    ids=["not after the last", "not rising", "too late", "not finite"],
)
def test_the_quick_way_takes_all_or_nothing(times: list[int], values: list[float]) -> None:
    series = filled(100)
    part = SeriesPart("a", np.array(times), np.array(values))
    assert series.take_few(part, 2, now_ms=5_000, limit_ms=5_000) is (times == [995])
    assert series.samples == 100 + (times == [995])
    assert series.last_seq == (2 if times == [995] else 1)


def test_sealing_a_short_run_would_save_nothing() -> None:
    assert filled(FIRST_CAPACITY).seal() == []
    (block,) = filled(FIRST_CAPACITY + 1).seal()
    assert block.count == FIRST_CAPACITY + 1


def test_dropping_the_last_block_empties_it() -> None:
    series = filled(100, seal_at=50)
    (block,) = series.blocks
    assert series.drop(block).tolist() == [1] * 100
    assert (series.samples, series.last_ms, series.evicted_until_ms) == (0, NEVER, 991)
    assert series.bytes == filled(0).bytes


def test_the_last_time_is_that_of_the_newest_sample_left() -> None:
    series = filled(40, seal_at=30)  # one block, times 0 to 390
    series.append_sorted(np.array([400, 500]), np.zeros(2), 2, 1_000)
    series.drop_before(450, 2)
    assert series.last_ms == 500
    series.drop_before(501, 2)
    assert series.last_ms == NEVER
