"""Upkeep: a step changes everything or nothing, and gives way to what overtakes it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import trio

from storage import sqlite_upkeep
from storage.archive import ArchiveError
from storage.compaction import Stale
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive

T0_MS = 1_790_000_000_000


def part(first: int, samples: int) -> SeriesPart:
    at = first + np.arange(samples, dtype=np.int64)
    return SeriesPart("m", T0_MS + at * 1_000, at / 7)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "a.db")
    for first in range(0, 3_000, 1_000):  # longer parts would go into chunks at once
        await archive.append([part(first, 1_000)])
    yield archive
    await archive.aclose()


async def whole(archive: SqliteArchive) -> list[float]:
    return (await archive.window(["m"], 0, 2**50))["m"].values.tolist()


def expected(samples: int) -> list[float]:
    return (np.arange(samples) / 7).tolist()


async def test_less_than_is_asked_for_waits(archive: SqliteArchive) -> None:
    assert await archive.compact(3_001) == 0
    assert await archive.compact(3_000) == 3_000
    assert await archive.compact(1) == 0
    assert await whole(archive) == expected(3_000)


async def test_without_a_budget_nothing_is_thinned(archive: SqliteArchive) -> None:
    assert await archive.thin() == 0


async def test_an_overtaken_plan_is_made_anew_and_given_up_in_the_end(archive: SqliteArchive, monkeypatch) -> None:
    tries: list[int] = []
    real = sqlite_upkeep.apply

    def overtaken(connection: object, step: object) -> None:
        tries.append(1)
        raise Stale

    monkeypatch.setattr(sqlite_upkeep, "apply", overtaken)
    assert await archive.compact(1) == 0
    assert len(tries) >= sqlite_upkeep.TRIES
    monkeypatch.setattr(sqlite_upkeep, "apply", real)
    assert await archive.compact(1) == 3_000
    assert await whole(archive) == expected(3_000)


async def test_a_step_that_fails_has_changed_nothing(archive: SqliteArchive, monkeypatch) -> None:
    real = sqlite_upkeep.apply

    def failing(connection: object, step: object) -> None:
        real(connection, step)
        raise ArchiveError("full", "the disk is full")

    monkeypatch.setattr(sqlite_upkeep, "apply", failing)
    with pytest.raises(ArchiveError):
        await archive.compact(1)
    assert (await archive.usage()).journal_samples == 3_000
    assert await whole(archive) == expected(3_000)


async def test_appends_go_on_beside_it(archive: SqliteArchive) -> None:
    async def pack() -> None:
        for _ in range(20):
            await archive.compact(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pack)
        for first in range(3_000, 23_000, 1_000):
            await archive.append([part(first, 1_000)])
    assert await whole(archive) == expected(23_000)


async def test_a_close_does_not_wait_for_an_opening_on_a_slow_disk(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite_upkeep, "CLOSE_WITHIN_S", 0.2)
    archive = await open_sqlite_archive(tmp_path / "a.db")
    await archive.append([part(0, 1_000)])
    inside, go_on, refused = threading.Event(), threading.Event(), trio.Event()

    def slowly(connection: object) -> None:
        inside.set()
        go_on.wait(30)

    monkeypatch.setattr(sqlite_upkeep, "prepare_reader", slowly)

    async def compact() -> None:
        with pytest.raises(ArchiveError):
            await archive.compact(1)
        refused.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(compact)
        await trio.to_thread.run_sync(inside.wait)
        await archive.aclose()
        assert not refused.is_set()  # the disk is at it still
        go_on.set()
    assert refused.is_set()
