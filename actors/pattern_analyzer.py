"""The pattern analyzer: every so often, and when asked, looks for regularities over days.

Reads both tiers through the history, computes in a thread, and puts what it found into the book. When the archive
can't be read it works on memory alone. It keeps no state of its own, so a restart loses none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import trio

from analytics.catalogue import Catalogue
from analytics.patterns import Analysis, analyze
from storage.history import History
from storage.insight_book import InsightBook
from storage.models import Buckets, Times, Values

from .clock import TrustedClock
from .mailbox import Mailbox
from .messages import Flush, NotifierMessage, PatternFound, PatternMessage, PersisterMessage
from .rounds import Rounds

LOG: Final = logging.getLogger(__name__)
LOOK_BACK_MS: Final = 7 * 86_400_000
POINTS: Final = 700  # about that many buckets a metric


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
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._notifier = notifier
        self._persister = persister
        self._history = history
        self._book = book
        self._catalogue = catalogue
        self._clock = clock
        self._limiter = limiter
        self._rounds = Rounds(mailbox, handle=self._handle, look=self._analyze, interval_s=interval_s, wanted=wanted)
        self.run: Final = self._rounds.run

    async def _handle(self, message: PatternMessage) -> None:
        await self._rounds.make()

    async def _analyze(self) -> None:
        now_ms = self._clock.now_ms()
        names = await self._history.names()
        found = await analyze_history(
            self._history, self._catalogue, names, now_ms - LOOK_BACK_MS, now_ms, self._limiter
        )
        for pattern in found.patterns:
            if self._book.upsert_pattern(pattern):
                self._notifier.put_nowait(PatternFound(pattern))
        if found.patterns:
            self._persister.put_nowait(Flush())


async def analyze_history(
    history: History,
    catalogue: Catalogue,
    names: list[str],
    start_ms: int,
    end_ms: int,
    limiter: trio.CapacityLimiter,
) -> Analysis:
    """Patterns, correlations, anomalies, predictions of [start_ms, end_ms): both tiers, computed in a thread."""
    step_ms = _step_ms(end_ms - start_ms)
    read = await history.buckets(names, start_ms, end_ms, step_ms)
    return await trio.to_thread.run_sync(_analyze_buckets, read.buckets, end_ms, catalogue, limiter=limiter)


def _analyze_buckets(buckets: Mapping[str, Buckets], now_ms: int, catalogue: Catalogue) -> Analysis:
    series: dict[str, tuple[Times, Values]] = {}
    for name, some in buckets.items():
        series[name] = (some.starts + some.step_ms // 2, some.total / np.maximum(some.count, 1))
    return analyze(series, now_ms, catalogue)


def _step_ms(span_ms: int) -> int:
    """The finest step of 10 s, 1, 5, 15, 60 min that keeps a series at about POINTS buckets."""
    for step_s in (10, 60, 300, 900):
        if span_ms / (step_s * 1000) <= POINTS:
            return step_s * 1000
    return 3_600_000
