"""The control store: in memory and in its file, between the two, and with a file that is no good."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from storage import control as control_module
from storage.archive import ArchiveError
from storage.control import PATIENCE_S, ControlStore
from storage.control_documents import all_documents, delete_document, document, put_document
from tests.fakes.opened import all_closed, note_opened
from tests.fakes.slow_store import SlowStore


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[[], ControlStore]]:
    made: list[ControlStore] = []

    def new(path: Path = tmp_path / "control.db") -> ControlStore:
        made.append(ControlStore(path))
        return made[-1]

    yield new
    for store in made:
        await store.aclose()


async def put(store: ControlStore, id_: str, value: object, now_ms: int = 1) -> None:
    await store.write(lambda c: put_document(c, "k", id_, {"v": value}, expected="any", now_ms=now_ms, limit=10))


async def values(store: ControlStore) -> dict[str, object]:
    return {each.id: each.body["v"] for each in await store.read(lambda c: all_documents(c, "k"))}


async def test_in_memory_no_file_is_touched(make, tmp_path) -> None:
    store = make()
    await store.open(False)
    await put(store, "a", 1)
    assert await values(store) == {"a": 1}
    assert not store.persisted
    assert list(tmp_path.iterdir()) == []


async def test_in_the_file_it_survives(make) -> None:
    store = make()
    await store.open(True)
    assert store.persisted
    await put(store, "a", 1)
    await store.aclose()
    again = make()
    await again.open(True)
    assert await values(again) == {"a": 1}


async def test_switching_takes_everything_along_and_the_newer_wins(make) -> None:
    store = make()
    await store.open(True)
    await put(store, "both", "old", 5)
    await put(store, "newer in file", "file", 9)
    await put(store, "file", 1, 1)
    await store.aclose()
    store = make()
    await store.open(False)
    await put(store, "both", "new", 6)
    await put(store, "newer in file", "memory", 7)
    await put(store, "memory", 2, 1)
    await store.switch(True)
    assert await values(store) == {"both": "new", "newer in file": "file", "file": 1, "memory": 2}
    await store.switch(False)
    assert not store.persisted
    assert (await values(store))["memory"] == 2
    revision = (await store.read(lambda c: document(c, "k", "both"))).revision
    await put(store, "both", "newest", 1)
    assert (await store.read(lambda c: document(c, "k", "both"))).revision > revision


async def test_what_is_deleted_and_changed_in_memory_is_so_in_the_file(make) -> None:
    store = make()
    await store.open(True)
    await put(store, "deleted", 1, now_ms=1)
    await put(store, "changed by a clock that was set back", 1, now_ms=9)
    await store.switch(False)
    await store.write(lambda c: delete_document(c, "k", "deleted", expected="any"))
    await put(store, "changed by a clock that was set back", 2, now_ms=5)
    await store.switch(True)
    assert await values(store) == {"changed by a clock that was set back": 2}
    await store.aclose()
    again = make()
    await again.open(True)
    assert await values(again) == {"changed by a clock that was set back": 2}


async def test_what_raises_is_rolled_back(make) -> None:
    store = make()
    await store.open(False)

    def work(connection: sqlite3.Connection) -> None:
        put_document(connection, "k", "a", {"v": 1}, expected="any", now_ms=1, limit=10)
        raise ValueError

    with pytest.raises(ValueError):
        await store.write(work)
    assert await values(store) == {}


@pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 3\x00" + bytes(5000)])
async def test_a_damaged_file_is_put_aside(make, tmp_path, content) -> None:
    (tmp_path / "control.db").write_bytes(content)
    (tmp_path / "control.db.bad-1").write_text("an older one")
    store = make()
    await store.open(True)
    assert store.persisted
    await put(store, "a", 1)
    assert (tmp_path / "control.db.bad-2").read_bytes() == content
    assert (tmp_path / "control.db.bad-1").read_text() == "an older one"


async def test_a_damaged_page_is_found(make, tmp_path) -> None:
    store = make()
    await store.open(True)
    for index in range(10):
        await put(store, str(index), "x" * 3000)
    await store.aclose()
    path = tmp_path / "control.db"
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = os.urandom(200)
    path.write_bytes(content)
    store = make()
    await store.open(True)
    assert store.persisted
    assert (tmp_path / "control.db.bad-1").exists()


async def test_a_newer_file_is_left_alone(make, tmp_path) -> None:
    path = tmp_path / "control.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("CREATE TABLE later (x)")
    connection.close()
    before = path.read_bytes()
    store = make()
    await store.open(True)
    assert not store.persisted
    assert "newer version" in store.reason
    await put(store, "a", 1)
    assert path.read_bytes() == before


async def test_a_file_that_comes_back_is_used_again(make, tmp_path) -> None:
    (tmp_path / "sub").write_text("in the way")
    store = make(tmp_path / "sub" / "control.db")
    await store.open(True)
    assert store.wants_retry
    assert "can't be used" in store.reason
    await put(store, "a", 1)
    assert not await store.retry()
    (tmp_path / "sub").unlink()
    assert await store.retry()
    assert store.reason is None
    assert await values(store) == {"a": 1}


@pytest.mark.parametrize("then", ["a write", "a look"])
async def test_a_file_that_is_deleted_is_made_anew(make, tmp_path, then: str) -> None:
    store = make()
    await store.open(True)
    await put(store, "a", 1)
    for each in tmp_path.glob("control.db*"):
        each.unlink()
    if then == "a write":
        await put(store, "b", 2)
    else:
        await store.changed_outside()
    kept = {"a": 1, "b": 2} if then == "a write" else {"a": 1}
    assert store.persisted
    assert await values(store) == kept
    await store.aclose()
    again = make()
    await again.open(True)
    assert await values(again) == kept


async def test_closed(make) -> None:
    store = make()
    with pytest.raises(ArchiveError):
        await values(store)
    await store.open(False)
    await store.aclose()
    await store.aclose()
    with pytest.raises(ArchiveError):
        await put(store, "a", 1)


async def test_what_another_program_wrote_is_noticed_once(make, tmp_path) -> None:
    store = make()
    await store.open(True)
    assert not await store.changed_outside()
    await store.write(lambda c: put_document(c, "k", "mine", {}, expected="any", now_ms=1, limit=9))
    assert not await store.changed_outside()
    with closing(sqlite3.connect(tmp_path / "control.db", isolation_level=None)) as other:
        put_document(other, "k", "theirs", {}, expected="any", now_ms=1, limit=9)
    assert await store.changed_outside()
    assert not await store.changed_outside()
    await store.switch(False)
    assert not await store.changed_outside()


async def test_a_file_that_is_slow_to_open_is_not_there_yet(make, tmp_path, autojump_clock) -> None:
    """Nothing is answered from an empty store, and nothing is taken that could be lost."""
    store = make()
    await store.open(True)
    await put(store, "a", 1)
    await store.aclose()
    slow = SlowStore(tmp_path / "control.db")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slow.open, True)
        await trio.testing.wait_all_tasks_blocked()
        begun_s = trio.current_time()
        for work in (values(slow), put(slow, "b", 2), values(slow)):
            with pytest.raises(ArchiveError) as caught:
                await work
            assert caught.value.trouble == "busy"
            assert "still being opened" in caught.value.reason
        assert trio.current_time() - begun_s <= PATIENCE_S  # all together
        slow.gate.set()
    assert slow.persisted
    assert await values(slow) == {"a": 1}
    await put(slow, "b", 2)
    assert await values(slow) == {"a": 1, "b": 2}
    await slow.aclose()


async def test_who_asks_while_it_opens_gets_an_answer_when_it_is_there_soon(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(control_module, "PATIENCE_S", 60.0)
    slow = SlowStore(tmp_path / "control.db")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slow.open, True)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(put, slow, "a", 1)
        await trio.testing.wait_all_tasks_blocked()
        slow.gate.set()
    assert await values(slow) == {"a": 1}
    await slow.aclose()


async def test_memory_serves_while_a_slow_file_is_switched_to(tmp_path, autojump_clock) -> None:
    slow = SlowStore(tmp_path / "control.db")
    await slow.open(False)
    await put(slow, "before", 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(slow.switch, True)
        await trio.testing.wait_all_tasks_blocked()
        await put(slow, "meanwhile", 2)
        assert await values(slow) == {"before": 1, "meanwhile": 2}
        assert not slow.persisted
        slow.gate.set()
    assert slow.persisted
    assert await values(slow) == {"before": 1, "meanwhile": 2}
    await slow.aclose()


async def test_reads_go_on_through_every_switch(make) -> None:
    store = make()
    await store.open(True)
    await put(store, "a", 1)
    over = trio.Event()
    answers: list[dict[str, object]] = []

    async def ask() -> None:
        while not over.is_set():
            answers.append(await values(store))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        for number in range(10):
            await store.switch(bool(number % 2))
        over.set()
    assert len(answers) > 10
    assert all(each == {"a": 1} for each in answers)


async def test_an_opening_that_is_given_up_can_be_begun_again(tmp_path, autojump_clock) -> None:
    slow = SlowStore(tmp_path / "control.db")
    with trio.move_on_after(5):
        await slow.open(True)
    with pytest.raises(ArchiveError):
        await values(slow)
    slow.gate.set()
    await slow.open(True)
    assert slow.persisted
    assert await values(slow) == {}
    await slow.aclose()


@pytest.mark.parametrize("slow", ["look_at_control", "merge_into"])
async def test_a_store_closed_in_the_middle_of_a_switch_leaves_nothing_open(make, monkeypatch, slow: str) -> None:
    opened = note_opened(monkeypatch)
    monkeypatch.setattr(control_module, "CLOSE_WITHIN_S", 0.2)
    store = make()
    await store.open(False)
    inside, go_on, real = threading.Event(), threading.Event(), getattr(control_module, slow)

    def slowly(*arguments: Any) -> Any:
        inside.set()
        go_on.wait(10)
        return real(*arguments)

    monkeypatch.setattr(control_module, slow, slowly)

    async def switch() -> None:
        with suppress(ArchiveError):
            await store.switch(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(switch)
        await trio.to_thread.run_sync(inside.wait)
        await store.aclose()
        go_on.set()
    assert all_closed(opened)
