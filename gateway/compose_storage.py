"""The cold tier as the service uses it: which file, how it is opened, who keeps it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from storage.keeper import ArchiveKeeper
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from storage.sqlite_connection import OnDamage


def archive_keeper(path: Path, wall_ms: Callable[[], int]) -> ArchiveKeeper:
    """The keeper of the archive at `path`."""

    async def open_file(on_damage: OnDamage) -> SqliteArchive:
        return await open_sqlite_archive(path, wall_ms=wall_ms, on_damage=on_damage)

    return ArchiveKeeper(path, open_file, wall_ms=wall_ms)
