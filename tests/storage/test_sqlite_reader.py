"""The archive read from outside: the same samples, and nothing changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.archive import ArchiveError
from storage.migrations import MIGRATIONS, migrate
from storage.sqlite_archive import open_sqlite_archive
from storage.sqlite_reader import open_to_read
from tests.storage.archive_suite import part


async def test_beside_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    archive = await open_sqlite_archive(path)
    await archive.append([part("a", range(1_000), range(1_000))])
    reader = await open_to_read(path)
    assert await reader.names() == ["a"]
    await archive.append([part("b", [5], [7.0])])
    while await archive.compact(1):
        pass
    assert await reader.names() == ["a", "b"]
    assert len((await reader.window(["a"], 0, 10_000))["a"]) == 1_000
    assert (await reader.buckets(["a"], 0, 10_000, 10_000))["a"].count.tolist() == [1_000]
    await archive.aclose()
    assert np.array_equal((await reader.window(["b"], 0, 10, 1))["b"].values, [7.0])
    await reader.aclose()


async def test_after_a_kill_the_log_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    archive = await open_sqlite_archive(path)
    await archive.append([part("a", range(1_000), range(1_000))])
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    log = copy.with_name("copy.db-wal")
    log.write_bytes(path.with_name("a.db-wal").read_bytes())
    before = copy.read_bytes(), log.read_bytes()
    reader = await open_to_read(copy)
    assert await reader.names() == ["a"]
    await reader.aclose()
    assert (copy.read_bytes(), log.read_bytes()) == before
    await archive.aclose()


async def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no database"):
        await open_to_read(tmp_path / "none.db")
    with closing(sqlite3.connect(tmp_path / "songs.db")) as connection:
        connection.execute("CREATE TABLE songs (title)")
    with pytest.raises(ArchiveError, match="another program"):
        await open_to_read(tmp_path / "songs.db")
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
    with pytest.raises(ArchiveError, match="older"):
        await open_to_read(tmp_path / "old.db")
