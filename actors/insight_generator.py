"""The insight generator: turns findings into insights through the rules, and keeps the book of open ones true.

Three ways in: findings of the streaming detectors (at once), the checks of the coach (every five minutes), and the
periodic sweep, which looks at the last half hour of memory again in a thread and asks every check. The sweep is also
the recovery: what a crash made the streaming side forget is found again, and an open insight whose condition no longer
holds is resolved. (Deviations from a baseline can't be judged from half an hour: they end through the stream, or
expire.)
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final, assert_never

import trio
from msgspec.structs import replace

from analytics.budget import JUDGED, Budget
from analytics.catalogue import Catalogue, title_from
from analytics.coach_facts import COACH_KINDS
from analytics.evidence import BESIDE_MS, co_moving, evidence
from analytics.limits import is_beyond
from analytics.records import Finding, FindingKind, Insight
from analytics.rules import EVERYTHING, Rules, insight_key
from analytics.streaming import EXAMINED, examine
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import Times, Values

from .clock import TrustedClock
from .coach_rounds import CoachRounds
from .insight_desk import Change, InsightDesk
from .lately import LOOK_BACK_MS, lately
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
from .progress import Progress
from .rounds import Rounds

LOG: Final = logging.getLogger(__name__)
OLD_MS: Final = 6 * 3_600_000  # a past that was sent later says nothing of now: neither news nor an end
COACH_S: Final = 60.0  # how often it is seen whether a slot of the coach's log is complete
BESIDE_LIMIT: Final = 300  # metrics that are looked at for what moved along


class InsightGenerator:
    """One actor; `run` has a child's signature. Its state is the book and the coach's log, which survive it."""

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
        coach: CoachRounds,
        progress: Progress,
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
        self._coach = coach
        self._progress = progress
        self._clock = clock
        self._limiter = limiter
        self._budget = budget
        self._desk = InsightDesk(book=book, rules=rules, catalogue=catalogue, started_ms=clock.now_ms())
        self._rounds = Rounds(mailbox, handle=self._handle, look=self._sweep, interval_s=interval_s)
        self._refilled = 0  # how often the coach's past was read

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._refill)
            nursery.start_soon(self._look_at_the_coach)
            task_status.started()
            await self._rounds.run()
            nursery.cancel_scope.cancel("the mailbox is closed and empty")

    async def _handle(self, message: InsightMessage) -> None:
        match message:
            case Found(findings):
                self._tell(self._desk.take(await self._with_evidence(findings), self._clock.now_ms()))
            case Sweep(reply):
                reply.set(await self._rounds.make())
            case _:
                assert_never(message)

    async def _refill(self) -> None:
        """The coach's past comes from the archive once that is there, and again after a restore. After a crash of this
        actor it is known."""
        while True:
            restored = await self._progress.wait_restored(self._refilled)
            now_ms = self._clock.now_ms()
            told = [
                (FindingKind(kind), insight.metric)
                for insight in self._book.open_insights(now_ms)
                if (kind := insight.evidence.get("kind")) in COACH_KINDS and insight.metric is not None
            ]
            await self._coach.refill(now_ms, told)
            self._refilled = restored

    async def _look_at_the_coach(self) -> None:
        while True:
            await trio.sleep(COACH_S)
            findings = await self._coach.look(self._clock.now_ms())
            self._tell(self._desk.take(findings, self._clock.now_ms()))

    async def _sweep(self) -> tuple[Insight, ...]:
        """Look at everything again. Returns the insights that hold now, as far as looking again can tell."""
        now_ms = self._clock.now_ms()
        series: dict[str, tuple[Times, Values]] = {}
        for info in self._memory.infos():
            if info.latest is not None and now_ms - info.latest.time_ms <= OLD_MS:
                spec = self._catalogue.spec(info.name)
                window = lately(self._memory, info.name, partial(is_beyond, spec=spec))
                if len(window):
                    series[info.name] = (window.times, window.values)
                await trio.lowlevel.checkpoint()
        found = await trio.to_thread.run_sync(examine, self._catalogue, series, now_ms, limiter=self._limiter)
        found = await self._with_evidence(found) + await self._coach.look(now_ms, thorough=True)
        changes = self._desk.take(found, now_ms)
        keys = {insight_key(finding) for finding in found}
        heard = any(latest.seq > 0 for name in series if (latest := self._memory.latest_of(name)))  # in this process
        for insight in self._book.open_insights(now_ms):
            is_examined = insight.metric in series and insight.evidence.get("kind") in EXAMINED
            if insight.key not in keys and (is_examined or (heard and self._desk.is_left_over(insight))):
                changes += self._desk.resolve(insight.key, now_ms)
        self._tell(changes)
        return tuple(change.insight for change in changes if change.insight.status != "resolved")

    async def _with_evidence(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings with their course and coverage; a new one also with what moved at the same time."""
        done = []
        for finding in findings:
            if finding.over or finding.metric == EVERYTHING:
                done.append(finding)
                continue
            now_ms = self._clock.now_ms()
            known = self._book.open_insight(insight_key(finding), now_ms)
            window = self._memory.window(finding.metric, finding.start_ms - LOOK_BACK_MS, now_ms + 1)
            more = evidence(window.times, window.values, finding.metric, finding.start_ms, now_ms)
            if known is None:
                more["co_moving"] = await self._beside(finding)
            elif "co_moving" in known.evidence:
                more["co_moving"] = known.evidence["co_moving"]
            more |= finding.evidence
            if "co_moving" in more:
                more["co_moving"] = [self._named(each) for each in more["co_moving"]]
            done.append(replace(finding, evidence=more))
        return done

    def _named(self, moved: Mapping[str, Any]) -> dict[str, Any]:
        """What moved along, as people call it and in which unit."""
        spec = self._catalogue.spec(moved["metric"])
        return {**moved, "title": spec.title or title_from(moved["metric"]), "unit": spec.unit}

    async def _beside(self, finding: Finding) -> list[dict[str, Any]]:
        around: dict[str, tuple[Times, Values]] = {}
        for name in self._memory.names()[:BESIDE_LIMIT]:
            window = self._memory.window(name, finding.start_ms - BESIDE_MS, finding.start_ms + BESIDE_MS)
            around[name] = (window.times, window.values)
            await trio.lowlevel.checkpoint()
        return await trio.to_thread.run_sync(
            partial(co_moving, around, finding.metric, finding.start_ms), limiter=self._limiter
        )

    def _tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._persister.put_nowait(Flush())
            if self._may_tell(change):  # if not, it stands in the book for whoever looks, and nobody is called
                self._notifier.put_nowait(InsightChanged(change.insight, change.is_new, change.is_news))

    def _may_tell(self, change: Change) -> bool:
        """Whether the budget of judgements allows it. Facts and what is critical are always told."""
        insight = change.insight
        if self._budget is None or not change.is_news or insight.severity == "critical":
            return True
        return insight.evidence.get("kind") not in JUDGED or self._budget.spend(self._clock.now_ms())
