"""The control store: what people have set and what was done for them, apart from the disposable history.

Owns control.db beside the archive while persistence is on, and the same tables in memory while it is off (then no file
is touched, and `persisted` says so). Everything else about it is functions over a connection (`control_*.py`), each run
as one transaction in one thread hop. Promises
- `write` returns after the commit that survives a power cut, when `persisted`;
- nobody waits for a slow disk who need not: while the file is opened for the first time `read` and `write` wait
  PATIENCE_S at the most, all in all, then say that it is not there yet; on a later switch memory serves on;
- switching takes everything along: what was set, done and deleted in memory is so in the file, where the newer of two
  wins, and what the file holds stays at hand when it is left;
- a file that was moved or deleted is noticed, at the latest by the next write, and everything goes into a new one;
- a start always succeeds: a damaged file is put aside, one that can't be used leaves the store in memory, with the
  reason, and `retry` tries again.
"""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import trio

from .archive import ArchiveError
from .control_merge import Rows, copy_all, merge_into, without_journal
from .control_schema import look_at_control, migrate, prepare_control
from .sqlite_connection import CLOSE_WITHIN_S, Identity, SqliteConnection, identity_of

T = TypeVar("T")

LOG: Final = logging.getLogger(__name__)
BUSY_TIMEOUT_MS: Final = 1_000
PATIENCE_S: Final = 1.0  # a healthy card needs a tenth of it
IN_MEMORY: Final = Path(":memory:")


class ControlStore:
    """See the module docstring. `open` first; one at a time opens, switches or closes."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.reason: str | None = None  # why it is in memory though it should not be
        self._connection: SqliteConnection | None = None
        self._persisted = False
        self._wanted = False
        self._carried: Rows | None = None  # out of the file, when it was last left
        self._identity: Identity = None  # of the file that is open
        self._data_version = 0  # of the file, as this connection last saw it
        self._opening: trio.Event | None = None  # of the first opening, while it goes on
        self._patience_until_s = 0.0  # Trio's time
        self._switching = trio.Lock()
        self._moving: trio.Event | None = None  # while what is stored goes from one connection to the other

    @property
    def persisted(self) -> bool:
        """What is written survives the process."""
        return self._persisted

    @property
    def wants_retry(self) -> bool:
        return self._wanted and not self._persisted

    async def open(self, persisted: bool) -> None:
        """Does nothing when it is open."""
        if self._connection is None and self._opening is None:
            patience_s = PATIENCE_S if persisted else math.inf  # memory is no disk
            self._opening, self._patience_until_s = trio.Event(), trio.current_time() + patience_s
        async with self._switching:
            if self._connection is None:
                self._connection = await _in_memory()
            await self._switch(persisted)
        if self._opening is not None:
            opening, self._opening = self._opening, None
            opening.set()

    async def switch(self, persisted: bool) -> None:
        """To the file, or to memory. A file that can't be used is not an error: see `reason`."""
        async with self._switching:
            await self._switch(persisted)

    async def retry(self) -> bool:
        """Try the file again, when that is wanted. Returns whether it is used now."""
        await self.switch(self._wanted)
        return self._persisted

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Raises ArchiveError."""
        await self._wait_opened()
        while True:
            connection = self._open_connection()
            try:
                return await connection.call(work)
            except ArchiveError:
                if self._connection in (connection, None):
                    raise  # and else a switch took it away: what it held is in the other

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work` in one transaction. What it raises rolls back. Raises ArchiveError, PoisonError."""
        await self._wait_opened()
        await self._renew()
        while self._moving is not None:  # a switch carries everything along: nothing may slip past it
            await self._moving.wait()
        return await self._open_connection().write(work)

    async def changed_outside(self) -> bool:
        """Another program has written into the file since this was last asked: a restore does. Raises ArchiveError."""
        await self._renew()
        async with self._switching:
            if not self._persisted:
                return False
            before, self._data_version = self._data_version, await self._open_connection().call(_data_version)
            return self._data_version != before

    async def aclose(self) -> None:
        """Safe to call twice. Waits for a switch that goes on, not longer than CLOSE_WITHIN_S."""
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            async with self._switching:
                await self._close()
        await self._close()

    async def _close(self) -> None:
        connection, self._connection, self._persisted = self._connection, None, False
        if connection is not None:
            await connection.close()

    def _open_connection(self) -> SqliteConnection:
        if self._connection is None:
            raise ArchiveError("closed", "the control store is not open")
        return self._connection

    async def _wait_opened(self) -> None:
        if self._opening is None:
            return
        with trio.move_on_at(self._patience_until_s):
            await self._opening.wait()
        if self._opening is not None:
            raise ArchiveError("busy", f"the disk is slow: {self.path.name} is still being opened")

    async def _switch(self, persisted: bool) -> None:
        self._wanted = persisted
        if persisted and not self._persisted:
            await self._to_file()
        elif not persisted and self._persisted:
            with self._move():
                await self._to_memory()

    async def _renew(self) -> None:
        """What is written into a file without a name is lost when it is closed."""
        if not self._persisted or await self._in_place():
            return
        async with self._switching:
            if self._persisted and not await self._in_place():
                LOG.error("%s was moved, deleted or replaced: everything goes into a new one", self.path)
                await self._switch(False)
                await self._switch(True)

    async def _in_place(self) -> bool:
        return await trio.to_thread.run_sync(identity_of, self.path) == self._identity

    @contextmanager
    def _move(self) -> Iterator[None]:
        """New writes wait. Those asked for before are over when the connection is first asked for anything in here:
        it does one thing at a time, in order."""
        moving = self._moving = trio.Event()
        try:
            yield
        finally:
            self._moving = None
            moving.set()

    async def _to_file(self) -> None:
        try:
            file = await self._open_file()
        except ArchiveError as error:
            if self.reason != error.reason:
                LOG.error("settings are kept in memory only: %s", error.reason)
            self.reason = error.reason
            return
        with self._move():
            try:
                memory = self._open_connection()
                rows = await memory.call(copy_all)
                await file.write(lambda connection: merge_into(connection, rows, self._carried))
                self._data_version = await file.call(_data_version)
                self._identity = await trio.to_thread.run_sync(identity_of, self.path)
                self._open_connection()  # closed meanwhile: then nobody would close the file
            except BaseException:
                with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
                    await file.close()
                raise
            self._connection, self._persisted, self.reason = file, True, None
            self._carried = None
        await memory.close()

    async def _open_file(self) -> SqliteConnection:
        try:
            return await self._try_file()
        except ArchiveError as error:
            if error.trouble != "corrupt":
                raise
            LOG.error("%s; it is put aside and a new one is begun", error.reason)
        await trio.to_thread.run_sync(_put_aside, self.path)
        return await self._try_file()

    async def _try_file(self) -> SqliteConnection:
        await trio.to_thread.run_sync(look_at_control, self.path)
        return await SqliteConnection.open(self.path, BUSY_TIMEOUT_MS, prepare_control)

    async def _to_memory(self) -> None:
        file = self._open_connection()
        memory = await _in_memory()
        try:
            rows = await file.call(copy_all)
            await memory.write(lambda connection: merge_into(connection, rows))
            self._open_connection()
        except BaseException:
            with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
                await memory.close()
            raise
        self._connection, self._persisted, self.reason = memory, False, None
        self._carried = without_journal(rows)
        await file.close()


async def _in_memory() -> SqliteConnection:
    return await SqliteConnection.open(IN_MEMORY, BUSY_TIMEOUT_MS, migrate)


def _data_version(connection: sqlite3.Connection) -> int:
    """Changes with every commit of another connection, and with none of this one."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _put_aside(path: Path) -> None:
    """Under a name that is free, its -wal and -shm with it."""
    number = 1
    while path.with_name(f"{path.name}.bad-{number}").exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.bad-{number}{suffix}"))
