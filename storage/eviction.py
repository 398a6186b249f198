"""Eviction: in which order a tight budget takes blocks of the memory tier, and what is counted of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .series import Series


class Losses:
    """Samples that were dropped. `persisted_seq`: up to where an archive has everything; None: there is none."""

    __slots__ = ("evicted", "lost_unpersisted", "persisted_seq")

    def __init__(self) -> None:
        self.evicted = self.lost_unpersisted = 0
        self.persisted_seq: int | None = None

    def count(self, seqs: NDArray[np.int64]) -> None:
        """Samples with these sequence numbers went."""
        self.evicted += len(seqs)
        if self.persisted_seq is not None:
            self.lost_unpersisted += int(np.count_nonzero(seqs > self.persisted_seq))


def oldest_first(table: Iterable[Series], has_seq: int) -> list[tuple[Series, Block]]:
    """Every sealed block: those of which an archive has everything (up to `has_seq`) first, each group by age."""
    blocks = ((series, block) for series in table for block in series.blocks)
    return sorted(blocks, key=lambda item: (item[1].max_seq > has_seq, item[1].last_ms))
