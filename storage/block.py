"""Columns and blocks: the pieces a series is made of.

A `Columns` is samples in rising order of time with the sequence number under which each was taken. A `Block` is a
sealed run of them that is never changed in place: it starts as plain arrays, and `pack` turns it into compressed
bytes when the tier finds time for it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .codec import pack_integers, pack_values, unpack_integers, unpack_values
from .models import Times, Values

SAMPLE_BYTES: Final = 24  # time, value and sequence number, eight bytes each
ARRAYS_BYTES: Final = 3 * 112  # three numpy array objects, without their items
BLOBS_BYTES: Final = 3 * 41  # three bytes objects, without their content, rounded up as the allocator does
BLOCK_BYTES: Final = 352  # the block object, its numbers, its places in the lists it stands in
PIECE_SAMPLES: Final = 4_096  # the largest block


class Columns(NamedTuple):
    """Times strictly rising; three arrays of one length."""

    times: Times
    values: Values
    seqs: NDArray[np.int64]

    def cut(self, first: int, end: int | None = None) -> Columns:
        return Columns(self.times[first:end], self.values[first:end], self.seqs[first:end])

    def pick(self, mask: NDArray[np.bool_]) -> Columns:
        return Columns(self.times[mask], self.values[mask], self.seqs[mask])


def joined(parts: list[Columns]) -> Columns:
    """One after the other; the caller knows that the order of time is right."""
    if len(parts) == 1:
        return parts[0]
    return Columns(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.seqs for part in parts]),
    )


def merged(old: Columns, new: Columns) -> Columns:
    """Both, in order of time; where two have the same time, the one that stands later in `old` + `new` wins."""
    both = joined([old, new])
    order = both.times.argsort(kind="stable")
    times = both.times[order]
    keep = np.empty(len(times), dtype=bool)
    keep[-1:] = True
    np.not_equal(times[1:], times[:-1], out=keep[:-1])
    chosen = order[keep]
    return Columns(times[keep], both.values[chosen], both.seqs[chosen])


def pieces(columns: Columns) -> list[Columns]:
    """Cut into equal runs that each fit into a block."""
    count = -(-len(columns.times) // PIECE_SAMPLES)
    edges = [len(columns.times) * index // count for index in range(count + 1)]
    return [columns.cut(first, end) for first, end in pairwise(edges)]


class Block:
    """A sealed run of samples. Only `pack` changes how it is kept; `gone` is set when its series lets go of it."""

    __slots__ = ("_columns", "_packed", "bytes", "count", "first_ms", "gone", "last_ms", "max_seq", "min_seq")

    def __init__(self, columns: Columns) -> None:
        """Takes arrays that belong to it alone from now on."""
        for column in columns:
            column.flags.writeable = False
        self._columns: Columns | None = columns
        self._packed: tuple[bytes, bytes, bytes] | None = None
        self.count = len(columns.times)
        self.first_ms = int(columns.times[0])
        self.last_ms = int(columns.times[-1])
        self.min_seq = int(columns.seqs.min())
        self.max_seq = int(columns.seqs.max())
        self.bytes = BLOCK_BYTES + ARRAYS_BYTES + self.count * SAMPLE_BYTES
        self.gone = False

    def let_go(self) -> None:
        """Its series has no more use for it; whoever still knows it must not keep its memory."""
        self.gone = True
        self._columns = self._packed = None

    def pack(self) -> int:
        """Compress, when that saves. Returns how many bytes that freed."""
        columns = self._columns
        if columns is None:
            return 0
        packed = (pack_integers(columns.times), pack_values(columns.values), pack_integers(columns.seqs))
        size = BLOCK_BYTES + BLOBS_BYTES + sum(map(len, packed))
        freed = self.bytes - size
        if freed <= 0:
            return 0
        self._columns, self._packed, self.bytes = None, packed, size
        return freed

    @property
    def times(self) -> Times:
        if self._columns is not None:
            return self._columns.times
        assert self._packed is not None  # noqa: S101  # one of both is set at any time
        return unpack_integers(self._packed[0])

    @property
    def values(self) -> Values:
        if self._columns is not None:
            return self._columns.values
        assert self._packed is not None  # noqa: S101
        return unpack_values(self._packed[1])

    @property
    def seqs(self) -> NDArray[np.int64]:
        if self._columns is not None:
            return self._columns.seqs
        assert self._packed is not None  # noqa: S101
        return unpack_integers(self._packed[2])

    @property
    def columns(self) -> Columns:
        return self._columns or Columns(self.times, self.values, self.seqs)
