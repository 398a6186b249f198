"""Values that the composition root makes of settings: what actors are handed instead of the settings themselves."""

from __future__ import annotations

from typing import Final

from actors.persist_policy import PersistPolicy
from analytics.local_time import LocalTime
from conf.settings import Settings
from conf.time_zone import find_zone, system_zone

HOUR_MS: Final = 3_600_000


def persist_policy(settings: Settings) -> PersistPolicy:
    """How the persister collects and commits."""
    return PersistPolicy(
        batch_size=settings.sqlite_batch_size,
        flush_interval_s=settings.flush_interval_s,
        background=settings.enable_background_persistence,
        replay_ms=round(settings.memory_retention_hours * HOUR_MS),
    )


def coach_time(settings: Settings) -> LocalTime:
    """The coach's wall clock: as set, else as this machine is."""
    return LocalTime(find_zone(settings.time_zone) if settings.time_zone else system_zone())
