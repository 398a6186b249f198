"""The packer: in order, no more than asked for, and nothing of what is gone."""

from __future__ import annotations

import numpy as np

from storage.packer import Packer
from storage.series import Series


def test_a_few_at_a_time_and_never_what_is_gone() -> None:
    series = Series("a", 0)
    packer = Packer()
    for round_ in range(4):
        times = np.arange(100) + round_ * 100
        packer.add(series, series.append_sorted(times, np.ones(100), 1, 50))
    first, second, third, fourth = series.blocks
    sizes = [block.bytes for block in series.blocks]
    assert packer.waiting_bytes == sum(sizes)
    series.drop(second)
    before = series.bytes
    freed = packer.pack(2)
    assert (first.bytes < sizes[0], third.bytes < sizes[2], fourth.bytes == sizes[3]) == (True, True, True)
    assert freed == before - series.bytes == sizes[0] + sizes[2] - first.bytes - third.bytes
    assert packer.waiting_bytes == sizes[3]
    packer.pack(9)
    assert packer.waiting_bytes == 0
    assert packer.pack(9) == 0
