"""The files around the archive: when it is checked, how it is moved aside, and what a kill leaves in between."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.archive import ArchiveError
from storage.migrations import migrate
from storage.recovery import (
    Report,
    find_damage,
    move_aside,
    moved_aside,
    pending_salvage,
    quick_check,
    report_of,
    write_report,
)

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
        connection.execute("INSERT INTO analytics_metrics VALUES ('a', 1.0, 2.0, NULL)")
    return path


@pytest.fixture
def killed(path: Path) -> Path:
    """As a kill leaves it: the log is there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO analytics_metrics VALUES ('b', 1.0, 2.0, NULL)")
        shutil.copy(path, path.with_name("k.db"))
        shutil.copy(path.with_name("a.db-wal"), path.with_name("k.db-wal"))
    return path.with_name("k.db")


@pytest.fixture
def locked(path: Path) -> Iterator[Path]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        yield path


def break_page(path: Path, number: int) -> None:
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(b"\xff" * PAGE)


def names(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_a_clean_stop_is_not_checked(path: Path) -> None:
    break_page(path, 3)
    assert quick_check(path) is not None
    assert find_damage(path) is None


def test_after_an_unclean_stop_it_is(killed: Path) -> None:
    assert find_damage(killed) is None
    break_page(killed, 3)
    assert find_damage(killed) is not None


def test_so_it_is_when_somebody_met_damage(path: Path) -> None:
    assert find_damage(path, "a read said so") is None
    break_page(path, 3)
    assert find_damage(path, "a read said so") is not None


def test_looking_changes_nothing(killed: Path) -> None:
    before = killed.read_bytes(), killed.with_name("k.db-wal").read_bytes()
    quick_check(killed)
    find_damage(killed)
    assert (killed.read_bytes(), killed.with_name("k.db-wal").read_bytes()) == before


def test_a_file_cut_off_is_seen_at_once(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2 * PAGE)
    assert "cut off" in str(find_damage(path))


def test_nothing_there_and_an_empty_file_are_no_damage(tmp_path: Path) -> None:
    assert find_damage(tmp_path / "none" / "a.db") is None
    (tmp_path / "a.db").touch()
    assert find_damage(tmp_path / "a.db") is None


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        find_damage(tmp_path)
    assert caught.value.trouble == "unavailable"


def test_a_locked_file_is_busy_and_not_damaged(locked: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        quick_check(locked)
    assert caught.value.trouble == "busy"


def test_moved_aside_with_all_that_belongs_to_it(killed: Path) -> None:
    aside = move_aside(killed, "it is torn")
    assert aside.name == "k.db.damaged-1"
    assert {name for name in names(killed) if name.startswith("k.db")} >= {aside.name, f"{aside.name}-wal"}
    assert not {"k.db", "k.db-wal", "k.db-shm"} & names(killed)
    assert report_of(aside) == Report(aside.name, "it is torn")
    assert pending_salvage(killed) == [aside]


def test_a_report_ends_it(killed: Path) -> None:
    aside = move_aside(killed, "it is torn")
    report = Report(aside.name, "it is torn", 7, {"t": 3}, 2, 1, ["chunk 4"], 1)
    write_report(aside, report)
    assert report_of(aside) == report
    assert pending_salvage(killed) == []
    assert moved_aside(killed) == [aside]


def test_a_report_that_cannot_be_read_is_none(killed: Path) -> None:
    aside = move_aside(killed, "it is torn")
    aside.with_name(f"{aside.name}.json").write_text("{")
    assert report_of(aside) is None
    assert pending_salvage(killed) == [aside]


def test_killed_between_moving_the_database_and_its_log(killed: Path) -> None:
    killed.rename(killed.with_name("k.db.damaged-1"))
    assert find_damage(killed) is None
    assert "k.db.damaged-1-wal" in names(killed)
    assert "k.db-wal" not in names(killed)


def test_numbers_go_on_beyond_nine(path: Path) -> None:
    for _ in range(12):
        shutil.copy(path, path.with_name("k.db"))
        move_aside(path.with_name("k.db"), "it is torn")
    assert [each.name for each in moved_aside(path.with_name("k.db"))] == [f"k.db.damaged-{n}" for n in (10, 11, 12)]
