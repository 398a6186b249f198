"""The series: the samples of one metric in memory.

Owns an active run (plain arrays that grow, the newest samples) and sealed blocks before it, none overlapping another,
all in rising order of time. Promises: times are unique, the sample that came last wins; a late sample finds its place
wherever it belongs; `bytes` is what all of it takes. It judges nothing: what comes here has been accepted.
"""

from __future__ import annotations

from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .block import ARRAYS_BYTES, SAMPLE_BYTES, Block, Columns, joined, merged, pieces
from .models import Latest, SeriesInfo, SeriesPart, Times, Values, Window, joined_window

FIRST_CAPACITY: Final = 16
SERIES_BYTES: Final = 560  # the object, its numbers, its places in the tier's tables; the name comes on top
AHEAD_MS: Final = 60_000  # clocks of senders differ; a time further ahead means that the clock was set back
NEVER: Final = -1  # before every time there is


class Series:
    """See the module docstring. Used from the event loop only."""

    __slots__ = (
        "_capacity", "_min_seq", "_seqs", "_times", "_values",
        "blocks", "bytes", "count", "evicted_until_ms", "first_received_ms", "last_ms", "last_seq", "latest_ms",
        "latest_seq", "latest_value", "metadata", "metadata_seq", "name", "received", "sealed",
    )  # fmt: skip

    def __init__(self, name: str, first_received_ms: int) -> None:
        self.name = name
        self.metadata: str | None = None
        self.metadata_seq = 0
        self.blocks: list[Block] = []
        self.sealed = 0  # samples in the blocks
        self.received = 0
        self.first_received_ms = first_received_ms
        self.evicted_until_ms = NEVER  # what was evicted, and only that, lies before
        self.last_ms = NEVER  # time of the newest sample kept
        self.last_seq = 0
        self.latest_ms = NEVER
        self.latest_value = 0.0
        self.latest_seq = 0
        self.bytes = SERIES_BYTES + len(name.encode("utf-8", "surrogatepass"))
        self.count = 0  # samples in the active run
        self._clear_active()
        self.bytes += ARRAYS_BYTES + FIRST_CAPACITY * SAMPLE_BYTES

    @property
    def samples(self) -> int:
        return self.sealed + self.count

    # -- writing

    def take_few(self, part: SeriesPart, seq: int, now_ms: int, limit_ms: int) -> bool:
        """The quick way in, for a few samples that rise after the last, no later than `limit_ms`; False: not these.

        They are looked at one by one: for so few, numpy's calls over arrays cost more than they save.
        """
        values = part.values.tolist()
        last_ms = self.last_ms
        for time_ms in part.times.tolist():
            if time_ms <= last_ms:
                return False
            last_ms = time_ms
        if last_ms > limit_ms or not isfinite(sum(values)):  # a sum that overflows goes the long way, too
            return False
        count = self.count + len(values)
        if count > self._capacity:
            self._grow(count)
        if len(values) == 1:
            self._times[self.count], self._values[self.count], self._seqs[self.count] = last_ms, values[0], seq
        else:
            self._times[self.count : count] = part.times
            self._values[self.count : count] = part.values
            self._seqs[self.count : count] = seq
        if not self.count:
            self._min_seq = seq
        self.count = count
        self.last_ms = last_ms
        self.last_seq = seq
        self.received += len(values)
        if last_ms >= self.latest_ms or self.latest_ms > now_ms + AHEAD_MS:
            self.latest_ms, self.latest_value, self.latest_seq = last_ms, values[-1], seq
        return True

    def append_sorted(self, times: Times, values: Values, seq: int, seal_at: int) -> list[Block]:
        """Times strictly rising, all after `self.last_ms`. Returns the blocks this sealed."""
        end = self.count + len(times)
        self.last_ms = int(times[-1])
        self.last_seq = max(self.last_seq, seq)
        if end >= seal_at:
            new = Columns(times, values, np.full(len(times), seq, dtype=np.int64))
            return self._refill(joined([self.active(), new]), seal_at)
        if end > self._capacity:
            self._grow(end)
        self._min_seq = min(self._min_seq, seq) if self.count else seq
        self._times[self.count : end] = times
        self._values[self.count : end] = values
        self._seqs[self.count : end] = seq
        self.count = end
        return []

    def insert(self, times: Times, values: Values, seq: int, seal_at: int) -> tuple[int, list[Block]]:
        """Times strictly rising, anywhere. Returns how many replaced a sample, and new blocks."""
        before = self.samples
        fresh: list[Block] = []
        new = Columns(times, values, np.full(len(times), seq, dtype=np.int64))
        late = int(times.searchsorted(self.blocks[-1].last_ms, "right")) if self.blocks else 0
        if late:
            fresh += self._insert_late(new.cut(0, late))
        rest = new.cut(late)
        if len(rest.times):
            if rest.times[0] > self.last_ms:
                fresh += self.append_sorted(rest.times, rest.values, seq, seal_at)
            else:
                both = merged(self.active(), rest)
                self.last_ms = int(both.times[-1])
                fresh += self._refill(both, seal_at)
        self.last_seq = max(self.last_seq, seq)
        return len(times) - (self.samples - before), fresh

    def seal(self) -> list[Block]:
        """Turn the active run into blocks, unless it is so short that this would save nothing."""
        return self._refill(self.active(), 1) if self.count > FIRST_CAPACITY else []

    def pack(self, block: Block) -> int:
        """Compress one block; returns the bytes that freed."""
        freed = block.pack()
        self.bytes -= freed
        return freed

    def note_latest(self, time_ms: int, value: float, seq: int, now_ms: int) -> None:
        """The newest by time, unless that lies in the future (a clock was set back): then the last to arrive."""
        if time_ms >= self.latest_ms or self.latest_ms > now_ms + AHEAD_MS:
            self.latest_ms, self.latest_value, self.latest_seq = time_ms, value, seq

    def set_metadata(self, metadata: str, seq: int) -> None:
        self.bytes += len(metadata) - len(self.metadata or "")
        self.metadata, self.metadata_seq = metadata, seq

    # -- letting go

    def drop(self, block: Block) -> NDArray[np.int64]:
        """Let go of one block; returns the sequence numbers that went."""
        seqs = block.seqs
        self._forget(block)
        self.blocks.remove(block)
        self._passed(block.last_ms)
        return seqs

    def drop_before(self, cutoff_ms: int, arrived_seq: int) -> list[NDArray[np.int64]]:
        """Let go of what lies before the cutoff and had arrived by `arrived_seq`: whole blocks, and single samples of
        the active run. Returns the sequence numbers that went.
        """
        old = [block for block in self.blocks if block.last_ms < cutoff_ms and block.max_seq <= arrived_seq]
        gone = [self.drop(block) for block in old]
        if self.count and self._times[0] < cutoff_ms:
            active = self.active()
            mask = (active.times < cutoff_ms) & (active.seqs <= arrived_seq)
            if mask.any():
                out = active.pick(mask)
                self._load(active.pick(~mask))
                self._passed(int(out.times[-1]))
                gone.append(out.seqs)
        return gone

    # -- reading

    def window(self, start_ms: int, end_ms: int) -> Window:
        """Samples in [start, end), as arrays that nothing changes afterwards."""
        times: list[Times] = []
        values: list[Values] = []
        for block in self.blocks:
            if block.first_ms < end_ms and block.last_ms >= start_ms:
                block_times = block.times
                first, end = block_times.searchsorted((start_ms, end_ms))
                times.append(block_times[first:end])
                values.append(block.values[first:end])
        if self.count and self._times[self.count - 1] >= start_ms:
            first, end = self._times[: self.count].searchsorted((start_ms, end_ms))
            times.append(self._times[first:end].copy())
            values.append(self._values[first:end].copy())
        return joined_window(times, values)

    def runs_after(self, seq: int) -> list[tuple[int, Block | None]]:
        """(lowest sequence number, block) of each run that may hold samples after `seq`; None: the active run."""
        runs: list[tuple[int, Block | None]] = [(block.min_seq, block) for block in self.blocks if block.max_seq > seq]
        if self.count and self.last_seq > seq:
            runs.append((self._min_seq, None))
        return runs

    def active(self) -> Columns:
        """The active run, as views of arrays that go on changing."""
        return Columns(self._times[: self.count], self._values[: self.count], self._seqs[: self.count])

    def latest(self) -> Latest | None:
        return None if self.latest_ms == NEVER else Latest(self.latest_ms, self.latest_value, self.latest_seq)

    def info(self) -> SeriesInfo:
        first_ms = self.blocks[0].first_ms if self.blocks else int(self._times[0]) if self.count else None
        return SeriesInfo(
            name=self.name,
            samples=self.samples,
            bytes=self.bytes,
            first_ms=first_ms,
            last_ms=self.last_ms if self.samples else None,
            latest=self.latest(),
            metadata=self.metadata,
            received=self.received,
            first_received_ms=self.first_received_ms,
        )

    # -- inside

    def _clear_active(self) -> None:
        self._times = np.empty(FIRST_CAPACITY, dtype=np.int64)
        self._values = np.empty(FIRST_CAPACITY, dtype=np.float64)
        self._seqs = np.empty(FIRST_CAPACITY, dtype=np.int64)
        self._capacity = FIRST_CAPACITY
        self._min_seq = 0
        self.count = 0

    def _grow(self, needed: int) -> None:
        capacity = self._capacity
        while capacity < needed:
            capacity *= 2
        for name in ("_times", "_values", "_seqs"):
            old = getattr(self, name)
            new = np.empty(capacity, dtype=old.dtype)
            new[: self.count] = old[: self.count]
            setattr(self, name, new)
        self.bytes += (capacity - self._capacity) * SAMPLE_BYTES
        self._capacity = capacity

    def _load(self, columns: Columns) -> None:
        """Make these the active run."""
        self.bytes -= self._capacity * SAMPLE_BYTES
        self._clear_active()
        self.bytes += self._capacity * SAMPLE_BYTES
        size = len(columns.times)
        if size > self._capacity:
            self._grow(size)
        self._times[:size], self._values[:size], self._seqs[:size] = columns
        self.count = size
        if size:
            self._min_seq = int(columns.seqs.min())

    def _refill(self, columns: Columns, seal_at: int) -> list[Block]:
        """These replace the active run: as much as fills blocks becomes blocks, the rest stays active."""
        fresh: list[Block] = []
        if len(columns.times) >= seal_at:
            fresh = [self._keep(piece) for piece in pieces(columns)]
            columns = columns.cut(len(columns.times))
        self.blocks += fresh
        self._load(columns)
        return fresh

    def _keep(self, columns: Columns) -> Block:
        block = Block(Columns(columns.times.copy(), columns.values.copy(), columns.seqs.copy()))
        self.bytes += block.bytes
        self.sealed += block.count
        return block

    def _insert_late(self, late: Columns) -> list[Block]:
        """All at or before the last block's end: each goes into the first block that ends at or after it."""
        ends = np.fromiter((block.last_ms for block in self.blocks), dtype=np.int64, count=len(self.blocks))
        homes = ends.searchsorted(late.times)
        fresh: list[Block] = []
        for home in reversed(np.unique(homes).tolist()):  # from the back, so that the places before stay right
            first, end = homes.searchsorted((home, home + 1))
            block = self.blocks[home]
            both = merged(block.columns, late.cut(first, end))
            new = [self._keep(piece) for piece in pieces(both)]
            self._forget(block)
            self.blocks[home : home + 1] = new
            fresh += new
        return fresh

    def _forget(self, block: Block) -> None:
        block.let_go()
        self.sealed -= block.count
        self.bytes -= block.bytes

    def _passed(self, last_gone_ms: int) -> None:
        self.evicted_until_ms = max(self.evicted_until_ms, last_gone_ms + 1)
        if self.count:
            self.last_ms = int(self._times[self.count - 1])
        else:
            self.last_ms = self.blocks[-1].last_ms if self.blocks else NEVER
