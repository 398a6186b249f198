"""The archive read from outside, beside a running service or without one: the reading half of `archive.py`'s protocol.

Promises: nothing is written and nothing checked in, whatever state the file is in; what is read stays readable while
the service writes, packs and thins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import trio

from .archive import ArchiveError
from .damage import Damage
from .models import Buckets, Window
from .sqlite_connection import Reader, SqliteConnection
from .sqlite_names import Rows
from .sqlite_reading import Reading
from .sqlite_schema import check_readable

R = TypeVar("R")
BUSY_TIMEOUT_MS: Final = 5_000


async def open_to_read(path: Path) -> SqliteReader:
    """Raises ArchiveError: also when there is no file, or it is of an older form that a service must bring forward."""
    if not await trio.to_thread.run_sync(path.is_file):
        raise ArchiveError("unavailable", f"there is no database at {path}")
    return SqliteReader(
        await SqliteConnection.open(path, BUSY_TIMEOUT_MS, lambda real: check_readable(real, path), read_only=True)
    )


class SqliteReader:
    """See the module docstring; `open_to_read` makes one. Methods are those of `Archive`, which reads by them, too."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self.damage = Damage()
        self._reading = Reading(self.damage)
        self.keep_from_ms = -(2**62)  # older samples are no longer shown, though their chunk may still be there

    async def names(self) -> list[str]:
        return sorted(await self._read(lambda rows, reading: reading.stored(rows)))

    async def metadata(self) -> Mapping[str, str]:
        return await self._read(lambda rows, reading: reading.metadata(rows))

    async def window(
        self, names: Sequence[str], start_ms: int, end_ms: int, limit: int | None = None
    ) -> Mapping[str, Window]:
        def work(rows: Rows, reading: Reading) -> dict[str, Window]:
            start = max(start_ms, self.keep_from_ms)
            found = ((name, reading.window(rows, name, start, end_ms, limit)) for name in names)
            return {name: window for name, window in found if len(window)}

        return await self._read(work)

    async def bound(self, name: str, start_ms: int, end_ms: int, samples: int) -> int:
        start_ms = max(start_ms, self.keep_from_ms)
        return await self._read(lambda rows, reading: reading.bound(rows, name, start_ms, end_ms, samples))

    async def buckets(self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> Mapping[str, Buckets]:
        def work(rows: Rows, reading: Reading) -> dict[str, Buckets]:
            start = max(start_ms, self.keep_from_ms)
            found = ((name, reading.buckets(rows, name, start, end_ms, step_ms)) for name in names)
            return {name: buckets for name, buckets in found if len(buckets)}

        return await self._read(work)

    async def thinned(self, name: str, start_ms: int, end_ms: int) -> Sequence[tuple[int, int]]:
        start_ms = max(start_ms, self.keep_from_ms)
        return await self._read(lambda rows, reading: reading.thinned(rows, name, start_ms, end_ms))

    async def aclose(self) -> None:
        await self._connection.close()

    async def _read(self, work: Callable[[Rows, Reading], R]) -> R:
        def snapshot(reader: Reader) -> R:
            with reader.snapshot():
                self._reading.begin(reader.rows)
                return work(reader.rows, self._reading)

        return await self._connection.read(snapshot)
