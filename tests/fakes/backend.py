"""A backend of real parts and small mailboxes that nobody reads, for tests that play the actors themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from actors.health import HealthBoard
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import NotifierMessage, PersisterMessage, Pressure, RecorderMessage
from actors.progress import Progress
from analytics.catalogue import Catalogue
from analytics.local_time import UTC_TIME
from conf.flags import FeatureFlags, parse_flags
from conf.settings import Settings
from gateway.backend import Backend
from gateway.control import build_control
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier


def make_backend(
    wall_ms: Callable[[], int],
    flags: Mapping[str, Any],
    *,
    settings: Settings | None = None,
    catalogue: Catalogue | None = None,
    memory: MemoryTier | None = None,
    **more: Any,
) -> Backend:
    """`flags`: as feature_flags.yaml has them; `more`: further members of Backend."""
    settings, catalogue = settings or Settings(), catalogue or Catalogue()
    memory = memory or MemoryTier(retention_ms=7_200_000)
    switches, hub, book = FeatureFlags(parse_flags(flags)), Hub(wall_ms), InsightBook()
    history = History(memory, wall_ms, catalogue.plausible)
    record: Mailbox[RecorderMessage] = Mailbox("recorder", capacity=2, pressure=Pressure.BLOCK)
    persist: Mailbox[PersisterMessage] = Mailbox("persister", capacity=8, pressure=Pressure.CONFLATE)
    notifier: Mailbox[NotifierMessage] = Mailbox("notifier", capacity=64, pressure=Pressure.DROP_OLDEST)
    members: dict[str, Any] = {
        "settings": settings,
        "flags": switches,
        "wall_ms": wall_ms,
        "catalogue": catalogue,
        "memory": memory,
        "history": history,
        "book": book,
        "hub": hub,
        "board": HealthBoard(wall_ms),
        "progress": Progress(),
        "record_mailbox": record,
        "insight_mailbox": Mailbox("insight_generator", capacity=8, pressure=Pressure.DROP_OLDEST),
        "persist_mailbox": persist,
        "pattern_mailbox": Mailbox("pattern_analyzer", capacity=1, pressure=Pressure.CONFLATE),
        "uptime_s": lambda: 60.0,
        "control": build_control(
            settings,
            switches,
            catalogue=catalogue,
            hub=hub,
            book=book,
            history=history,
            notifier=notifier,
            persister=persist,
            recorder=record,
            local_time=UTC_TIME,
            wall_ms=wall_ms,
        ),
    }
    return Backend(**{**members, **more})
