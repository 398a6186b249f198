"""A bad chunk is left out, counted and named; its neighbours are served, by every way of reading."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
async def archive(path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(path)
    for first in range(0, 15_000, 5_000):
        times = first + np.arange(5_000, dtype=np.int64)
        await archive.append([SeriesPart("a", times, times.astype(np.float64))])
    yield archive
    await archive.aclose()


def flip(path: Path, table: str, row: str) -> None:
    """One bit of one blob."""
    with closing(sqlite3.connect(path)) as connection:
        ((key, data),) = connection.execute(f"SELECT rowid, data FROM {table} WHERE {row}").fetchall()
        broken = bytearray(data)
        broken[len(broken) // 2] ^= 4
        connection.execute(f"UPDATE {table} SET data = ? WHERE rowid = ?", (bytes(broken), key))
        connection.commit()


async def test_its_neighbours_are_served(archive: SqliteArchive, path: Path) -> None:
    flip(path, "analytics_chunks", "start_ms = 5000")
    expected = [*range(5_000), *range(10_000, 15_000)]
    assert (await archive.window(["a"], 0, 99_999))["a"].times.tolist() == expected
    for _ in range(2):
        buckets = (await archive.buckets(["a"], 0, 99_999, 5_000))["a"]
        assert (buckets.starts.tolist(), buckets.count.tolist()) == ([0, 10_000], [5_000, 5_000])
    newest = (await archive.window(["a"], 0, 99_999, limit=6_000))["a"]
    assert newest.times.tolist() == expected[-6_000:]
    assert (await archive.status()).damaged == 1
    (sentence,) = (await archive.usage()).damaged
    assert "checksum" in sentence
    assert "5000 samples from 5000 to 9999 ms" in sentence


async def test_late_samples_find_their_place_beside_it(archive: SqliteArchive, path: Path) -> None:
    flip(path, "analytics_chunks", "start_ms = 5000")
    late = SeriesPart("a", np.arange(4_000, 8_000, dtype=np.int64), np.full(4_000, -1.0))
    await archive.append([late])
    while await archive.compact(1):
        pass
    window = (await archive.window(["a"], 0, 99_999))["a"]
    assert len(window) == 4_000 + 4_000 + 5_000
    assert np.count_nonzero(window.values == -1.0) == 4_000


async def test_a_bad_commit_of_the_journal_is_left_out_and_stays(archive: SqliteArchive, path: Path) -> None:
    for first in (20_000, 20_200):
        await archive.append([SeriesPart("b", np.arange(first, first + 150, dtype=np.int64), np.full(150, 1.0))])
    flip(path, "analytics_journal", "start_ms = 20000")
    assert len((await archive.window(["b"], 0, 99_999))["b"]) == 150
    while await archive.compact(1):
        pass
    assert len((await archive.window(["b"], 0, 99_999))["b"]) == 150
    assert (await archive.status()).damaged == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM analytics_journal").fetchone() == (1,)


async def test_a_sample_that_came_for_a_chunk_that_is_remembered(archive: SqliteArchive) -> None:
    before = (await archive.buckets(["a"], 0, 99_999, 1_000))["a"]
    await archive.append([SeriesPart("a", np.array([7_000]), np.array([1e6]))])
    after = (await archive.buckets(["a"], 0, 99_999, 1_000))["a"]
    assert after.count.tolist() == before.count.tolist()
    assert after.maximum[7] == 1e6
    part_of_it = (await archive.buckets(["a"], 6_500, 7_500, 1_000))["a"]
    assert (part_of_it.starts.tolist(), part_of_it.count.tolist()) == ([6_000, 7_000], [500, 500])
