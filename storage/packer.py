"""The packer: sealed blocks that wait to be compressed.

Compression takes about 50 us a block, so it is spread out: a little with each append when much waits, the rest by
housekeeping. Many metrics that fill a block in the same second then delay nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .block import Block
from .series import Series


class Packer:
    """Blocks in the order in which they were sealed; those their series has let go of in the meantime are skipped."""

    __slots__ = ("_waiting", "waiting_bytes")

    def __init__(self) -> None:
        self._waiting: deque[tuple[Series, Block, int]] = deque()
        self.waiting_bytes = 0

    def add(self, series: Series, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._waiting.append((series, block, block.bytes))
            self.waiting_bytes += block.bytes

    def pack(self, most: int) -> int:
        """Compress up to so many blocks, the longest waiting first. Returns the bytes that freed."""
        freed = 0
        while self._waiting and most > 0:
            series, block, size = self._waiting.popleft()
            self.waiting_bytes -= size
            if not block.gone:
                freed += series.pack(block)
                most -= 1
        return freed
