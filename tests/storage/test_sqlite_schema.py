"""The archive file: made when it is missing, refused and left alone when it is not ours."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.archive import ArchiveError
from storage.migrations import CURRENT, Version
from storage.models import SeriesPart
from storage.sqlite_archive import open_sqlite_archive

NEWER = Version(CURRENT.major + 1).user_version
NEWER_MINOR = Version(CURRENT.major, CURRENT.minor + 1).user_version


async def refused(path: Path, trouble: str) -> str:
    """Opening fails with this trouble; the sentence it gives."""
    with pytest.raises(ArchiveError) as caught:
        await open_sqlite_archive(path, busy_timeout_ms=50)
    assert caught.value.trouble == trouble
    return caught.value.reason


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


@pytest.fixture
def directory_shut(tmp_path: Path) -> Path:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    return shut


@pytest.fixture
def file_in_the_way(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_text("in the way")
    return file


def run(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def left_alone(path: Path, content: bytes) -> bool:
    return path.read_bytes() == content and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"not a database at all, but long enough" * 200, "foreign"),
        (b"x", "foreign"),
        (b"SQLite format 3\x00" + b"\xff" * 4080, "newer"),
        (b"SQLite format 3\x00" + b"\x00" * 4080, "corrupt"),
    ],
    ids=["text", "one byte", "a header of ones", "a header of zeros"],
)
async def test_a_file_that_is_no_database(path: Path, content: bytes, trouble: str) -> None:
    path.write_bytes(content)  # noqa: ASYNC240  # a test of one task
    await refused(path, trouble)
    assert left_alone(path, content)


async def test_a_database_of_another_program(path: Path) -> None:
    run(path, "CREATE TABLE songs (title)")
    content = path.read_bytes()  # noqa: ASYNC240
    assert "another program" in await refused(path, "foreign")
    assert left_alone(path, content)


async def test_a_newer_schema(path: Path) -> None:
    await (await open_sqlite_archive(path)).aclose()
    run(path, f"PRAGMA user_version = {NEWER}")
    content = path.read_bytes()  # noqa: ASYNC240
    assert "newer version" in await refused(path, "newer")
    assert left_alone(path, content)


async def test_a_newer_schema_that_only_the_write_ahead_log_knows(path: Path) -> None:
    await (await open_sqlite_archive(path)).aclose()
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {NEWER}")
    content = path.read_bytes()  # noqa: ASYNC240
    await refused(path, "newer")
    assert path.read_bytes() == content  # noqa: ASYNC240
    other.close()


async def test_a_newer_minor_schema_opens_and_keeps_its_number(path: Path) -> None:
    await (await open_sqlite_archive(path)).aclose()
    run(path, f"ALTER TABLE analytics_metrics ADD COLUMN quality TEXT; PRAGMA user_version = {NEWER_MINOR}")
    archive = await open_sqlite_archive(path)
    await archive.append([SeriesPart("a", np.array([1]), np.array([2.0]))])
    assert await archive.names() == ["a"]
    await archive.aclose()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (NEWER_MINOR,)


async def test_an_empty_file_becomes_an_archive(path: Path) -> None:
    path.touch()  # noqa: ASYNC240
    archive = await open_sqlite_archive(path)
    assert await archive.names() == []
    await archive.aclose()


async def test_a_directory_that_cannot_be_made(file_in_the_way: Path) -> None:
    assert "directory" in await refused(file_in_the_way / "a.db", "unavailable")


async def test_a_path_that_is_a_directory(tmp_path: Path) -> None:
    await refused(tmp_path, "unavailable")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_an_unwritable_directory(directory_shut: Path) -> None:
    await refused(directory_shut / "a.db", "unavailable")


async def test_an_unwritable_file_system() -> None:
    await refused(Path("/proc/self/a.db"), "unavailable")
