"""An archive without a disk: the double of SqliteArchive for tests of what stands on it.

Shows the behaviour of `tests/storage/archive_suite.py`. Besides, a test may set `trouble` (every call raises it), make
a metric `poison`, or hold appends back with `gate`; `appends` counts what was committed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import trio

from analytics.records import Insight, Pattern
from storage.archive import ArchiveError, PoisonError
from storage.grid import sum_up
from storage.models import ArchiveStatus, Buckets, SeriesPart, Window
from storage.usage import ArchiveUse, MetricUse, Span


class MemoryArchive:
    """See the module docstring."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[int, float]] = {}
        self.metadata_of: dict[tuple[str, int], str | None] = {}
        self.kept_insights: dict[str, Insight] = {}
        self.kept_patterns: dict[str, Pattern] = {}
        self.trouble: ArchiveError | None = None
        self.poison: set[str] = set()
        self.gate: trio.Event | None = None  # appends wait for it
        self.appends = 0
        self.closed = False

    async def append(
        self,
        parts: Sequence[SeriesPart],
        insights: Sequence[Insight] = (),
        patterns: Sequence[Pattern] = (),
    ) -> None:
        await trio.lowlevel.checkpoint()
        if self.gate is not None:
            await self.gate.wait()
        self._check()
        for part in parts:
            _storable(part)
            if part.name in self.poison:
                raise PoisonError(f"{part.name} is poison")
        for insight in insights:
            _json(dict(insight.evidence), dict(insight.supporting_data))
        for pattern in patterns:
            _json(dict(pattern.data))
        for part in parts:
            kept = self.samples.setdefault(part.name, {})
            for time_ms, value in zip(part.times.tolist(), part.values.tolist(), strict=True):
                kept[time_ms] = value
                self.metadata_of[part.name, time_ms] = part.metadata
        self.kept_insights.update((insight.insight_id, insight) for insight in insights)
        self.kept_patterns.update((pattern.pattern_id, pattern) for pattern in patterns)
        self.appends += 1

    async def names(self) -> list[str]:
        await self._enter()
        return sorted(name for name, kept in self.samples.items() if kept)

    async def metadata(self) -> Mapping[str, str]:
        await self._enter()
        return {name: text for (name, _), text in sorted(self.metadata_of.items()) if text is not None}

    async def window(
        self, names: Sequence[str], start_ms: int, end_ms: int, limit: int | None = None
    ) -> Mapping[str, Window]:
        await self._enter()
        found = {name: self._window(name, start_ms, end_ms) for name in names}
        if limit is not None:
            found = {name: Window(kept.times[-limit:], kept.values[-limit:]) for name, kept in found.items()}
        return {name: kept for name, kept in found.items() if len(kept)}

    async def bound(self, name: str, start_ms: int, end_ms: int, samples: int) -> int:
        await self._enter()
        times = self._window(name, start_ms, end_ms).times
        return int(times[samples - 1]) + 1 if len(times) >= samples else end_ms

    async def thinned(self, name: str, start_ms: int, end_ms: int) -> Sequence[tuple[int, int]]:
        return []

    async def buckets(self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> Mapping[str, Buckets]:
        await self._enter()
        found = {name: sum_up(self._window(name, start_ms, end_ms), step_ms) for name in names}
        return {name: kept for name, kept in found.items() if len(kept)}

    async def insights(self, since_ms: int, limit: int) -> list[Insight]:
        await self._enter()
        kept = [insight for insight in self.kept_insights.values() if insight.updated_at_ms >= since_ms]
        return sorted(kept, key=lambda insight: (-insight.updated_at_ms, insight.insight_id))[:limit]

    async def patterns(self, since_ms: int, limit: int) -> list[Pattern]:
        await self._enter()
        kept = [pattern for pattern in self.kept_patterns.values() if pattern.created_at_ms >= since_ms]
        return sorted(kept, key=lambda pattern: (-pattern.created_at_ms, pattern.pattern_id))[:limit]

    async def compact(self, at_least: int) -> int:
        await self._enter()
        return 0  # a dictionary is as packed as it will be

    async def thin(self) -> int:
        await self._enter()
        return 0

    async def purge(self, samples_before_ms: int, insights_before_ms: int, batch: int) -> int:
        await self._enter()
        gone = 0
        for insight in list(self.kept_insights.values()):
            if insight.updated_at_ms < insights_before_ms:
                del self.kept_insights[insight.insight_id]
                gone += 1
        for pattern in list(self.kept_patterns.values()):
            if pattern.created_at_ms < insights_before_ms:
                del self.kept_patterns[pattern.pattern_id]
                gone += 1
        for kept in self.samples.values():
            for time_ms in sorted(kept):
                if time_ms < samples_before_ms and gone < batch:
                    del kept[time_ms]
                    gone += 1
        return gone

    async def usage(self) -> ArchiveUse:
        await self._enter()
        metrics = [
            MetricUse(name, (Span(0, len(kept), 16.0 * len(kept), min(kept), max(kept)),), None)
            for name, kept in sorted(self.samples.items())
            if kept
        ]
        return ArchiveUse(0, 0, 0, tuple(metrics), (), None)

    async def status(self) -> ArchiveStatus:
        await self._enter()
        return ArchiveStatus(size_bytes=0, samples=sum(map(len, self.samples.values())), last_commit_ms=None)

    async def aclose(self) -> None:
        self.closed = True

    async def _enter(self) -> None:
        await trio.lowlevel.checkpoint()
        self._check()

    def _check(self) -> None:
        if self.closed:
            raise ArchiveError("closed", "the archive is closed")
        if self.trouble is not None:
            raise self.trouble

    def _window(self, name: str, start_ms: int, end_ms: int) -> Window:
        kept = sorted(item for item in self.samples.get(name, {}).items() if start_ms <= item[0] < end_ms)
        times = np.array([time_ms for time_ms, _ in kept], dtype=np.int64)
        values = np.array([value for _, value in kept], dtype=np.float64)
        times.flags.writeable = values.flags.writeable = False
        return Window(times, values)


def _storable(part: SeriesPart) -> None:
    if not np.isfinite(part.values).all():
        raise PoisonError("a value is not a finite number")
    try:
        part.name.encode()
        (part.metadata or "").encode()
    except UnicodeError as error:
        raise PoisonError(str(error)) from error
    if part.metadata is not None:
        _json_text(part.metadata)


def _json_text(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise PoisonError(str(error)) from error


def _json(*contents: object) -> None:
    try:
        for content in contents:
            json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise PoisonError(str(error)) from error
