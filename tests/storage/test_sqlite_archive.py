"""The SQLite archive: the common behaviour, and what a real disk does to it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import trio

from storage.archive import ArchiveError
from storage.budget import Budget
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from tests.storage.archive_suite import NOW_MS, ArchiveSuite, an_insight, everything, part

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "data" / "analytics.db", busy_timeout_ms=50)
    yield archive
    await archive.aclose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "analytics.db"  # where the fixture `archive` lies


def big(name: str, samples: int) -> SeriesPart:
    rng = np.random.default_rng(1)
    return SeriesPart(name, np.arange(samples, dtype=np.int64), rng.normal(size=samples))


async def refused(path: Path, trouble: str) -> str:
    """Opening fails with this trouble; the sentence it gives."""
    with pytest.raises(ArchiveError) as caught:
        await open_sqlite_archive(path, busy_timeout_ms=50)
    assert caught.value.trouble == trouble
    return caught.value.reason


class TestSqliteArchive(ArchiveSuite):
    """The common behaviour."""


async def test_it_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "analytics.db"
    first = await open_sqlite_archive(path)
    await first.append([part("a", [NOW_MS], [1.5])], [an_insight()])
    await first.aclose()
    second = await open_sqlite_archive(path)
    assert await everything(second, "a") == {NOW_MS: 1.5}
    assert await second.insights(0, 9) == [an_insight()]
    await second.aclose()


async def test_the_file_is_what_the_seed_says(archive: SqliteArchive, path: Path) -> None:
    await archive.append([part("a", [NOW_MS], [1.5], '{"unit":"V"}')])
    other = sqlite3.connect(path)
    row = other.execute("SELECT metric_name, value, metadata, timestamp FROM analytics_metrics").fetchone()
    assert row == ("a", 1.5, '{"unit":"V"}', NOW_MS / 1000)
    assert other.execute("PRAGMA user_version").fetchone() == (2,)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


async def test_the_tables_check_what_they_hold(archive: SqliteArchive, path: Path) -> None:
    await archive.append([], [an_insight()])
    other = sqlite3.connect(path)
    for change in ("severity = 'fatal'", "category = 'fun'", "confidence = 1.1", "impact_score = -0.1"):
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(f"UPDATE analytics_insights SET {change}")
    with pytest.raises(sqlite3.IntegrityError):
        other.execute("INSERT INTO analytics_metrics VALUES ('a', NULL, NULL, 1.0)")
    other.close()


async def test_commits_are_synced(archive: SqliteArchive) -> None:
    level = await archive._writer.call(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0])
    assert level == 2  # FULL


async def test_status(tmp_path: Path) -> None:
    archive = await open_sqlite_archive(tmp_path / "a.db", wall_ms=lambda: NOW_MS)
    assert (await archive.status()).last_commit_ms is None
    await archive.append([part("a", [1], [1])])
    status = await archive.status()
    assert status.last_commit_ms == NOW_MS
    assert status.size_bytes > 4096
    await archive.aclose()


async def test_locked_by_another_program(archive: SqliteArchive, path: Path) -> None:
    await archive.append([part("a", [1], [1])])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ArchiveError) as caught:
        await archive.append([part("a", [2], [2])])
    assert caught.value.trouble == "busy"
    assert await everything(archive, "a") == {1: 1.0}  # readers go on
    other.execute("ROLLBACK")
    await archive.append([part("a", [2], [2])])
    assert await everything(archive, "a") == {1: 1.0, 2: 2.0}
    other.close()


async def test_locked_while_opening(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    await refused(path, "busy")
    other.execute("ROLLBACK")
    other.close()
    await (await open_sqlite_archive(path)).aclose()


async def test_a_damaged_page_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    archive = await open_sqlite_archive(path)
    await archive.append([big("a", 20_000)])
    await archive.aclose()
    with path.open("r+b") as file:
        for page in range(20, 60):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    archive = await open_sqlite_archive(path)
    with pytest.raises(ArchiveError) as caught:
        await everything(archive, "a")
    assert caught.value.trouble == "corrupt"
    await archive.aclose()


async def test_deleted_under_it(archive: SqliteArchive, path: Path) -> None:
    await archive.append([part("a", [1], [1])])
    path.unlink()  # noqa: ASYNC240  # a test of one task
    with pytest.raises(ArchiveError) as caught:
        await archive.append([part("a", [2], [2])])
    assert caught.value.trouble == "unavailable"


async def fill(archive: SqliteArchive) -> int:
    """Append until it says full; how many samples were taken."""
    taken = 0
    trouble: str | None = None
    rng = np.random.default_rng(1)
    while trouble is None and taken < 200_000:
        try:
            await archive.append([SeriesPart("a", np.arange(taken, taken + 1_000), rng.normal(size=1_000))])
            taken += 1_000
        except ArchiveError as error:
            trouble = error.trouble
    assert trouble == "full"
    return taken


async def test_full_by_size_and_free_again(tmp_path: Path) -> None:
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=Budget(1_400_000))
    taken = await fill(archive)
    assert len(await everything(archive, "a")) == taken > 1_000
    while await archive.purge(taken // 2, 0, 1_000):
        pass
    await archive.append([part("b", [taken], [1])])
    assert await everything(archive, "b") == {taken: 1.0}
    await archive.aclose()


async def test_retention_goes_by_the_age_of_samples_though_their_chunk_stays(tmp_path: Path) -> None:
    archive = await open_sqlite_archive(tmp_path / "a.db")
    await archive.append([part("a", list(range(8_000)), [float(n) for n in range(8_000)])])
    while await archive.compact(1):
        pass
    assert await archive.purge(5_000, 0, 1_000) == 0  # the chunk is not old enough as a whole
    assert min(await everything(archive, "a")) == 5_000
    assert int((await archive.buckets(["a"], 0, 10_000, 1_000))["a"].count.sum()) == 3_000
    assert await archive.window(["a"], 0, 4_000) == {}
    assert await archive.purge(8_000, 0, 1_000) == 1
    await archive.aclose()


async def test_full_by_size_but_larger_already(tmp_path: Path) -> None:
    archive = await open_sqlite_archive(tmp_path / "a.db")
    await archive.append([big("a", 20_000)])
    await archive.aclose()
    archive = await open_sqlite_archive(tmp_path / "a.db", budget=Budget(300_000))
    await fill(archive)
    assert len(await everything(archive, "a")) >= 20_000
    await archive.aclose()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(mount)], capture_output=True)
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


@pytest.fixture
def ballast(small_disk: Path) -> Path:
    file = small_disk / "ballast"
    file.write_bytes(bytes(300_000))
    return file


async def test_full_disk_and_free_again(small_disk: Path, ballast: Path) -> None:
    archive = await open_sqlite_archive(small_disk / "a.db")
    taken = await fill(archive)
    assert len(await everything(archive, "a")) == taken
    ballast.unlink()  # noqa: ASYNC240
    await archive.append([part("b", [1], [1])])
    assert await everything(archive, "b") == {1: 1.0}
    await archive.aclose()


APPENDER = """
import sys, trio
import numpy as np
from pathlib import Path
from storage.models import SeriesPart
from storage.sqlite_archive import open_sqlite_archive

async def main():
    archive = await open_sqlite_archive(Path(sys.argv[1]))
    for index in range(100_000):
        await archive.append([SeriesPart("a", np.arange(10) + index * 10, np.full(10, float(index)))])
        print(index, flush=True)

trio.run(main)
"""


def kill_while_appending(path: Path, after: int) -> int:
    """The last append that had returned when the process was killed."""
    process = subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= after:
            break
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split("\n")
    process.wait()
    process.stdout.close()
    return max([after, *(int(word) for word in rest[:-1] if word)])


async def test_killed_while_appending(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    last = await trio.to_thread.run_sync(kill_while_appending, path, 25)
    archive = await open_sqlite_archive(path)
    kept = await everything(archive, "a")
    assert len(kept) % 10 == 0  # whole transactions only
    assert len(kept) >= (last + 1) * 10
    assert all(value == time_ms // 10 for time_ms, value in kept.items())
    await archive.append([part("b", [1], [1])])
    await archive.aclose()


async def test_a_healthy_file_is_called_healthy(archive: SqliteArchive, path: Path) -> None:
    await archive.append([part("a", [1_000, 2_000], [1.5, 2.5]), part("b", [1_000], [3.0], '{"unit":"V"}')])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
