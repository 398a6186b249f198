"""The recorder: the only writer of the memory tier.

Owns the sequence number and the streaming detectors. For each batch, without a checkpoint in between: append to the
memory tier, hand the samples to detectors and thresholds, wake the persister, publish to the hub, answer. So a batch
is taken whole or (after a crash) taken again; taking it again changes nothing, since equal times replace each other
(the answer then counts as duplicates what the first attempt had accepted).

Restart: the sequence number and the detectors' baselines are read back from the memory tier. What the anomaly
detectors learned over weeks is handed on from one life to the next, and kept in a file while persistence is on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
import trio

from analytics.records import Finding
from analytics.streaming import Watchlist
from storage.detector_state import DetectorState
from storage.intake import rounded
from storage.memory import MemoryTier
from storage.models import Appended, SeriesPart

from .alarms import Alarms
from .clock import TrustedClock
from .hub import Hub
from .lately import last_half_hour, lately
from .mailbox import Mailbox
from .messages import Flush, Found, InsightMessage, PersisterMessage, Recorded, RecorderMessage
from .progress import Progress

LOG: Final = logging.getLogger(__name__)
HOUSEKEEPING_S: Final = 10.0  # how often silence is looked for and old samples are dropped
ALARMS_S: Final = 1.0  # how late a threshold's minimum duration may be noticed when no sample comes
SAVE_EVERY_S: Final = 3600.0
SAID_LIMIT: Final = 10_000  # metrics whose metadata are remembered: names come from outside
BACKLOG_LIMIT_SAMPLES: Final = 400_000  # past it, with a healthy disk, ingest waits for the persister


class Recorder:
    """One actor; `run` has a child's signature."""

    def __init__(
        self,
        *,
        mailbox: Mailbox[RecorderMessage],
        persister: Mailbox[PersisterMessage],
        insights: Mailbox[InsightMessage],
        memory: MemoryTier,
        make_watchlist: Callable[[], Watchlist],
        alarms: Alarms,
        hub: Hub,
        progress: Progress,
        clock: TrustedClock,
        state: DetectorState | None = None,
        resolution_ms: int = 1,
    ) -> None:
        self._mailbox = mailbox
        self._persister = persister
        self._insights = insights
        self._memory = memory
        self._make_watchlist = make_watchlist
        self._watchlist = make_watchlist()
        self._alarms = alarms
        self._hub = hub
        self._progress = progress
        self._clock = clock
        self._state = state
        self._learned: Mapping[str, Any] = {}  # by the detectors of earlier lives
        self._said: dict[str, str] = {}  # by metric: the metadata that were heard last
        self._saved_s = -math.inf
        self._resolution_ms = resolution_ms  # of timestamps; 1: as they come

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await self._load()
        await self._warm_up()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_house)
            nursery.start_soon(self._warm_up_again)
            nursery.start_soon(self._mind_alarms)
            task_status.started()
            await self._mailbox.run(self._record)
            nursery.cancel_scope.cancel()
        await self._save()

    async def _load(self) -> None:
        """What was learned before this process, once: an earlier life of this actor knows more than the file."""
        self._saved_s = trio.current_time()
        if self._state is not None and not self._learned and self._progress.state != "off":
            self._learned = await trio.to_thread.run_sync(self._state.load)

    async def _save(self) -> None:
        """Write the file, while persistence is on and something was learned."""
        self._saved_s = trio.current_time()
        learned = self._watchlist.pack()
        if self._state is None or not learned or self._progress.state not in ("on", "degraded"):
            return
        try:
            await trio.to_thread.run_sync(self._state.save, learned)
        except OSError as error:  # the disk is in trouble, which the persister tells of; the next hour may be better
            LOG.warning("what the detectors learned was not saved: %s", error)

    async def _warm_up(self) -> None:
        """Build the detectors' state again from what the memory tier holds."""
        watchlist = self._make_watchlist()
        self._learned = {**self._learned, **self._watchlist.pack()}
        infos = self._memory.infos()
        for info in infos:  # before anybody else looks at what came out of the archive
            self._hear(watchlist, info.name, info.metadata)
        self._place(watchlist)
        watchlist.unpack(self._learned)
        for info in infos:
            await trio.lowlevel.checkpoint()
            if info.latest is None:
                continue
            window = lately(self._memory, info.name, partial(watchlist.is_beyond, info.name))
            try:
                watchlist.warm(info.name, window.times, window.values)
            except Exception:  # a sample that crashes a detector would crash every restart: that metric starts cold
                LOG.exception("the detectors of %r start cold", info.name)
                watchlist.forget(info.name)
        self._watchlist = watchlist
        self._report(watchlist.active(self._clock.now_ms()))

    def _place(self, watchlist: Watchlist) -> None:
        """12, 24 or 48 V, 120 or 230 V: what the metrics of such systems have shown lately says which."""
        for name in self._memory.names():
            if watchlist.has_systems(name):
                watchlist.place(name, last_half_hour(self._memory, name).values)

    async def _warm_up_again(self) -> None:
        """The archive's latest samples come back into memory a moment after the start."""
        await self._progress.wait_restored()
        await self._warm_up()
        self._alarms.look(self._clock.now_ms())  # values that stand: what sends on change may not send for hours

    async def _record(self, message: RecorderMessage) -> None:
        await self._wait_for_room()
        now_ms = self._clock.now_ms()
        seq = self._memory.last_seq + 1
        results: list[Appended] = []
        taken: list[SeriesPart] = []
        kept = 0
        for given in message.parts:
            part = rounded(given, self._resolution_ms)
            done = self._memory.append(part, seq=seq, now_ms=now_ms)
            results.append(done)
            if done.full or not done.accepted + done.duplicates:
                continue
            kept += done.accepted + done.duplicates
            taken.append(_without(part, done) if done.rejected else part)
            self._hear(self._watchlist, part.name, part.metadata)
        findings = self._watchlist.observe_all(taken, now_ms)
        self._alarms.observe(taken, now_ms)
        latest = self._memory.news((part.name for part in taken), seq)
        self._progress.recorded(kept, seq=seq)
        if latest:
            self._hub.publish_metrics(latest)
            if self._progress.state != "off":
                self._persister.put_nowait(Flush())
        self._report(findings)
        message.reply.set(Recorded(seq=seq, parts=tuple(results)))

    async def _wait_for_room(self) -> None:
        """While a healthy disk is far behind, ingest waits; who sends too fast then gets 503 from the gateway."""
        while self._progress.state == "on" and self._progress.backlog >= BACKLOG_LIMIT_SAMPLES:
            self._mailbox.touch()  # waiting knowingly is not hanging
            with trio.move_on_after(HOUSEKEEPING_S):
                await self._progress.wait_for_room(BACKLOG_LIMIT_SAMPLES)

    async def _keep_house(self) -> None:
        """Every few seconds: sensors that fell silent, samples that are too old."""
        while True:
            await trio.sleep(HOUSEKEEPING_S)
            self._place(self._watchlist)
            self._report(self._watchlist.sweep(self._clock.now_ms()))
            if trio.current_time() - self._saved_s >= SAVE_EVERY_S:
                await self._save()
            persisted = self._progress.persisted_up_to if self._progress.state in ("on", "degraded") else None
            self._memory.evict(self._clock.horizon_ms(), persisted)

    async def _mind_alarms(self) -> None:
        """Every second: thresholds whose time has come, and metrics whose silence means something."""
        self._alarms.expect(self._memory.names())
        while True:
            await trio.sleep(ALARMS_S)
            self._alarms.sweep(self._clock.now_ms())

    def _hear(self, watchlist: Watchlist, name: str, metadata: str | None) -> None:
        """What the sender tells of a metric, once: here its unit counts."""
        if metadata is not None and metadata != self._said.get(name):
            if len(self._said) >= SAID_LIMIT:
                self._said.clear()  # metrics come and go; to hear the same again changes nothing
            self._said[name] = metadata
            unit = _unit_in(metadata)
            if unit is not None:
                watchlist.hear(name, unit)

    def _report(self, findings: list[Finding]) -> None:
        if findings:
            self._insights.put_nowait(Found(tuple(findings)))


def _unit_in(metadata: str) -> str | None:
    try:
        said = msgspec.json.decode(metadata)
    except msgspec.DecodeError:  # of an archive that something else wrote
        return None
    unit = said.get("unit") if isinstance(said, dict) else None
    return unit if isinstance(unit, str) else None


def _without(part: SeriesPart, done: Appended) -> SeriesPart:
    """The samples of `part` that were kept, where some were not."""
    mask = np.ones(len(part), dtype=bool)
    mask[[index for index, _ in done.rejected]] = False
    return SeriesPart(part.name, part.times[mask], part.values[mask], part.metadata)
