"""The cache forgets what was not asked for longest, and never more than it must."""

from __future__ import annotations

import numpy as np

from storage.bucket_cache import ENTRY_BYTES, BucketCache
from storage.grid import sum_up
from storage.models import Buckets, Window


def buckets(first: int) -> Buckets:
    return sum_up(Window(np.array([first], dtype=np.int64), np.array([1.0])), 1_000)


def test_what_was_put_is_found_under_its_own_key_alone() -> None:
    cache = BucketCache()
    kept = buckets(5)
    cache.put((1, 2, 1_000), kept)
    cache.put((1, 2, 1_000), buckets(6))
    assert cache.get((1, 2, 1_000)) is kept
    assert cache.get((1, 3, 1_000)) is None
    assert cache.get((1, 2, 60_000)) is None


def test_the_longest_unasked_goes_first() -> None:
    cache = BucketCache(3 * (ENTRY_BYTES + 40))
    for number in range(3):
        cache.put((number, 0, 1), buckets(number))
    assert cache.get((0, 0, 1)) is not None
    cache.put((3, 0, 1), buckets(3))
    assert [number for number in range(4) if cache.get((number, 0, 1))] == [0, 2, 3]
