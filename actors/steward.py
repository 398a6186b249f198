"""The steward: keeper of the control store.

Opens it before anybody needs it (a slow disk goes on in the background, and the service is ready without it), hands the
thresholds and their states to the alarms, stores the states when they change (a peak that grows: now and then, and at
the end), goes on trying when the file can't be
used, and takes up what a restore has put into it. Its state is the store and the alarms, which survive a restart.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Final

import trio

from analytics.threshold import threshold_from
from storage.archive import ArchiveError
from storage.control import ControlStore
from storage.control_alerts import load_states, save_states
from storage.control_documents import all_documents
from storage.control_marks import load_marks
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks

from .alarms import Alarms
from .mailbox import Mailbox
from .messages import Flush, InsightChanged, NotifierMessage, PersisterMessage

LOG: Final = logging.getLogger(__name__)
THRESHOLD: Final = "threshold"
READY_S: Final = 1.0  # a file that takes longer is not waited for
GATHER_S: Final = 0.05  # changes that come together are stored together
RETRY_S: Final = 5.0
FILE_RETRY_S: Final = 60.0
LOOK_S: Final = 2.0  # how often it is asked whether another program has written into the file
PEAKS_S: Final = 600.0  # how often peaks that grew are stored: a value that creeps up must not write with every sample
EXPIRE_S: Final = 30.0  # how often insights are looked through for those whose time is over


class Steward:
    """One actor; `run` has a child's signature. The other methods are for the gateway."""

    def __init__(
        self,
        *,
        store: ControlStore,
        alarms: Alarms,
        book: InsightBook,
        marks: InsightMarks,
        notifier: Mailbox[NotifierMessage],
        persister: Mailbox[PersisterMessage],
        wall_ms: Callable[[], int],
        persisted: Callable[[], bool],
        restored: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._book = book
        self._marks = marks
        self._notifier = notifier
        self._persister = persister
        self._wall_ms = wall_ms
        self._persisted = persisted
        self._restored = restored
        self._stop = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        opened = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._work, nursery, opened)
            with trio.move_on_after(READY_S if self._persisted() else math.inf):
                await opened.wait()
            task_status.started()
            await self._stop.wait()
            nursery.cancel_scope.cancel()
        self._alarms.keep_peaks()
        await self._save()
        await self._store.aclose()

    def close(self) -> None:
        """Store what is left, and end."""
        self._stop.set()

    async def switch(self, persisted: bool) -> None:
        """Persistence was switched. What the file holds joins in."""
        await self._store.switch(persisted)
        await self.reload()

    async def reload(self) -> None:
        """What is stored has changed. Raises ArchiveError."""
        documents = await self._store.read(lambda connection: all_documents(connection, THRESHOLD))
        states = await self._store.read(load_states)
        self._marks.load(await self._store.read(load_marks))
        now_ms = self._wall_ms()
        self._alarms.replace([threshold_from(each.id, each.body) for each in documents], now_ms)
        self._alarms.watch.restore(states, now_ms)
        self._alarms.look(now_ms)

    async def _work(self, nursery: trio.Nursery, opened: trio.Event) -> None:
        begun_s = trio.current_time()
        await self._store.open(self._persisted())
        await self.reload()
        opened.set()
        took_s = trio.current_time() - begun_s
        if took_s > READY_S:
            LOG.warning("the disk is slow: %s was there after %.1f s", self._store.path, took_s)
            self._restored()  # whoever asked meanwhile asks again
        for work in (self._keep_states, self._keep_peaks, self._try_the_file, self._take_up, self._expire):
            nursery.start_soon(work)

    async def _keep_states(self) -> None:
        while True:
            await self._alarms.wait_changed()
            await trio.sleep(GATHER_S if await self._save() else RETRY_S)

    async def _keep_peaks(self) -> None:
        while True:
            await trio.sleep(PEAKS_S)
            self._alarms.keep_peaks()

    async def _save(self) -> bool:
        states = self._alarms.watch.changed()
        if not states:
            return True
        try:
            await self._store.write(lambda connection: save_states(connection, states))
        except ArchiveError as error:
            LOG.warning("alert states can't be stored now: %s", error.reason)
            return False
        self._alarms.watch.stored(states)
        return True

    async def _try_the_file(self) -> None:
        while True:
            await trio.sleep(FILE_RETRY_S)
            if self._store.wants_retry and await self._store.retry():
                LOG.info("settings are kept in %s again", self._store.path)
                await self.reload()

    async def _take_up(self) -> None:
        """Alerts that stand now go on as they are; thresholds, marks and the journal are those of the file."""
        restored = False
        while True:
            await trio.sleep(LOOK_S)
            try:
                restored = await self._store.changed_outside() or restored
                if not restored:
                    continue
                await self.reload()
            except ArchiveError as error:
                LOG.warning("whether %s was restored can't be seen now: %s", self._store.path, error.reason)
                continue
            LOG.info("%s was written by another program: its settings hold now", self._store.path)
            self._restored()
            restored = False

    async def _expire(self) -> None:
        """An insight nobody has heard of again for as long as its rule says is over."""
        while True:
            await trio.sleep(EXPIRE_S)
            now_ms = self._wall_ms()
            for each in self._book.expired(now_ms):
                over = self._book.resolve(each.key, now_ms, expired=True)
                if over is not None:
                    self._persister.put_nowait(Flush())
                    self._notifier.put_nowait(InsightChanged(over, is_new=False))
