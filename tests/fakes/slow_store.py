"""A control store on a disk that takes its time: its file opens when the test says so, never before."""

from __future__ import annotations

from pathlib import Path

import trio

from storage.control import ControlStore
from storage.sqlite_connection import SqliteConnection


class SlowStore(ControlStore):
    """`gate.set()` lets the file open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gate = trio.Event()

    async def _open_file(self) -> SqliteConnection:
        await self.gate.wait()
        return await super()._open_file()
