"""What the gateway is built around: the parts of a running service, which the app uses and does not own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from actors.core_link import CoreLink
from actors.health import HealthBoard
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import InsightMessage, PatternMessage, PersisterMessage, RecorderMessage
from actors.progress import Progress
from analytics.budget import Budget
from analytics.catalogue import Catalogue
from analytics.local_time import UTC_TIME, LocalTime
from conf.flags import FeatureFlags
from conf.settings import Settings
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier

from .auth.access import Access, open_access
from .control import Control


@dataclass(slots=True)
class Backend:
    """One service's parts. Only `ready` changes: it says whether new work is welcome (readyz)."""

    settings: Settings
    flags: FeatureFlags
    wall_ms: Callable[[], int]
    catalogue: Catalogue
    memory: MemoryTier
    history: History
    book: InsightBook
    hub: Hub
    board: HealthBoard
    progress: Progress
    record_mailbox: Mailbox[RecorderMessage]
    insight_mailbox: Mailbox[InsightMessage]
    persist_mailbox: Mailbox[PersisterMessage]
    pattern_mailbox: Mailbox[PatternMessage]
    control: Control
    uptime_s: Callable[[], float]  # since the start, by a clock that nobody sets
    budget: Budget = field(default_factory=partial(Budget, 5.0))  # notifications a week of what is a judgement
    local_time: LocalTime = UTC_TIME  # the coach's wall clock
    ready: bool = False
    access: Access = field(default_factory=open_access)
    core: CoreLink | None = None
