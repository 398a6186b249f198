"""One SQLite connection under Trio: anysqlite opens and closes it, whole functions run on it in one thread hop.

anysqlite hops into a thread for every single statement. A cancel between BEGIN and COMMIT would leave the transaction
open, and 200 rows cost 33 ms in place of 0.7 ms; so a transaction here is one function in one hop, with its rollback
inside (docs/decisions). Promises
- one function at a time on a connection, in the order of asking;
- a function that writes runs to its end even when its caller is cancelled; one that only reads is interrupted, and
  what prepares the connection is given up;
- what was opened is closed, whenever a cancel comes: who gives up while a thread is at work leaves that to the thread;
- sqlite3's errors come out as ArchiveError (trouble with the disk) or PoisonError (content that will never do).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import anysqlite
import trio

from .archive import ArchiveError
from .sqlite_errors import OnDamage, judging

T = TypeVar("T")
Identity = tuple[int, int] | None  # of a file: device and inode; None: there is none

CLOSE_WITHIN_S: Final = 5.0  # a checkpoint on a slow card


class Stopped(Exception):
    """A reading function noticed between two statements that nobody waits for it any more."""


def generation(connection: sqlite3.Connection) -> int:
    """A restore puts another content into the same file, and gives it another number."""
    number: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return number


def identity_of(path: Path) -> Identity:
    """What the name stands for now: SQLite goes on writing into a file that has none any more."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _read_only_uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


class SqliteConnection:
    """See the module docstring. `open` makes one."""

    def __init__(self, wrapper: anysqlite.Connection, real: sqlite3.Connection, on_damage: OnDamage | None) -> None:
        self._wrapper = wrapper
        self._real = real
        self._lock = trio.Lock()
        self._limiter = trio.CapacityLimiter(1)  # a thread of its own: others can't use up the pool before it
        self._closed = False
        self._stopping = False
        self._generation: int | None = None  # as the first transaction found it
        self._on_damage = on_damage
        self._handing = threading.Lock()  # over the next two, which a thread and the loop ask each other about
        self._at_work = False
        self._given_up = False

    @classmethod
    async def open(
        cls,
        path: Path,
        busy_timeout_ms: int,
        prepare: Callable[[sqlite3.Connection], None],
        on_damage: OnDamage | None = None,
        *,
        read_only: bool = False,
    ) -> SqliteConnection:
        """`prepare` runs in one hop before anything else; what it leaves behind is the content this is about.

        `on_damage` hears of every time the file is found damaged or replaced. Raises ArchiveError.

        A cancel does not wait for a slow disk: `prepare` is interrupted and given up, which must do no more harm than a
        power cut; the connection closes itself when the disk lets go of it.
        `read_only`: the file must be there, and neither it nor its log changes, not even when it is closed.
        """
        opened: list[sqlite3.Connection] = []

        def factory(*args: Any, **options: Any) -> sqlite3.Connection:
            opened.append(sqlite3.Connection(*args, **options))
            return opened[0]

        try:
            with judging():
                wrapper = await anysqlite.connect(
                    _read_only_uri(path) if read_only else path,
                    factory=factory,
                    isolation_level=None,
                    timeout=busy_timeout_ms / 1000,
                    uri=read_only,
                )
        except BaseException:
            for each in opened:
                each.close()
            raise
        connection = cls(wrapper, opened[0], on_damage)
        try:
            await connection._prepare(prepare)
        except BaseException:
            with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
                await connection.close()
            raise
        return connection

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction, in one hop; it is over, one way or the other, when this returns or raises."""

        def transaction() -> T:
            connection = self._real
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_generation()
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk makes SQLite roll back by itself
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self._hop(transaction)

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one hop, to its end."""
        return await self._hop(lambda: work(self._real))

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Run `work` in one hop; a cancel of the caller ends it early."""
        async with self._lock:
            self.check_open()
            self._stopping = False
            reader = Reader(self._real, lambda: self._stopping)
            failed: Exception | None = None
            results: list[T] = []

            def reading() -> T:
                self._check_generation()
                return work(reader)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._interrupt_when_cancelled)
                try:
                    with judging(self._on_damage):
                        results.append(await self._in_thread(reading))
                except Exception as error:
                    failed = error  # raised outside, or the nursery would wrap it; a cancel goes first
                nursery.cancel_scope.cancel()
            await trio.lowlevel.checkpoint_if_cancelled()
            if isinstance(failed, Stopped):
                raise ArchiveError("closed", "the archive is closed")
            if failed is not None:
                raise failed
            return results[0]

    def stop_reading(self) -> None:
        """Interrupt what is being read now."""
        self._stopping = True
        with self._handing:
            if self._at_work:
                self._real.interrupt()

    async def close(self) -> None:
        """Safe to call twice. Waits CLOSE_WITHIN_S at the most for what is being written; closing itself takes as long
        as the disk does."""
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            async with self._lock:
                if not self._closed:
                    self._closed = True
                    with judging(), trio.CancelScope(shield=True):
                        await self._wrapper.close()
        if not self._closed:
            await self._give_up()

    async def _prepare(self, work: Callable[[sqlite3.Connection], None]) -> None:
        def prepared() -> None:
            work(self._real)
            self._generation = generation(self._real)

        async with self._lock:
            try:
                with judging(self._on_damage):
                    await self._in_thread(prepared, abandon=True)
            except trio.Cancelled:
                with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
                    await self._give_up(interrupt=True)
                raise

    def _check_generation(self) -> None:
        found = generation(self._real)
        if self._generation is None:
            self._generation = found
        elif found != self._generation:
            raise ArchiveError("replaced", "the content of the database was replaced by a restore")

    async def _interrupt_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self.stop_reading()

    async def _hop(self, work: Callable[[], T]) -> T:
        async with self._lock:
            self.check_open()
            with judging(self._on_damage):
                return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T], *, abandon: bool = False) -> T:
        def at_work() -> T:
            with self._handing:
                if self._given_up:
                    raise ArchiveError("closed", "the archive is closed")
                self._at_work = True
            try:
                return work()
            finally:
                with self._handing:
                    self._at_work, given_up = False, self._given_up
                if given_up:
                    self._real.close()

        return await trio.to_thread.run_sync(at_work, limiter=self._limiter, abandon_on_cancel=abandon)

    async def _give_up(self, *, interrupt: bool = False) -> None:
        """Nobody waits any longer: close what is open, or leave that to the thread that is at work."""
        self._closed = True
        with self._handing:
            self._given_up = True
            if self._at_work:
                if interrupt:
                    self._real.interrupt()
                return
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True), judging():
            await trio.to_thread.run_sync(self._real.close, abandon_on_cancel=True)  # it may write

    def check_open(self) -> None:
        """Raises ArchiveError("closed")."""
        if self._closed:
            raise ArchiveError("closed", "the archive is closed")


class Reader:
    """What a reading function sees: rows, as long as somebody waits for them."""

    __slots__ = ("_connection", "_stopped")

    def __init__(self, connection: sqlite3.Connection, stopped: Callable[[], bool]) -> None:
        self._connection = connection
        self._stopped = stopped

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Every statement inside sees the same state, whatever is committed meanwhile. Keep it short: an open one
        lets the write-ahead log grow."""
        self.rows("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        # interrupt() reaches a running statement only, hence the look before each
        if self._stopped():
            raise Stopped
        return self._connection.execute(sql, parameters).fetchall()
