"""The composition root: builds one service from settings, runs it under supervision, and says how it ended.

Everything that must survive a restart (mailboxes, hub, listening socket, memory tier, book) is made here,
once, and handed to the actors. Order of start: hub, notifier, persister, recorder, analysers, gateway; the
stop is its reverse, so that the way of a sample drains from its beginning to its end.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import trio

from actors.clock import TrustedClock
from actors.health import HealthBoard
from actors.hub import Hub
from actors.notifier import Notifier
from actors.pattern_analyzer import PatternAnalyzer
from actors.persister import Persister
from actors.progress import Progress
from actors.recorder import Recorder
from actors.supervisor import Beyond, ChildSpec, Escalation, Supervisor
from actors.watchdog import Watchdog
from analytics.budget import Budget
from analytics.catalogue import Catalogue
from analytics.rules import Rules
from conf.flags import FeatureFlags
from conf.loader import load_catalogue, load_rules
from conf.settings import DEFAULT, Settings
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier

from .app import create_app, create_shortcut
from .auth.access import build_access
from .backend import Backend
from .compose_detection import recorder_parts
from .compose_insights import insight_generator
from .compose_storage import archive_keeper, housekeeper
from .composed import coach_time, persist_policy
from .control import build_control
from .links import link_children
from .logs import configure_logs
from .mailboxes import Mailboxes
from .server import Server, open_listening_socket

LOG: Final = logging.getLogger(__name__)
EXIT_CLEAN: Final = 0
EXIT_ESCALATION: Final = 70  # EX_SOFTWARE: a supervisor gave up; systemd is the next one
GC_THRESHOLD: Final = (20_000, 20, 20)  # as shipped (700, 10, 10), collecting took a quarter of the time of ingest
SWITCH_S: Final = 0.001  # as shipped (5 ms), each system call of the event loop may wait that long for a busy thread
HOUR_MS: Final = 3_600_000


def wall_ms() -> int:
    """The wall clock, unix milliseconds."""
    return time.time_ns() // 1_000_000


class Service:
    """A service that is built and not yet running."""

    def __init__(
        self,
        settings: Settings,
        flags: FeatureFlags,
        *,
        catalogue: Catalogue,
        rules: Rules,
        listener: socket.socket,
        extra_children: Sequence[ChildSpec] = (),
        wall_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self.settings = settings
        self._watchdog = Watchdog()
        self._is_stopping = False
        self.clock = clock = TrustedClock(wall_ms)
        memory = MemoryTier(
            retention_ms=round(settings.memory_retention_hours * HOUR_MS),
            budget_bytes=settings.memory_budget_mb << 20,
            max_series=settings.max_metrics,
        )
        hub, board, progress = Hub(wall_ms), HealthBoard(wall_ms), Progress()
        boxes = Mailboxes()
        record, persist, notify = boxes.recorder, boxes.persister, boxes.notifier
        found, asked = boxes.insight_generator, boxes.pattern_analyzer
        book = InsightBook(settings.max_memory_insights, settings.max_memory_patterns)
        history = History(memory, wall_ms, catalogue.plausible)
        local_time = coach_time(settings)
        control = build_control(
            settings, flags, catalogue=catalogue, hub=hub, book=book, history=history, notifier=notify,
            persister=persist, recorder=record, local_time=local_time, wall_ms=wall_ms,
        )  # fmt: skip
        self.backend = Backend(
            settings=settings,
            flags=flags,
            wall_ms=wall_ms,
            catalogue=catalogue,
            memory=memory,
            history=history,
            book=book,
            hub=hub,
            board=board,
            progress=progress,
            record_mailbox=record,
            insight_mailbox=found,
            persist_mailbox=persist,
            pattern_mailbox=asked,
            control=control,
            uptime_s=_stopwatch(),
            budget=Budget(settings.notifications_per_week, wall_ms()),
            local_time=local_time,
            access=build_access(settings, wall_ms),
        )
        backend = self.backend
        threads = trio.CapacityLimiter(1)  # the analysers share one thread: the machine has few cores
        notifier = Notifier(
            mailbox=notify,
            hub=hub,
            marks=control.marks,
            alarms=control.alarms,
            tell=control.courier.hear,
            wall_ms=wall_ms,
        )
        keeper = archive_keeper(settings, wall_ms, progress)
        persister = Persister(
            mailbox=persist,
            notifier=notify,
            memory=memory,
            history=backend.history,
            book=backend.book,
            progress=progress,
            board=board,
            clock=clock,
            open_archive=keeper.open,
            salvage=keeper.salvage,
            policy=persist_policy(settings),
            enabled=flags.enabled("persistence"),
        )
        keeper.on_damage, keeper.on_replaced = persister.reopen, persister.start_over
        keeper.on_restored = persister.read_back
        recorder = Recorder(
            mailbox=record,
            persister=persist,
            insights=found,
            memory=memory,
            alarms=control.alarms,
            hub=hub,
            progress=progress,
            clock=clock,
            **recorder_parts(settings, backend),
            resolution_ms=settings.timestamp_resolution_ms,
        )
        insights = insight_generator(backend, rules, clock=clock, notifier=notify, limiter=threads)
        patterns = PatternAnalyzer(
            mailbox=asked,
            notifier=notify,
            persister=persist,
            history=backend.history,
            book=backend.book,
            catalogue=catalogue,
            clock=clock,
            interval_s=settings.pattern_analysis_interval_s,
            limiter=threads,
            local_time=backend.local_time,
            wanted=lambda: flags.enabled("analytics_dashboard_enhanced"),
        )
        server = Server(create_app(backend), listener, shortcut=create_shortcut(backend))
        self.supervisor = Supervisor(
            "service",
            (
                ChildSpec(name="watchdog", run=self._watchdog.run),
                ChildSpec(name="hub", run=hub.run),
                *control.children(),
                ChildSpec(name="notifier", run=notifier.run, mailbox=notify, stop=notify.close),
                ChildSpec(
                    name="persister",
                    run=persister.run,
                    mailbox=persist,
                    stop=persist.close,
                    busy_s=persister.storing_s,
                    hung_after_s=120,
                ),
                ChildSpec(
                    name="housekeeper", run=housekeeper(settings, backend.history, clock).run, beyond=Beyond.PARK
                ),
                ChildSpec(name="recorder", run=recorder.run, mailbox=record, stop=record.close),
                ChildSpec(name="insight_generator", run=insights.run, mailbox=found, beyond=Beyond.PARK),
                ChildSpec(
                    name="pattern_analyzer", run=patterns.run, mailbox=asked, beyond=Beyond.PARK, hung_after_s=120
                ),
                *control.late_children(),
                *link_children(backend),
                ChildSpec(name="gateway", run=server.run, stop=server.stop),
                *extra_children,
            ),
            board=board,
        )

    async def run(self) -> int:
        """Run until a signal or an escalation. Returns the exit code (a task that can't be ended: exits itself)."""
        code = EXIT_CLEAN
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._watch_signals)
                await self.supervisor.run(task_status=_Ready(self._ready))
                nursery.cancel_scope.cancel()
        except* Escalation as group:
            code = _give_up(group)
        finally:
            await self.aclose()
        return code

    async def aclose(self) -> None:
        """Close what an actor that was cancelled has left open for its next life, which there will not be."""
        await self.backend.control.store.aclose()

    def _ready(self) -> None:
        self.backend.ready = not self._is_stopping
        gc.freeze()  # what is here now stays: full collections need not look at it again and again
        gc.set_threshold(*GC_THRESHOLD)
        sys.setswitchinterval(SWITCH_S)
        self._watchdog.ready()
        LOG.info("ready")

    async def _watch_signals(self, *, task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for number in signals:
                if self._is_stopping:
                    LOG.warning("second signal: aborting at once")
                    os._exit(128 + number)
                LOG.info("%s: stopping", signal.Signals(number).name)
                self._is_stopping = True
                self.backend.ready = False
                self._watchdog.stopping()
                self.supervisor.shut_down()


def _stopwatch() -> Callable[[], float]:
    """Seconds since this call, by a clock that nobody sets."""
    begun_s = trio.current_time()
    return lambda: trio.current_time() - begun_s


class _Ready:
    """What the supervisor says when every child is ready, as the task_status it expects."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def started(self, value: None = None) -> None:
        self._tell()


def _give_up(group: BaseExceptionGroup[Escalation]) -> int:
    first: BaseExceptionGroup[Escalation] | Escalation = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    LOG.critical("giving up: %s", first)
    if first.stuck:
        os._exit(EXIT_ESCALATION)  # a task that ignores its cancel keeps trio.run from returning
    return EXIT_ESCALATION


def run_service(
    settings: Settings,
    flags: FeatureFlags,
    *,
    origin: Mapping[str, str],
    extra_children: Sequence[ChildSpec] = (),
) -> int:
    """Build the service and run it in this thread until it ends. Returns the process's exit code."""
    secrets = (each.reveal() for each in (settings.auth_secret, settings.core_token) if each is not None)
    configure_logs(settings.log_level, settings.log_format, secrets=secrets)
    changed = [f"{name} from {source}" for name, source in origin.items() if source != DEFAULT]
    LOG.info("settings that are not the default: %s", ", ".join(changed) or "none")
    try:
        listener = open_listening_socket(settings.host, settings.port)
    except OSError as error:
        LOG.critical("cannot listen on %s port %d: %s", settings.host, settings.port, error.strerror)
        return EXIT_ESCALATION
    with listener:
        LOG.info("listening on http://%s:%d", *listener.getsockname()[:2])
        if not flags.enabled("persistence"):
            LOG.info("persistence is off: nothing is written to disk and history ends with this process")
        return trio.run(_serve, settings, flags, listener, tuple(extra_children))


async def _serve(
    settings: Settings, flags: FeatureFlags, listener: socket.socket, extra_children: Sequence[ChildSpec]
) -> int:
    service = Service(
        settings,
        flags,
        catalogue=load_catalogue(settings.conf_dir),
        rules=load_rules(settings.conf_dir),
        listener=listener,
        extra_children=extra_children,
    )
    return await service.run()
