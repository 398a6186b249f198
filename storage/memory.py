"""The memory tier: the samples of the last hours, by metric, within a budget of bytes.

Owns every series. Only the recorder writes to it; it is also the persister's queue (`since`). Promises
- a part is taken sample by sample: a value that is not finite, a time before 1970 or more than `future_ms` ahead
  is refused with a reason, the rest is kept; late samples find their place; of samples with one time the last
  to come wins and is counted as a duplicate; a new metric beyond `max_series` is refused as a whole (`full`);
- a sample stays for `retention_ms` after its time and after its arrival, whichever is later, unless the budget is
  short: then the oldest go first, and what an archive already has before what it has not;
- every byte is counted, fixed costs included. The cost of the tables alone can't be evicted;
- what is handed out is read-only and never changes: threads may read it. The tier itself belongs to the event loop.

Newest samples lie in plain arrays; full runs become blocks, which are compressed as time allows (packer.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import takewhile
from typing import Final

from .backlog import collect, earliest_late
from .block import SAMPLE_BYTES, Block
from .eviction import Losses, oldest_first
from .intake import FUTURE_MS, ArrivalLog, in_order, missing, rising, sift
from .models import EMPTY_WINDOW, Appended, Latest, MemoryStatus, SeriesInfo, SeriesPart, Window
from .packer import Packer
from .series import Series

SMALL: Final = 64  # up to here Python's own numbers are quicker than numpy's
SMALLEST_SEAL: Final = 32  # samples in the shortest blocks, when very many metrics share the budget
LEAST_SHARE_BYTES: Final = 4_096  # of the budget, for each metric: a smaller budget carries fewer metrics
PACK_PER_EVICT: Final = 64  # blocks compressed in one round of housekeeping: about 4 ms
UNKNOWN_MS: Final = 2**62
_TAKEN: Final = tuple(Appended(accepted=count, duplicates=0) for count in range(SMALL + 1))


class MemoryTier:
    """See the module docstring for the promises."""

    def __init__(
        self,
        *,
        retention_ms: int,
        budget_bytes: int = 32 << 20,
        max_series: int = 5_000,
        future_ms: int = FUTURE_MS,
        block_samples: int = 512,
    ) -> None:
        self._retention_ms, self._future_ms = retention_ms, future_ms
        self._budget_bytes = budget_bytes
        self._max_series = min(max_series, max(1, budget_bytes // LEAST_SHARE_BYTES))
        self._block_samples = self._seal_at = block_samples
        self._series: dict[str, Series] = {}
        self._by_seq: OrderedDict[str, Series] = OrderedDict()  # the last one written to stands last
        self._bytes = 0
        self._losses = Losses()
        self._last_seq = 0
        self._packer = Packer()
        self._unpacked_limit = budget_bytes // 8  # sealed blocks may wait for compression up to here
        self._arrivals = ArrivalLog()
        self._restored_from_ms: int | None = None
        self._forgot_some = False
        self._empty: OrderedDict[str, None] = OrderedDict()  # metrics that hold no sample any more

    @property
    def last_seq(self) -> int:
        """The highest sequence number that was appended; 0 before the first."""
        return self._last_seq

    # -- writing

    def append(self, part: SeriesPart, *, seq: int, now_ms: int) -> Appended:
        """Take the samples of one metric under one sequence number, which never falls from call to call."""
        if seq > self._last_seq:
            self._last_seq = seq
            self._arrivals.note(now_ms, seq)
        series = self._series.get(part.name)
        size = len(part.times)
        if series is not None and 0 < size <= SMALL and series.count + size < self._seal_at:
            before = series.bytes
            if series.take_few(part, seq, now_ms, now_ms + self._future_ms):
                self._note(series, part.metadata, seq)
                if self._packer.waiting_bytes > self._unpacked_limit:
                    self._bytes -= self._packer.pack(2)
                if series.bytes != before:
                    self._bytes += series.bytes - before
                    if self._bytes > self._budget_bytes:
                        self._shrink()
                return _TAKEN[size]
            self._bytes += series.bytes - before
        return self._append_any(series, part, seq, now_ms)

    def _append_any(self, series: Series | None, part: SeriesPart, seq: int, now_ms: int) -> Appended:
        """The general case, whole columns at a time."""
        limit_ms = now_ms + self._future_ms
        sorted_already = len(part.times) > 0 and in_order(part, series.last_ms if series else -1, limit_ms)
        rejected: tuple[tuple[int, str], ...] = ()
        times, values = part.times, part.values
        if not sorted_already:
            times, values, rejected = sift(part, limit_ms, self._future_ms)
            if not len(times):
                return Appended(0, 0, rejected)
        if series is None:
            series = self._new_series(part.name, now_ms)
            if series is None:
                reason = f"there are already {self._max_series} metrics: no room for a new one"
                return Appended(0, 0, tuple((index, reason) for index in range(len(part.times))), full=True)
        before, taken, replaced = series.bytes, len(times), 0
        if sorted_already:
            fresh = series.append_sorted(times, values, seq, self._seal_at)
        else:
            times, values = rising(times, values)
            replaced, fresh = series.insert(times, values, seq, self._seal_at)
        duplicates = taken - len(times) + replaced
        series.received += taken - duplicates
        series.note_latest(int(times[-1]), float(values[-1]), seq, now_ms)
        self._note(series, part.metadata, seq)
        self._account(series, before, fresh)
        return Appended(taken - duplicates, duplicates, rejected)

    def restore(self, name: str, window: Window, metadata: str | None = None) -> None:
        """Fill in what an archive has. Kept samples stay as they are; these count as persisted and as arrived."""
        if not len(window):
            return
        series = self._series.get(name) or self._new_series(name, int(window.times[0]))
        if series is None:
            return
        before = series.bytes
        fresh: list[Block] = []
        times, values = missing(window, series.window(int(window.times[0]), int(window.times[-1]) + 1))
        if len(times):
            _, fresh = series.insert(times, values, 0, self._seal_at)
            series.received += len(times)
            series.first_received_ms = min(series.first_received_ms, int(times[0]))
        if series.latest() is None:
            series.note_latest(int(window.times[-1]), float(window.values[-1]), 0, 0)
        if series.metadata is None and metadata is not None:
            series.set_metadata(metadata, 0)
        self._account(series, before, fresh)

    def mark_restored(self, start_ms: int) -> None:
        """Everything the archive holds from `start_ms` on has been restored: readers need not ask it for that."""
        self._restored_from_ms = start_ms

    def evict(self, horizon_ms: int, persisted_seq: int | None) -> int:
        """Drop what lies more than the retention before `horizon_ms`, in time and in arrival, and hold the budget.

        `persisted_seq`: up to where an archive has everything; None: there is none. Returns how many samples went.
        """
        self._losses.persisted_seq = persisted_seq
        before = self._losses.evicted
        cutoff_ms = horizon_ms - self._retention_ms
        arrived_seq = self._arrivals.up_to(cutoff_ms)
        for series in self._series.values():
            if not series.samples:
                continue
            size = series.bytes
            for seqs in series.drop_before(cutoff_ms, arrived_seq):
                self._losses.count(seqs)
            self._bytes += series.bytes - size
            if not series.samples:
                self._empty[series.name] = None
        self._bytes -= self._packer.pack(PACK_PER_EVICT)
        if self._bytes > self._budget_bytes:
            self._shrink()
        return self._losses.evicted - before

    # -- reading

    def window(self, name: str, start_ms: int, end_ms: int) -> Window:
        """Samples in [start, end); an empty window for an unknown metric."""
        series = self._series.get(name)
        return series.window(start_ms, end_ms) if series is not None else EMPTY_WINDOW

    def since(self, seq: int, max_samples: int) -> tuple[list[SeriesPart], int]:
        """Every kept sample with a sequence number in (seq, up_to], and up_to.

        As many batches as fit into `max_samples`, but at least one. Metadata comes with a part when it changed
        after `seq`: the text it has now.
        """
        changed = takewhile(lambda series: series.last_seq > seq, reversed(self._by_seq.values()))
        return collect(changed, seq, max_samples, self._last_seq)

    def late_from_ms(self, name: str, seq: int, before_ms: int) -> int | None:
        """The earliest time before `before_ms` among the samples that came after `seq`; None: there are none."""
        series = self._series.get(name)
        return None if series is None else earliest_late(series, seq, before_ms)

    def complete_from_ms(self, name: str) -> int | None:
        """From this time on, every sample of the metric that any tier knows is in memory. None: nobody can say."""
        series = self._series.get(name)
        if series is None or self._restored_from_ms is None or series.evicted_until_ms == UNKNOWN_MS:
            return None
        return max(self._restored_from_ms, series.evicted_until_ms)

    def latest(self) -> dict[str, Latest]:
        return {name: latest for name, series in self._series.items() if (latest := series.latest())}

    def latest_of(self, name: str) -> Latest | None:
        series = self._series.get(name)
        return series.latest() if series is not None else None

    def news(self, names: Iterable[str], seq: int) -> dict[str, tuple[int, float]]:
        """(time, value) of each metric whose latest sample came under `seq`: a late one is no news."""
        table = self._series
        return {
            name: (series.latest_ms, series.latest_value)
            for name in names
            if (series := table.get(name)) is not None and series.latest_seq == seq
        }

    def infos(self) -> list[SeriesInfo]:
        """Sorted by name."""
        return [self._series[name].info() for name in sorted(self._series)]

    def info(self, name: str) -> SeriesInfo | None:
        series = self._series.get(name)
        return series.info() if series is not None else None

    def names(self) -> list[str]:
        """Every metric it knows, those whose samples are all gone included, sorted."""
        return sorted(self._series)

    def status(self) -> MemoryStatus:
        return MemoryStatus(
            series=len(self._series),
            samples=sum(series.samples for series in self._series.values()),
            bytes=self._bytes,
            budget_bytes=self._budget_bytes,
            evicted=self._losses.evicted,
            lost_unpersisted=self._losses.lost_unpersisted,
        )

    # -- inside

    def _new_series(self, name: str, first_ms: int) -> Series | None:
        if len(self._series) >= self._max_series and not self._forget_an_empty_one():
            return None
        series = Series(name, first_ms)
        if self._forgot_some:
            series.evicted_until_ms = UNKNOWN_MS  # it may have been one of those
        self._series[name] = series
        self._bytes += series.bytes
        share = self._budget_bytes // (3 * SAMPLE_BYTES * len(self._series))
        self._seal_at = min(self._block_samples, max(SMALLEST_SEAL, share))
        return series

    def _forget_an_empty_one(self) -> bool:
        """A metric whose samples are all gone makes room for a new one; the one that fell silent first goes."""
        while self._empty:
            name, _ = self._empty.popitem(last=False)
            series = self._series.get(name)
            if series is not None and not series.samples:
                del self._series[name]
                self._by_seq.pop(name, None)
                self._bytes -= series.bytes
                self._forgot_some = True
                return True
        return False

    def _note(self, series: Series, metadata: str | None, seq: int) -> None:
        if metadata is not None and metadata != series.metadata:
            series.set_metadata(metadata, seq)
        self._by_seq[series.name] = series
        self._by_seq.move_to_end(series.name)

    def _account(self, series: Series, before: int, fresh: list[Block]) -> None:
        self._packer.add(series, fresh)
        self._bytes += series.bytes - before
        if self._packer.waiting_bytes > self._unpacked_limit:
            self._bytes -= self._packer.pack(len(fresh) + 2)
        if self._bytes > self._budget_bytes:
            self._shrink()

    def _shrink(self) -> None:
        """Back under the budget: compress what waits, drop old blocks, and if need be the newest samples as well."""
        while self._bytes > self._budget_bytes and self._packer.waiting_bytes:
            self._bytes -= self._packer.pack(1)
        self._drop_oldest()
        if self._bytes > self._budget_bytes:
            for series in self._series.values():
                before = series.bytes
                for block in series.seal():
                    series.pack(block)
                self._bytes += series.bytes - before
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Drop blocks until the budget has a little room again; what an archive has goes before what it has not."""
        if self._bytes <= self._budget_bytes:
            return
        has_seq = self._losses.persisted_seq if self._losses.persisted_seq is not None else self._last_seq
        target = self._budget_bytes - self._budget_bytes // 32
        for series, block in oldest_first(self._series.values(), has_seq):
            if self._bytes <= target:
                break
            before = series.bytes
            self._losses.count(series.drop(block))
            self._bytes += series.bytes - before
            if not series.samples:
                self._empty[series.name] = None
