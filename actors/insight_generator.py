"""The insight generator: turns findings into insights through the rules, and keeps the book of open ones true.

Two ways in: findings of the streaming detectors (at once), and the periodic sweep, which looks at the last half hour
of memory again in a thread. The sweep is also the recovery: what a crash made the streaming side forget is found
again, and an open insight whose condition no longer holds is resolved. (Deviations from a baseline can't be judged
from half an hour: they end through the stream, or expire.)
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final, assert_never

import trio

from analytics.budget import JUDGED, Budget
from analytics.catalogue import Catalogue
from analytics.records import Finding, Insight
from analytics.rules import Rules, insight_key
from analytics.streaming import EXAMINED, examine
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import Times, Values

from .clock import TrustedClock
from .mailbox import Mailbox
from .messages import (
    Flush,
    Found,
    InsightChanged,
    InsightMessage,
    NotifierMessage,
    PersisterMessage,
    Sweep,
)
from .rounds import Rounds

LOG: Final = logging.getLogger(__name__)
LOOK_BACK_MS: Final = 30 * 60 * 1000


class InsightGenerator:
    """One actor; `run` has a child's signature. Its state is the book, which survives it."""

    def __init__(
        self,
        *,
        mailbox: Mailbox[InsightMessage],
        notifier: Mailbox[NotifierMessage],
        persister: Mailbox[PersisterMessage],
        memory: MemoryTier,
        book: InsightBook,
        catalogue: Catalogue,
        rules: Rules,
        clock: TrustedClock,
        interval_s: float,
        limiter: trio.CapacityLimiter,
        budget: Budget | None = None,
    ) -> None:
        self._notifier = notifier
        self._persister = persister
        self._memory = memory
        self._book = book
        self._catalogue = catalogue
        self._rules = rules
        self._clock = clock
        self._limiter = limiter
        self._budget = budget
        self._rounds = Rounds(mailbox, handle=self._handle, look=self._sweep, interval_s=interval_s)
        self.run: Final = self._rounds.run

    async def _handle(self, message: InsightMessage) -> None:
        match message:
            case Found(findings):
                for finding in findings:
                    self._take(finding)
            case Sweep(reply):
                reply.set(await self._rounds.make())
            case _:
                assert_never(message)

    async def _sweep(self) -> tuple[Insight, ...]:
        """Look at everything again. Returns the insights that hold now, as far as looking again can tell."""
        now_ms = self._clock.now_ms()
        series: dict[str, tuple[Times, Values]] = {}
        for info in self._memory.infos():
            if info.last_ms is not None:
                window = self._memory.window(info.name, info.last_ms - LOOK_BACK_MS, info.last_ms + 1)
                series[info.name] = (window.times, window.values)
                await trio.lowlevel.checkpoint()
        findings = await trio.to_thread.run_sync(examine, self._catalogue, series, now_ms, limiter=self._limiter)
        held = [insight for finding in findings if (insight := self._take(finding)) is not None]
        keys = {insight.key for insight in held}
        for insight in self._book.open_insights(now_ms):
            if insight.key not in keys and insight.metric in series and insight.evidence.get("kind") in EXAMINED:
                self._resolve(insight.key, now_ms)
        return tuple(held)

    def _take(self, finding: Finding) -> Insight | None:
        now_ms = self._clock.now_ms()
        if finding.over:
            self._resolve(insight_key(finding), now_ms)
            return None
        start_ms = self._book.start_ms(insight_key(finding), now_ms)
        if start_ms is not None and start_ms < finding.start_ms:
            finding = replace(finding, start_ms=start_ms)  # whoever looks again sees less of the past than was known
        insight = self._rules.insight(finding, self._catalogue.spec(finding.metric), now_ms)
        if insight is None:
            return None
        is_new = self._book.upsert_insight(insight)
        insight = self._book.insight(insight.key) or insight
        if is_new and not self._may_tell(finding, insight, now_ms):  # in the book for whoever looks; nobody is called
            self._persister.put_nowait(Flush())
            return insight
        self._tell(insight, is_new=is_new)
        return insight

    def _may_tell(self, finding: Finding, insight: Insight, now_ms: int) -> bool:
        """Whether the budget of judgements allows it. Facts and what is critical are always told."""
        if self._budget is None or finding.kind not in JUDGED or insight.severity == "critical":
            return True
        return self._budget.spend(now_ms)

    def _resolve(self, key: str, now_ms: int) -> None:
        insight = self._book.resolve(key, now_ms)
        if insight is not None:
            self._tell(insight, is_new=False)

    def _tell(self, insight: Insight, *, is_new: bool) -> None:
        self._persister.put_nowait(Flush())
        self._notifier.put_nowait(InsightChanged(insight, is_new))
