"""Rows saved out of one file find their place in another that has samples of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from storage.models import SeriesPart
from storage.salvage import Batch
from storage.sqlite_adopting import PACKED, problem_of
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from tests.storage.archive_suite import everything


def ramp(name: str, first: int, samples: int, value: float) -> SeriesPart:
    return SeriesPart(name, first + np.arange(samples, dtype=np.int64), np.full(samples, value))


def packed_rows(path: Path) -> list[Batch]:
    batches = []
    with closing(sqlite3.connect(path)) as connection:
        for table in sorted(PACKED, reverse=True):  # names first
            cursor = connection.execute(f"SELECT * FROM {table}")
            columns = tuple(column[0] for column in cursor.description)
            batches.append(Batch(table, columns, cursor.fetchall(), 1.0))
    return batches


async def old_file(path: Path) -> None:
    old = await open_sqlite_archive(path)
    await old.append([ramp("a", 0, 5_000, 1.0)])  # a chunk
    await old.append([ramp("b", 0, 150, 1.0), ramp("c", 0, 50, 1.0)])
    await old.compact(1)  # a pack
    await old.append([ramp("b", 1_000, 150, 1.0)])  # the journal
    await old.aclose()


async def adopt_all(archive: SqliteArchive, path: Path) -> int:
    return sum([await archive.adopt(batch) for batch in packed_rows(path)])


async def test_everything_comes_over_and_twice_changes_nothing(tmp_path: Path) -> None:
    await old_file(tmp_path / "old.db")
    new = await open_sqlite_archive(tmp_path / "new.db")
    await new.append([ramp("z", 0, 200, 9.0)])
    assert await adopt_all(new, tmp_path / "old.db") == 5_000 + 150 + 50 + 150
    assert await adopt_all(new, tmp_path / "old.db") == 0
    assert await new.names() == ["a", "b", "c", "z"]
    assert len(await everything(new, "a")) == 5_000
    assert len(await everything(new, "b")) == 300
    assert len(await everything(new, "c")) == 50
    await new.aclose()


async def test_what_the_new_file_has_was_written_later_and_stays(tmp_path: Path) -> None:
    await old_file(tmp_path / "old.db")
    new = await open_sqlite_archive(tmp_path / "new.db")
    await new.append([ramp("a", 2_000, 4_000, 2.0)])
    await adopt_all(new, tmp_path / "old.db")
    kept = await everything(new, "a")
    assert len(kept) == 6_000
    assert [kept[time] for time in (1_999, 2_000, 4_999, 5_999)] == [1.0, 2.0, 2.0, 2.0]
    await new.aclose()


async def test_a_damaged_row_is_named_and_passed_over(tmp_path: Path) -> None:
    await old_file(tmp_path / "old.db")
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("UPDATE analytics_chunks SET crc = 0 WHERE level = 0")
        connection.execute("UPDATE analytics_series SET crc = 0")
        connection.commit()
    problems = [
        problem
        for batch in packed_rows(tmp_path / "old.db")
        for row in batch.rows
        if (problem := problem_of(batch.table, dict(zip(batch.columns, row, strict=True)))) is not None
    ]
    assert len(problems) == 2 + 1  # the names of a, and of b and c; the chunk
    new = await open_sqlite_archive(tmp_path / "new.db")
    assert await adopt_all(new, tmp_path / "old.db") == 350
    names = await new.names()
    assert all(name.startswith("unnamed.") for name in names)
    assert sum([len(await everything(new, name)) for name in names]) == 350
    await new.append([ramp("b", 5_000, 150, 1.0)])
    assert len(await everything(new, "b")) == 450  # its name is back
    await new.aclose()
