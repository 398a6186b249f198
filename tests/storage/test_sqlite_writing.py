"""Where an append goes: rows, journal, chunks; and what is newer stays newer wherever it lies."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from tests.storage.archive_suite import everything, part


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
async def archive(path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(path)
    yield archive
    await archive.aclose()


def many(name: str, first: int, samples: int, value: float = 0.5) -> SeriesPart:
    return SeriesPart(name, first + np.arange(samples, dtype=np.int64), np.full(samples, value))


def where(path: Path) -> tuple[int, int, int]:
    """Samples in rows, journal and chunks."""
    with closing(sqlite3.connect(path)) as connection:
        counts = (
            connection.execute(f"SELECT {what} FROM analytics_{table}").fetchone()[0]
            for what, table in (
                ("count(*)", "metrics"),
                ("coalesce(sum(count), 0)", "journal"),
                ("coalesce(sum(count), 0)", "chunks"),
            )
        )
        return tuple(counts)  # type: ignore[return-value]


async def test_a_small_commit_is_what_the_seed_promised(archive: SqliteArchive, path: Path) -> None:
    await archive.append([many("a", 0, 60), many("b", 0, 40)])
    assert where(path) == (100, 0, 0)


async def test_a_larger_one_takes_the_rows_along(archive: SqliteArchive, path: Path) -> None:
    await archive.append([part("a", [5], [1.0], '{"unit":"V"}')])
    await archive.append([many("a", 5, 1, 2.0), many("b", 0, 100)])
    assert where(path) == (0, 101, 0)
    assert await everything(archive, "a") == {5: 2.0}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT metadata FROM analytics_series_metadata").fetchall() == [('{"unit":"V"}',)]


async def test_small_commits_do_not_gather_for_ever(archive: SqliteArchive, path: Path) -> None:
    for index in range(12):
        await archive.append([many("a", index * 50, 50)])
    rows, journal, _ = where(path)
    assert rows <= 400
    assert rows + journal == 600


async def test_a_backfill_by_columns_skips_both(archive: SqliteArchive, path: Path) -> None:
    await archive.append([many("a", 0, 20_000)])
    assert where(path) == (0, 0, 20_000)
    await archive.append([many("a", 10_000, 20_000, 3.0)])
    assert where(path) == (0, 0, 30_000)
    assert list((await everything(archive, "a")).values()).count(3.0) == 20_000


async def test_a_backfill_over_samples_of_the_journal_keeps_the_order(archive: SqliteArchive, path: Path) -> None:
    await archive.append([many("b", 1_000, 200)])
    await archive.append([many("a", 0, 5_000)])
    assert where(path) == (0, 5_200, 0)
    await archive.append([many("a", 9_000, 5_000)])
    assert where(path) == (0, 5_200, 5_000)


async def test_minus_zero_keeps_its_sign_in_a_small_commit(archive: SqliteArchive) -> None:
    await archive.append([part("a", [1, 2], [0.0, -0.0])])
    window = (await archive.window(["a"], 0, 9))["a"]
    assert np.signbit(window.values).tolist() == [False, True]


async def test_a_file_of_the_first_form_is_packed_metric_by_metric(archive: SqliteArchive, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO analytics_metrics (metric_name, value, timestamp, metadata) VALUES (?, ?, ?, ?)",
            [
                (f"m{metric}", float(index), index / 1000, f'{{"step":{index // 600}}}' if metric < 2 else None)
                for metric in range(3)
                for index in range(3_000)
            ],
        )
        connection.commit()
    await archive.append([many("m1", 500, 120, -1.0)])  # newer than the rows it meets
    before = {name: await everything(archive, name) for name in await archive.names()}
    assert before["m1"][510] == -1.0
    while await archive.compact(1):
        pass
    assert {name: await everything(archive, name) for name in await archive.names()} == before
    rows, journal, chunks = where(path)
    assert journal == 0
    assert rows <= 1_000
    assert rows + chunks == 9_000
    with closing(sqlite3.connect(path)) as connection:
        texts = connection.execute("SELECT metadata FROM analytics_series_metadata").fetchall()
    assert {text for (text,) in texts} == {'{"step":4}'}  # the latest of those that were packed
