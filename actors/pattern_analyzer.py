"""The pattern analyzer: every so often, and when asked, looks for regularities over days and over the last hours.

Two looks. The long one reads both tiers through the history, by the hour over LONG_LOOK: cycles of the day and the week
(by the coach's clock), trends, new levels, correlations, forecasts. The short one reads the last hours finely: what
repeats within minutes, and all there is to say while there is no history of days yet. When the archive can't be read
both work on memory alone, and the log says so.

The computing goes through a thread a slice at a time, so that others who share the thread get their turn and the event
loop never waits for longer than one numpy call. It keeps no state of its own, so a restart loses none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Final

import trio

from analytics.catalogue import Catalogue
from analytics.correlation import correlations
from analytics.finer_look import looked_at_again, told_a_period
from analytics.local_time import UTC_TIME, LocalTime
from analytics.patterns import Analysis, Wanted, look_at, partners_of, prepared, put_together
from analytics.records import Correlation, Pattern
from analytics.regularities import short_period_patterns
from analytics.robust import Times, Values
from storage.grid import as_series
from storage.history import History
from storage.insight_book import InsightBook
from storage.looks import LOOKS, finer_looks
from storage.readings import last_readings

from .clock import TrustedClock
from .mailbox import Mailbox
from .messages import Flush, NotifierMessage, PatternFound, PatternMessage, PersisterMessage
from .rounds import Rounds

LOG: Final = logging.getLogger(__name__)
HOUR_MS: Final = 3_600_000
LONG_LOOK_MS: Final = 30 * 24 * HOUR_MS
SHORT_LOOK_MS, SHORT_STEP_MS = LOOKS[0]  # the finest
DAYS_NEEDED_MS: Final = 48 * HOUR_MS  # of history, for the long look to say more than the short one
SLICE: Final = 8  # metrics a hop into the thread
PATTERNS: Final = Wanted(patterns=True, correlations=True, anomalies=False, predictions=False)

Series = Mapping[str, tuple[Times, Values]]


class PatternAnalyzer:
    """One actor; `run` has a child's signature. `wanted`: whether it looks by itself at all."""

    def __init__(
        self,
        *,
        mailbox: Mailbox[PatternMessage],
        notifier: Mailbox[NotifierMessage],
        persister: Mailbox[PersisterMessage],
        history: History,
        book: InsightBook,
        catalogue: Catalogue,
        clock: TrustedClock,
        interval_s: float,
        limiter: trio.CapacityLimiter,
        local_time: LocalTime = UTC_TIME,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._notifier = notifier
        self._persister = persister
        self._history = history
        self._book = book
        self._catalogue = catalogue
        self._clock = clock
        self._limiter = limiter
        self._local = local_time
        self._rounds = Rounds(mailbox, handle=self._handle, look=self._analyze, interval_s=interval_s, wanted=wanted)
        self.run: Final = self._rounds.run

    async def _handle(self, message: PatternMessage) -> None:
        await self._rounds.make()

    async def _analyze(self) -> None:
        now_ms = self._clock.now_ms()
        names = await self._history.names()
        long, reason = await read_series(self._history, names, now_ms - LONG_LOOK_MS, now_ms, HOUR_MS, self._is_counter)
        short, short_reason = await read_series(
            self._history, names, now_ms - SHORT_LOOK_MS, now_ms, SHORT_STEP_MS, self._is_counter
        )
        if reason or short_reason:
            LOG.warning("patterns are looked for in memory alone: %s", reason or short_reason)
        old = {name for name, (times, _) in long.items() if int(times[-1]) - int(times[0]) >= DAYS_NEEDED_MS}
        analysis = await analyze_in_slices(
            short | {name: long[name] for name in old},
            now_ms,
            self._catalogue,
            PATTERNS,
            local=self._local,
            limiter=self._limiter,
        )
        found = [
            *await self._again(analysis.patterns, old, now_ms),
            *await self._short_periods(short, old, analysis.correlations, now_ms),
        ]
        patterns = {pattern.pattern_id: pattern for pattern in found}
        for pattern in patterns.values():
            if self._book.upsert_pattern(pattern):
                self._notifier.put_nowait(PatternFound(pattern))
        if patterns:
            self._persister.put_nowait(Flush())

    async def _again(self, patterns: list[Pattern], old: set[str], now_ms: int) -> list[Pattern]:
        """After a finer look at what is said to repeat on the long look's grid."""
        names = [name for name in told_a_period(patterns, self._catalogue) if name in old]
        looks, _ = await finer_looks(self._history, names, now_ms, HOUR_MS)
        return await trio.to_thread.run_sync(
            looked_at_again, patterns, looks, self._catalogue, now_ms, HOUR_MS, limiter=self._limiter
        )

    def _is_counter(self, name: str) -> bool:
        return self._catalogue.spec(name).kind == "counter"

    async def _short_periods(
        self, short: Series, old: set[str], pairs: list[Correlation], now_ms: int
    ) -> list[Pattern]:
        """Of the metrics that got the long look: what it is too coarse for."""
        ready = {
            name: each for name, each in prepared(short, self._catalogue).items()
            if name in old and self._catalogue.spec(name).kind == "gauge"
        }  # fmt: skip

        def look(names: Sequence[str]) -> list[Pattern]:
            found: list[Pattern] = []
            for name in names:
                times, values = ready[name]
                partners = partners_of(name, pairs)
                found += short_period_patterns(
                    name, times, values, self._catalogue.spec(name), now_ms=now_ms, partners=partners
                )
            return found

        found: list[Pattern] = []
        for names in _slices(list(ready)):
            found += await trio.to_thread.run_sync(look, names, limiter=self._limiter)
        return found


async def analyze_in_slices(
    series: Series,
    now_ms: int,
    catalogue: Catalogue,
    wanted: Wanted,
    *,
    local: LocalTime,
    limiter: trio.CapacityLimiter,
) -> Analysis:
    """As `analytics.patterns.analyze`, a few metrics at a time in a thread: cancellable in between."""
    ready = await trio.to_thread.run_sync(prepared, series, catalogue, limiter=limiter)
    pairs: list[Correlation] = []
    if wanted.correlations or wanted.patterns:
        pairs = await trio.to_thread.run_sync(correlations, ready, limiter=limiter)

    def look(names: Sequence[str]) -> list[Analysis]:
        return [
            look_at(name, *ready[name], catalogue.spec(name), now_ms, wanted, local=local, pairs=pairs)
            for name in names
        ]

    parts: list[Analysis] = []
    for names in _slices(list(ready)):
        parts += await trio.to_thread.run_sync(look, names, limiter=limiter)
    return put_together(parts, pairs if wanted.correlations else [])


async def read_series(
    history: History, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int,
    is_counter: Callable[[str], bool] = lambda name: False,
) -> tuple[dict[str, tuple[Times, Values]], str | None]:  # fmt: skip
    """Bucket means of both tiers over [start_ms, end_ms), at their middles, or the last readings of counters; and why
    memory alone was read."""
    start_ms -= start_ms % step_ms
    read = await history.buckets(names, start_ms, end_ms, step_ms)
    counters = {name: some for name, some in read.buckets.items() if is_counter(name)}
    counted = await last_readings(history, counters, start_ms, end_ms)
    series = {name: as_series(some) for name, some in read.buckets.items() if name not in counted.series}
    return series | dict(counted.series), read.reason or counted.reason


def _slices(names: list[str]) -> list[list[str]]:
    rest = iter(names)
    return list(iter(lambda: list(islice(rest, SLICE)), []))
