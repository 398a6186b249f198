"""The cold tier as the service uses it: which file, how it is opened, who keeps it, who keeps it small."""

from __future__ import annotations

from collections.abc import Callable

from actors.clock import TrustedClock
from actors.housekeeper import Housekeeper, HousekeepingPolicy
from actors.progress import Progress
from conf.settings import Settings
from storage.budget import Budget
from storage.history import History
from storage.keeper import ArchiveKeeper
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from storage.sqlite_errors import OnDamage


def archive_keeper(settings: Settings, wall_ms: Callable[[], int], progress: Progress) -> ArchiveKeeper:
    """The keeper of the archive the settings name; `progress` learns how its salvage stands."""
    path, budget = settings.db_path, Budget(settings.storage_budget_bytes)

    async def open_file(on_damage: OnDamage) -> SqliteArchive:
        return await open_sqlite_archive(path, budget=budget, wall_ms=wall_ms, on_damage=on_damage)

    keeper = ArchiveKeeper(path, open_file, wall_ms=wall_ms)
    progress.salvage = lambda: keeper.state
    return keeper


def housekeeper(settings: Settings, history: History, clock: TrustedClock) -> Housekeeper:
    """Keeps that archive packed, within its budget and its retention."""
    policy = HousekeepingPolicy(
        retention_ms=settings.persistence_retention_ms, cleanup_interval_s=settings.cleanup_interval_s
    )
    return Housekeeper(history=history, clock=clock, policy=policy)
