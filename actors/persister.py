"""The persister: carries what memory holds into the archive, and owns the archive while it is open.

The memory tier is its queue: a Flush only wakes it, then it reads everything newer than `progress.persisted_up_to`,
commits it in one transaction, and says so. So a restart, a full disk or a switched-off flag loses nothing that
memory still has, and appending twice is harmless.

Trouble with the disk is expected: it says `degraded` with a reason, keeps trying with backoff, and catches up. Content
the archive can never take is bisected down to the sample and put aside, so that its neighbours are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, assert_never

import trio

from storage.archive import Archive, ArchiveError, PoisonError
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import PersistenceState

from .clock import TrustedClock
from .health import HealthBoard
from .mailbox import Mailbox
from .messages import Flush, NotifierMessage, PersisterMessage, StatusChanged, SwitchPersistence
from .persist_policy import COMMIT_SAMPLES, PersistPolicy
from .poison import Storable, append_around, label
from .progress import Progress
from .read_back import read_back

LOG: Final = logging.getLogger(__name__)
NAME: Final = "persister"
BACKOFF_S: Final = (0.25, 15.0)  # first and longest pause between two tries of a failing disk
INSIGHT_RETENTION_MS: Final = 7 * 86_400_000
CLOSE_WITHIN_S: Final = 4.0
READY_WITHIN_S: Final = 0.5  # a slow disk, or a check of the file, does not keep the service from serving memory


def conflate(old: PersisterMessage, new: PersisterMessage) -> PersisterMessage:
    """Two flushes are one. (A switch has somebody who waits for it: mailboxes never conflate those.)"""
    return Flush(now=any(isinstance(message, Flush) and message.now for message in (old, new)))


class Persister:
    """One actor; `run` has a child's signature. Whether it is switched on survives its restarts."""

    def __init__(
        self,
        *,
        mailbox: Mailbox[PersisterMessage],
        notifier: Mailbox[NotifierMessage],
        memory: MemoryTier,
        history: History,
        book: InsightBook,
        progress: Progress,
        board: HealthBoard,
        clock: TrustedClock,
        open_archive: Callable[[], Awaitable[Archive]],
        policy: PersistPolicy,
        enabled: bool,
        salvage: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._notifier = notifier
        self._memory = memory
        self._history = history
        self._book = book
        self._progress = progress
        self._board = board
        self._clock = clock
        self._open_archive = open_archive
        self._policy = policy
        self._enabled = enabled
        self._salvage = salvage  # what a damaged file still holds into the open archive; how many rows it took
        self._damaged = False  # the open archive: to be closed and opened again
        self._replayed = False
        self.poisoned = 0  # samples and records put aside, since the process started
        self._archive: Archive | None = None
        self._waiting_switches: list[SwitchPersistence] = []
        self._urgent = False
        self._wake = trio.Event()
        self._backoff_s = 0.0
        self._storing_since_s: float | None = None  # Trio time
        self._tried_s = self._last_commit_s = float("-inf")  # Trio time

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self._backoff_s = 0.0
        self._urgent = True  # the first round opens the archive and catches up at once
        self._set_state("starting" if self._enabled else "off", None)
        try:
            async with trio.open_nursery() as nursery:
                settled = trio.Event()
                nursery.start_soon(self._work, nursery, settled)
                with trio.move_on_after(READY_WITHIN_S):
                    await settled.wait()
                task_status.started()
                await self._mailbox.run(self._handle)
                nursery.cancel_scope.cancel()
            await self._last_commit()
        finally:
            with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
                await self._close()

    def storing_s(self) -> float | None:
        """How long the commit that goes on has taken; None: none does. (Its messages are handled at once.)"""
        return None if self._storing_since_s is None else trio.current_time() - self._storing_since_s

    def reopen(self) -> None:
        """Somebody met damage in the archive: close it and open it again, now."""
        self._damaged = True
        self._wake.set()

    def read_back(self) -> None:
        """The archive has another past: its records and latest samples are to be read at the next opening."""
        self._replayed = False

    def start_over(self) -> None:
        """The archive is a new one: store in it everything memory and book hold."""
        self._progress.start_over()
        self._book.mark_dirty()

    async def _handle(self, message: PersisterMessage) -> None:
        match message:
            case Flush(now):
                self._urgent = self._urgent or now
            case SwitchPersistence(enabled):
                self._enabled = enabled
                self._waiting_switches.append(message)
                self._urgent = True
                self._backoff_s = 0.0
            case _:
                assert_never(message)
        self._wake.set()

    async def _work(self, nursery: trio.Nursery, settled: trio.Event) -> None:
        """Round after round. `settled` is set when the first has shown how the archive is."""
        while True:
            self._urgent = False
            self._tried_s = trio.current_time()
            try:
                await self._settle(nursery)
                if self._archive is not None:
                    await self._commit(self._archive)
                    self._backoff_s = 0.0
                    self._set_state("on", None)
            except ArchiveError as error:
                await self._degrade(error)
            settled.set()
            self._answer_switches()
            await self._pause()

    async def _settle(self, nursery: trio.Nursery) -> None:
        """Open or close the archive, whichever the switch asks for."""
        if self._damaged:
            self._damaged = False
            await self._close()
        if self._enabled and self._archive is None:
            self._archive = await self._open_archive()
            self._history.archive = self._archive
            self._damaged = False
            if not self._replayed:
                await self._replay_records(self._archive)
            nursery.start_soon(self._fill_up, self._archive)
        elif not self._enabled:
            if self._archive is not None:
                await self._commit(self._archive)
                await self._close()
            self._set_state("off", None)

    async def _commit(self, archive: Archive) -> None:
        """Store everything recorded up to now."""
        target = self._memory.last_seq
        while True:
            parts, up_to = self._memory.since(self._progress.persisted_up_to, COMMIT_SAMPLES)
            insights, patterns = self._book.dirty()
            if parts or insights or patterns:
                self._storing_since_s = trio.current_time()
                try:
                    await append_around(archive, (*parts, *insights, *patterns), self._put_aside)
                finally:
                    self._storing_since_s = None
                self._book.mark_clean(insights, patterns)
                self._last_commit_s = trio.current_time()
                self._progress.committed(self._clock.now_ms())
            self._progress.advance(up_to)
            if up_to >= target:
                return

    def _put_aside(self, item: Storable, error: PoisonError) -> None:
        self.poisoned += 1
        LOG.error("put aside what the archive can never take: %s: %s", label(item), error)

    async def _replay_records(self, archive: Archive) -> None:
        """Insights and patterns are few: they are back before the first commit."""
        since_ms = self._clock.horizon_ms() - INSIGHT_RETENTION_MS
        for insight in reversed(await archive.insights(since_ms, self._book.max_insights)):
            self._book.restore_insight(insight)
        for pattern in reversed(await archive.patterns(since_ms, self._book.max_patterns)):
            self._book.restore_pattern(pattern)

    async def _fill_up(self, archive: Archive) -> None:
        """Beside everything else: a damaged file's rest into the archive, the latest samples back into memory."""
        if self._salvage is not None:
            try:
                if await self._salvage() and not self._replayed:
                    await self._replay_records(archive)
            except ArchiveError as error:
                LOG.warning("saving what a damaged file holds stopped, to be tried again: %s", error.reason)
                return
        if not self._replayed:
            await self._replay_samples(archive)

    async def _replay_samples(self, archive: Archive) -> None:
        try:
            await read_back(archive, self._memory, self._clock.horizon_ms(), self._policy.replay_ms)
        except ArchiveError as error:
            LOG.warning("reading the last hours back into memory stopped: %s", error.reason)
            return
        self._replayed = True
        self._progress.restored()

    async def _degrade(self, error: ArchiveError) -> None:
        self._backoff_s = min(max(self._backoff_s * 2, BACKOFF_S[0]), BACKOFF_S[1])
        self._set_state("degraded", error.reason)
        if error.trouble not in ("busy", "full"):
            await self._close()  # the next round opens it anew

    async def _pause(self) -> None:
        """Until the next commit is due, or somebody waits for one."""
        while True:
            due_s = self._due_s()
            if trio.current_time() >= due_s:
                await trio.lowlevel.checkpoint()
                return
            self._wake = trio.Event()
            with trio.move_on_at(due_s):
                await self._wake.wait()

    def _due_s(self) -> float:
        """Trio time of the next round."""
        if self._waiting_switches or (self._damaged and self._archive is not None):
            return float("-inf")
        if self._backoff_s:
            return self._tried_s + self._backoff_s
        if self._archive is None:
            return float("inf")
        if self._urgent:
            return float("-inf")
        return self._policy.due_s(self._progress.backlog, tried_s=self._tried_s, last_commit_s=self._last_commit_s)

    def _answer_switches(self) -> None:
        for switch in self._waiting_switches:
            switch.reply.set(None)
        self._waiting_switches.clear()

    async def _last_commit(self) -> None:
        """At the stop: what came in since the last commit. A failing disk is told of, not waited for."""
        if self._archive is None:
            if self._enabled and self._progress.backlog:
                LOG.error(
                    "%d samples are lost: the archive could not be opened before the stop", self._progress.backlog
                )
            return
        try:
            await self._commit(self._archive)
        except ArchiveError as error:
            LOG.error("the last commit failed, samples since the previous one are lost: %s", error.reason)

    async def _close(self) -> None:
        archive, self._archive, self._history.archive = self._archive, None, None
        if archive is not None:
            await archive.aclose()

    def _set_state(self, state: PersistenceState, reason: str | None) -> None:
        if (state, reason) == (self._progress.state, self._progress.reason):
            return
        self._progress.set_state(state, reason)
        if state == "degraded":
            self._board.degraded(NAME, reason or "unknown")
        else:
            self._board.recovered(NAME)
        self._notifier.put_nowait(StatusChanged("persistence", state, reason))
