"""The history: memory and archive read as one.

Owns nothing; the persister sets `archive` while it is open. Promises
- no sample is counted twice: where both tiers have a time, memory's value holds;
- samples that have not been stored yet are there, old ones that came late included;
- when the archive is in trouble the answer is what memory holds, with `complete` False and the reason. Without an
  archive (persistence is off) memory is all there is, and the answer is complete;
- samples that are not plausible are in `window`, and left out of `buckets` (see quarantine.py).

How far back memory alone suffices is known per metric (`MemoryTier.complete_from_ms`): the archive is asked for what
lies before. Where memory holds samples there, too (late ones, rests of blocks), both are read as rows and merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import trio
from msgspec import Struct

from .archive import Archive, ArchiveError
from .grid import combined, merged_windows, sum_up
from .memory import MemoryTier
from .models import Buckets, Latest, Window
from .quarantine import ANYTHING, Range, implausible, joined, outside, suspect_spans, without_implausible

SEARCH_STEP_MS: Final = 300_000  # buckets in which implausible samples are looked for
LATELY_MS: Final = 86_400_000  # so far before the last sample a plausible one is looked for
AT_ONCE: Final = 8  # metrics read together: bounds what is held, and how long other readers wait
ROWS_STEP_MS: Final = 86_400_000  # spans to be merged as rows are read a day at a time


class HistoryWindows(Struct, frozen=True):
    """Samples by metric, metrics without any left out. Not `complete`: memory's share only, for this `reason`."""

    windows: Mapping[str, Window]
    complete: bool
    reason: str | None


class HistoryBuckets(Struct, frozen=True):
    """Buckets by metric, as `HistoryWindows`."""

    buckets: Mapping[str, Buckets]
    complete: bool
    reason: str | None


class History:
    """See the module docstring. All times are unix milliseconds; spans are [start, end)."""

    def __init__(
        self, memory: MemoryTier, wall_ms: Callable[[], int], plausible: Callable[[str], Range] = lambda name: ANYTHING
    ) -> None:
        """`plausible`: the range a metric can be in, its ends included; None: no bound."""
        self.archive: Archive | None = None
        self.plausible: Final = plausible
        self._memory = memory
        self._wall_ms = wall_ms

    async def window(
        self, names: Sequence[str], start_ms: int, end_ms: int, limit: int | None = None
    ) -> HistoryWindows:
        """Every sample; with `limit`: the newest `limit` of each metric."""
        windows: dict[str, Window] = {}
        reason: str | None = None
        for name in names:
            archive = self.archive if reason is None else None
            recent = self._memory.window(name, start_ms, end_ms)
            bound_ms = self._archive_bound(name, end_ms)
            if archive is not None and start_ms < bound_ms:
                try:
                    stored = await archive.window([name], start_ms, bound_ms, limit)
                    if len(recent) and recent.times[0] < bound_ms:
                        recent = _besides(recent, await archive.thinned(name, int(recent.times[0]), bound_ms))
                    recent = merged_windows(stored.get(name), recent)
                except ArchiveError as error:
                    reason = error.reason
            else:
                await trio.lowlevel.checkpoint()  # many metrics of memory alone must not hold up the event loop
            if limit is not None and len(recent) > limit:
                recent = Window(recent.times[-limit:], recent.values[-limit:])
            if len(recent):
                windows[name] = recent
        return HistoryWindows(windows, reason is None, reason)

    async def buckets(self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> HistoryBuckets:
        """Every plausible sample, summed up on the grid of `step_ms`."""
        read = await self._all_buckets(names, start_ms, end_ms, step_ms)
        found, reason = dict(read.buckets), read.reason
        for name, buckets in read.buckets.items():
            spans = suspect_spans(buckets, self.plausible(name))
            if not spans:
                continue
            windows = []
            for first_ms, last_ms in spans:
                part = await self.window([name], max(first_ms, start_ms), min(last_ms, end_ms))
                windows += list(part.windows.values())
                reason = reason or part.reason
            clean = without_implausible(buckets, windows, self.plausible(name))
            if len(clean):
                found[name] = clean
            else:
                del found[name]
        return HistoryBuckets(found, reason is None, reason)

    async def implausible(self, names: Sequence[str], start_ms: int, end_ms: int, limit: int) -> HistoryWindows:
        """The samples in quarantine: the newest `limit` of each metric."""
        read = await self._all_buckets(names, start_ms, end_ms, SEARCH_STEP_MS)
        found, reason = {}, read.reason
        for name, buckets in read.buckets.items():
            kept: list[Window] = []
            for first_ms, last_ms in reversed(suspect_spans(buckets, self.plausible(name))):
                part = await self.window([name], max(first_ms, start_ms), min(last_ms, end_ms))
                reason = reason or part.reason
                kept += [implausible(window, self.plausible(name)) for window in part.windows.values()]
                if sum(map(len, kept)) >= limit:
                    break
            if kept:
                found[name] = joined(kept[::-1], limit)
        return HistoryWindows(found, reason is None, reason)

    async def _all_buckets(self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> HistoryBuckets:
        found: dict[str, Buckets] = {}
        reason: str | None = None
        for first in range(0, len(names), AT_ONCE):
            some = {name: self._memory.window(name, start_ms, end_ms) for name in names[first : first + AT_ONCE]}
            parts: Mapping[str, list[Buckets]] = {}
            if self.archive is not None and reason is None:
                try:
                    parts = await self._parts(self.archive, some, start_ms, end_ms, step_ms)
                except ArchiveError as error:
                    reason = error.reason
            await trio.lowlevel.checkpoint()
            for name, recent in some.items():
                whole = combined(parts.get(name) or [sum_up(recent, step_ms)], step_ms)
                if len(whole):
                    found[name] = whole
        return HistoryBuckets(found, reason is None, reason)

    async def _parts(
        self, archive: Archive, some: Mapping[str, Window], start_ms: int, end_ms: int, step_ms: int
    ) -> dict[str, list[Buckets]]:
        """What both tiers have of some metrics; those memory has all of are left out. Raises ArchiveError."""
        parts: dict[str, list[Buckets]] = {}
        apart: dict[int, list[str]] = {}  # by where memory begins, if it has nothing before
        for name, recent in some.items():
            bound_ms = self._archive_bound(name, end_ms)
            if start_ms < bound_ms and not (len(recent) and recent.times[0] < bound_ms):
                apart.setdefault(bound_ms, []).append(name)
                parts[name] = [sum_up(recent, step_ms)]
            elif start_ms < bound_ms:
                parts[name] = await _both(archive, name, recent, (start_ms, bound_ms), step_ms)
        for bound_ms, names in apart.items():  # in one hop: it costs more than what is read in it
            for name, stored in (await archive.buckets(names, start_ms, bound_ms, step_ms)).items():
                parts[name].append(stored)
        return parts

    def latest(self) -> dict[str, Latest]:
        """The newest sample of each metric that memory holds."""
        return self._memory.latest()

    def last_plausible(self, name: str) -> float | None:
        """The newest value in memory that can be; None: there is none in the day before the last sample."""
        latest = self._memory.latest_of(name)
        if latest is None:
            return None
        bounds, value = self.plausible(name), np.array([latest.value])
        if not outside(value, value, bounds)[0]:
            return latest.value
        values = self._memory.window(name, latest.time_ms - LATELY_MS, latest.time_ms).values
        sound = values[~outside(values, values, bounds)]
        return float(sound[-1]) if len(sound) else None

    async def bound(self, name: str, start_ms: int, end_ms: int, samples: int) -> int:
        """As `Archive.bound`, of the archive's share; memory's is bounded by its budget."""
        bound_ms = self._archive_bound(name, end_ms)
        if self.archive is None or start_ms >= bound_ms:
            await trio.lowlevel.checkpoint()
            return end_ms
        try:
            found_ms = await self.archive.bound(name, start_ms, bound_ms, samples)
        except ArchiveError:
            return end_ms  # its trouble shows when the samples are read
        return end_ms if found_ms >= bound_ms else found_ms

    async def names(self) -> list[str]:
        """Every metric either tier knows, sorted. Archive in trouble: those of memory."""
        names = set(self._memory.names())
        if self.archive is not None:
            try:
                names.update(await self.archive.names())
            except ArchiveError:
                return sorted(names)  # its trouble shows in the status and with every read of samples
        return sorted(names)

    def _archive_bound(self, name: str, end_ms: int) -> int:
        """The archive may have something that memory has not, before this time."""
        complete_ms = self._memory.complete_from_ms(name)
        return end_ms if complete_ms is None else min(end_ms, complete_ms)


async def _both(archive: Archive, name: str, recent: Window, span: tuple[int, int], step_ms: int) -> list[Buckets]:
    """Buckets of memory's samples and of what the archive has in `span` besides."""
    start_ms, bound_ms = span
    early = int(recent.times.searchsorted(bound_ms))  # so many of memory's samples the archive may have as well
    parts = [sum_up(Window(recent.times[early:], recent.values[early:]), step_ms)]
    first_ms = int(recent.times[0]) if early else bound_ms
    last_ms = int(recent.times[early - 1]) + 1 if early else bound_ms
    for from_ms, to_ms in ((start_ms, first_ms), (last_ms, bound_ms)):
        if from_ms < to_ms:
            stored = (await archive.buckets([name], from_ms, to_ms, step_ms)).get(name)
            if stored is not None:
                parts.append(stored)
    spans = await archive.thinned(name, first_ms, last_ms) if early else ()
    for from_ms, to_ms in spans:
        stored = (await archive.buckets([name], from_ms, to_ms, step_ms)).get(name)
        if stored is not None:
            parts.append(stored)
    for begin_ms, end_ms in _between(spans, first_ms, last_ms):
        for from_ms in range(begin_ms, end_ms, ROWS_STEP_MS):
            to_ms = min(from_ms + ROWS_STEP_MS, end_ms)
            first, end = recent.times.searchsorted((from_ms, to_ms))
            rows = (await archive.window([name], from_ms, to_ms)).get(name)
            whole = merged_windows(rows, Window(recent.times[first:end], recent.values[first:end]))
            parts.append(sum_up(whole, step_ms))
    return parts


def _between(spans: Sequence[tuple[int, int]], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """What `spans`, in order, leave of [start_ms, end_ms)."""
    edges = [start_ms, *(edge for span in spans for edge in span), end_ms]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first < last]


def _besides(window: Window, spans: Sequence[tuple[int, int]]) -> Window:
    """The samples outside of `spans`: those inside count in the buckets that are left of them."""
    if not spans:
        return window
    keep = np.ones(len(window), dtype=np.bool_)
    for first, last in window.times.searchsorted(np.array(spans, dtype=np.int64)).tolist():
        keep[first:last] = False
    times, values = window.times[keep], window.values[keep]
    times.flags.writeable = values.flags.writeable = False
    return Window(times, values)
