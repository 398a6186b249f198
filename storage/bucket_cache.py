"""The bucket cache: chunks that were summed up lately. A chunk never changes, so its buckets are its own for ever.

A dashboard asks for the same thirty days again and again; with it the second question unpacks nothing. Bounded in
bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from .models import Buckets

CACHE_BYTES: Final = 4 << 20
ENTRY_BYTES: Final = 900  # five array objects, the key, the place in the table

Key = tuple[int, int, int]  # chunk id, its checksum, width of the buckets in ms


class BucketCache:
    """Used by one thread at a time."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Key, Buckets] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Buckets | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Key, buckets: Buckets) -> None:
        """Those longest not asked for make room."""
        if key in self._kept:
            return
        self._kept[key] = buckets
        self._bytes += _size(buckets)
        while self._bytes > self._most_bytes:
            self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(buckets: Buckets) -> int:
    return 40 * len(buckets) + ENTRY_BYTES
