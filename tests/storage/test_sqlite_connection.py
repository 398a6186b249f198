"""One connection: one function a hop, nothing left open by a cancel."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anysqlite
import pytest
import trio
import trio.lowlevel
import trio.testing

from storage import sqlite_connection
from storage.archive import ArchiveError
from storage.sqlite_connection import Reader, SqliteConnection
from tests.fakes.opened import Noted, all_closed, note_opened, wait_all_closed

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[SqliteConnection]:
    connection = await SqliteConnection.open(tmp_path / "a.db", 50, make_table)
    yield connection
    await connection.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Noted]:
    return note_opened(monkeypatch)


class CancelAt(trio.abc.Instrument):
    """Cancels `scope` before the step with this number that a task takes from now on."""

    def __init__(self, scope: trio.CancelScope, step: int) -> None:
        self._scope = scope
        self._left = step

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._left == 0:
            self._scope.cancel()
        self._left -= 1


async def count(connection: SqliteConnection) -> int:
    ((rows,),) = await connection.read(lambda reader: reader.rows("SELECT count(*) FROM t"))
    return int(rows)


def make_table(real: sqlite3.Connection) -> None:
    real.execute("CREATE TABLE t (x)")


def put(real: sqlite3.Connection) -> None:
    real.execute("INSERT INTO t VALUES (1)")


async def test_it_stands_on_anysqlite(connection: SqliteConnection) -> None:
    assert isinstance(connection._wrapper, anysqlite.Connection)
    (row,) = await (await connection._wrapper.execute("SELECT 7")).fetchall()
    assert row == (7,)


async def test_a_failing_transaction_leaves_nothing(connection: SqliteConnection) -> None:
    def work(real: sqlite3.Connection) -> None:
        put(real)
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        await connection.write(work)
    assert await count(connection) == 0
    await connection.write(put)
    assert await count(connection) == 1


async def test_a_transaction_that_began_ends_though_its_caller_is_cancelled(connection: SqliteConnection) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def work(real: sqlite3.Connection) -> None:
        put(real)
        inside.set()
        assert go_on.wait(5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.write, work)
        await trio.to_thread.run_sync(inside.wait, 5)
        nursery.cancel_scope.cancel()
        go_on.set()
    assert await count(connection) == 1


async def test_a_cancelled_read_is_interrupted(connection: SqliteConnection) -> None:
    running = threading.Event()

    def work(reader: Reader) -> None:
        reader._connection.create_function("started", 0, running.set)
        reader.rows(f"SELECT started(), ({ENDLESS})")

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.read, work)
            await trio.to_thread.run_sync(running.wait, 5)
            nursery.cancel_scope.cancel()
    assert await count(connection) == 0


async def test_a_cancel_between_two_statements_is_noticed(connection: SqliteConnection) -> None:
    running = threading.Event()

    def work(reader: Reader) -> None:
        while True:
            reader.rows("SELECT 1")
            running.set()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.read, work)
            await trio.to_thread.run_sync(running.wait, 5)
            nursery.cancel_scope.cancel()
    assert await count(connection) == 0


async def test_closing_stops_what_is_being_read(connection: SqliteConnection) -> None:
    running = threading.Event()

    def work(reader: Reader) -> None:
        while True:
            reader.rows("SELECT 1")
            running.set()

    async def read() -> None:
        with pytest.raises(ArchiveError) as caught:
            await connection.read(work)
        assert caught.value.trouble == "closed"

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.to_thread.run_sync(running.wait, 5)
            connection.stop_reading()
            await connection.close()
    with pytest.raises(ArchiveError):
        await count(connection)
    await connection.close()


async def test_one_at_a_time(connection: SqliteConnection) -> None:
    inside = 0

    def work(real: sqlite3.Connection) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        put(real)
        inside -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(connection.write, work)
    assert await count(connection) == 20


async def test_errors_of_a_programmer_are_not_hidden(connection: SqliteConnection) -> None:
    def work(reader: Reader) -> None:
        raise KeyError("oops")

    with pytest.raises(KeyError, match="oops"):
        await connection.read(work)
    assert await count(connection) == 0


async def test_preparing_is_given_up_by_a_cancel_and_the_connection_closes_itself(opened, tmp_path: Path) -> None:
    """A disk that does not answer holds up no stop."""
    inside, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def work(real: sqlite3.Connection) -> None:
        real.execute("BEGIN IMMEDIATE")
        make_table(real)
        inside.set()
        go_on.wait(10)
        over.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(SqliteConnection.open, tmp_path / "a.db", 50, work)
        await trio.to_thread.run_sync(inside.wait)
        nursery.cancel_scope.cancel()
    assert not over.is_set()
    go_on.set()
    other = await SqliteConnection.open(tmp_path / "a.db", 5_000, make_table)  # nothing is left, no lock either
    assert await count(other) == 0
    await other.close()
    await wait_all_closed(opened)


async def test_what_was_opened_is_closed_at_whatever_step_a_cancel_comes(opened, tmp_path: Path) -> None:
    """The steps are counted by the loop's own hook: the cancel comes before each of them in turn."""
    steps, outcomes = 0, []
    while "open" not in outcomes[-3:]:
        connection = None
        with trio.CancelScope() as scope:
            trio.lowlevel.add_instrument(canceller := CancelAt(scope, steps))
            try:
                connection = await SqliteConnection.open(tmp_path / "a.db", 50, lambda _: None)
            finally:
                trio.lowlevel.remove_instrument(canceller)
        outcomes.append("cancelled" if connection is None else "open")
        if connection is not None:
            await connection.close()
        await wait_all_closed(opened)
        steps += 1
    assert outcomes.count("cancelled") > 3


async def test_a_cancel_at_the_end_of_preparing_closes_it_in_a_thread(opened, tmp_path: Path, monkeypatch) -> None:
    """Closing writes what the log holds: not in the event loop's own thread."""
    closed_in: list[str] = []
    real = sqlite3.Connection.close

    def close(self: sqlite3.Connection) -> None:
        closed_in.append(threading.current_thread().name)
        real(self)

    monkeypatch.setattr(sqlite3.Connection, "close", close)
    done = threading.Event()

    async def opening() -> None:
        connection = await SqliteConnection.open(tmp_path / "a.db", 50, lambda _: done.set())
        await connection.close()  # it was heard of first

    async with trio.open_nursery() as nursery:
        nursery.start_soon(opening)
        while not done.is_set():
            await trio.lowlevel.checkpoint()
        time.sleep(0.05)  # noqa: ASYNC251  # the thread has ended, and the loop has not heard of it
        nursery.cancel_scope.cancel()
    assert closed_in
    assert "MainThread" not in closed_in
    await wait_all_closed(opened)


async def test_a_close_whose_time_is_up_as_it_gets_its_turn_still_closes(opened, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite_connection, "CLOSE_WITHIN_S", 0.2)
    connection = await SqliteConnection.open(tmp_path / "a.db", 50, make_table)
    inside, go_on = threading.Event(), threading.Event()

    async def writing() -> None:
        await connection.write(lambda _: (inside.set(), go_on.wait(10)))
        time.sleep(0.5)  # noqa: ASYNC251  # the loop is busy just after the lock was handed on

    async with trio.open_nursery() as nursery:
        nursery.start_soon(writing)
        await trio.to_thread.run_sync(inside.wait)
        nursery.start_soon(connection.close)
        await trio.sleep(0.05)
        go_on.set()
    await connection.close()
    assert all_closed(opened)


async def test_a_read_that_a_close_gave_up_can_be_cancelled(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite_connection, "CLOSE_WITHIN_S", 0.2)
    connection = await SqliteConnection.open(tmp_path / "a.db", 50, make_table)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.read, lambda reader: reader.rows(ENDLESS))
        await trio.sleep(0.1)
        await connection.close()
        nursery.cancel_scope.cancel()  # and the test ends


async def test_a_close_that_is_not_waited_for_is_made_up_by_who_is_at_work(
    opened, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """The clock jumps over the patience of `close` while a thread is still busy."""
    connection = await SqliteConnection.open(tmp_path / "a.db", 50, make_table)
    inside, go_on = threading.Event(), threading.Event()

    def work(real: sqlite3.Connection) -> None:
        put(real)
        inside.set()
        go_on.wait(10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.write, work)
        await trio.to_thread.run_sync(inside.wait)
        await connection.close()
        assert not all_closed(opened)
        with pytest.raises(ArchiveError) as caught:
            await connection.call(put)
        assert caught.value.trouble == "closed"
        go_on.set()
    assert all_closed(opened)
