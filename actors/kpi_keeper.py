"""The KPI keeper: works the KPIs out every few minutes, keeps their values at hand and records them as metrics.

One actor; its state is the board of values, which survives it. What a user has defined under the id of a shipped KPI
stands in its place. A KPI that fails or takes too long is left out and logged; the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np
import trio
from msgspec import Struct

from analytics.catalogue import Catalogue, MetricSpec
from analytics.kpi import Call, KpiError, calls, evaluate, span
from analytics.kpi_catalogue import Kpi, UnknownRoleError, make_kpi, metric_of
from analytics.kpi_functions import Reading
from analytics.local_time import LocalTime
from analytics.records import Json
from storage.archive import ArchiveError
from storage.control import ControlStore
from storage.control_documents import all_documents
from storage.history import History
from storage.models import SeriesPart

from .mailbox import Mailbox
from .messages import Record, RecorderMessage

LOG: Final = logging.getLogger(__name__)
KPI: Final = "kpi"
INTERVAL_S: Final = 300.0
FIRST_S: Final = 5.0  # after the start
WITHIN_S: Final = 10.0  # one KPI
RAW_MS: Final = 2 * 3_600_000  # spans up to it are read sample by sample
DAY_MS: Final = 86_400_000


class KpiValue(Struct, frozen=True):
    value: float | None  # None: not known
    at_ms: int


class KpiKeeper:
    """`run` has a child's signature; the other methods are for the gateway."""

    def __init__(
        self,
        *,
        shipped: Iterable[Json],
        store: ControlStore,
        history: History,
        catalogue: Catalogue,
        recorder: Mailbox[RecorderMessage],
        local_time: LocalTime,
        wall_ms: Callable[[], int],
    ) -> None:
        """Raises KpiError naming a shipped KPI that can't be used."""
        self._catalogue = catalogue
        self._shipped = {}
        for body in shipped:
            try:
                self._shipped[body["id"]] = make_kpi(body["id"], body, catalogue, shipped=True)
            except UnknownRoleError as error:  # a catalogue of one's own need not know all of ours
                LOG.info("KPI %s is left out: %s", body["id"], error)
            except KpiError as error:
                raise KpiError(f"{body['id']}: {error}") from error
        self._store = store
        self._history = history
        self._recorder = recorder
        self._local_time = local_time
        self._wall_ms = wall_ms
        self._values: dict[str, KpiValue] = {}
        self._defined: list[MetricSpec] = []
        self._define(self._shipped.values())

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await trio.sleep(FIRST_S)
        while True:
            await self.work_out()
            await trio.sleep(INTERVAL_S)

    @property
    def values(self) -> Mapping[str, KpiValue]:
        """The latest, by id."""
        return self._values

    async def kpis(self) -> list[Kpi]:
        """Shipped ones, or what stands in their place, then the user's own. Raises ArchiveError."""
        found = dict(self._shipped)
        for each in await self._store.read(lambda connection: all_documents(connection, KPI)):
            try:
                found[each.id] = make_kpi(each.id, each.body, self._catalogue)
            except KpiError as error:  # the catalogue has changed since it was set
                LOG.warning("KPI %s can't be used any more: %s", each.id, error)
        self._define(found.values())
        return list(found.values())

    def _define(self, kpis: Iterable[Kpi]) -> None:
        """What is recorded of a KPI has its unit and its name, whatever patterns its id may fit."""
        specs = [MetricSpec(pattern=each.metric, unit=each.unit or None, title=each.name) for each in kpis]
        if specs != self._defined:
            self._catalogue.define(specs)
            self._defined = specs

    def shipped(self, id_: str) -> Kpi | None:
        return self._shipped.get(id_)

    async def work_out(self) -> None:
        """All of them, now."""
        try:
            kpis = await self.kpis()
        except ArchiveError as error:
            LOG.warning("KPIs can't be read now: %s", error.reason)
            kpis = list(self._shipped.values())
        names = await self._history.names()
        for gone in set(self._values) - {each.id for each in kpis}:
            del self._values[gone]
        parts = []
        for kpi in kpis:
            value = await self.value(kpi, names)
            now_ms = self._wall_ms()
            self._values[kpi.id] = KpiValue(value, now_ms)
            if value is not None:
                parts.append(SeriesPart(kpi.metric, np.array([now_ms], dtype=np.int64), np.array([value])))
        if parts:
            try:
                self._recorder.put_nowait(Record(tuple(parts)))
            except (trio.WouldBlock, trio.ClosedResourceError):
                LOG.info("the recorder is busy: KPIs are recorded the next time")

    async def value(self, kpi: Kpi, names: Iterable[str]) -> float | None:
        """Now; None where it can't be known, or not in time."""
        readings: dict[Call, Reading | None] = {}
        with trio.move_on_after(WITHIN_S):
            for call in calls(kpi.node):
                readings[call] = await self._read(call, names)
            return await trio.to_thread.run_sync(evaluate, kpi.node, readings)
        LOG.warning("KPI %s took longer than %g s", kpi.id, WITHIN_S)
        return None

    async def _read(self, call: Call, names: Iterable[str]) -> Reading | None:
        metric = metric_of(call, names, self._catalogue)
        if metric is None:
            return None
        start_ms, end_ms = span(call.window, self._wall_ms(), self._local_time)
        if end_ms - start_ms <= RAW_MS:
            window = (await self._history.window([metric], start_ms, end_ms)).windows.get(metric)
            if window is None:
                return None
            ones = np.ones(len(window), dtype=np.int64)
            return Reading(window.times, window.values, window.values, window.values, ones, start_ms, end_ms)
        step_ms = 60_000 if end_ms - start_ms <= 2 * DAY_MS else 600_000
        buckets = (await self._history.buckets([metric], start_ms, end_ms, step_ms)).buckets.get(metric)
        if buckets is None:
            return None
        means = buckets.total / np.maximum(buckets.count, 1)
        times = np.clip(buckets.starts, start_ms, None)
        return Reading(times, means, buckets.minimum, buckets.maximum, buckets.count, start_ms, end_ms)
