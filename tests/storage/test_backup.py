"""Backup and restore, while somebody writes; and what they refuse."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from storage import backup
from storage.archive import ArchiveError
from storage.backup import back_up, check_backup, restore
from storage.migrations import CURRENT, Version, migrate
from storage.recovery import quick_check

PAGE = 4096


def put(connection: sqlite3.Connection, name: str, rows: int = 1) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "INSERT OR REPLACE INTO analytics_metrics VALUES (?, ?, ?, NULL)",
        [(name, n / 7, float(n)) for n in range(rows)],
    )
    connection.execute("COMMIT")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        yield connection


def names(path: Path) -> list[str]:
    with opened(path) as connection:
        return [name for (name,) in connection.execute("SELECT DISTINCT metric_name FROM analytics_metrics ORDER BY 1")]


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "analytics.db"
    path.parent.mkdir()
    with opened(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
        put(connection, "a", 20_000)
    return path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """One row a commit, `each` all the time: in every backup they are 0, 1, 2 ... without a gap."""
    stop = threading.Event()
    failed: list[Exception] = []

    def write() -> None:
        try:
            with opened(path) as connection:
                number = 0
                while not stop.is_set():
                    connection.execute("INSERT INTO analytics_metrics VALUES ('each', 1.5, ?, NULL)", (number + 0.5,))
                    number += 1
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not failed


def test_a_backup_while_somebody_writes_is_one_moment(live: Path, tmp_path: Path) -> None:
    target = tmp_path / "b" / "copy.db"
    fractions: list[float] = []
    with writing(live):
        done = back_up(live, target, fractions.append)
    assert quick_check(target) is None
    assert done.size_bytes == target.stat().st_size
    assert [each.name for each in target.parent.iterdir()] == ["copy.db"]
    with opened(target) as connection:
        (first,) = connection.execute("SELECT count(*) FROM analytics_metrics WHERE metric_name = 'a'").fetchone()
        each = [
            at for (at,) in connection.execute("SELECT timestamp FROM analytics_metrics WHERE metric_name = 'each'")
        ]
    assert first == 20_000
    assert each == [number + 0.5 for number in range(len(each))]
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)


def test_a_writer_is_not_held_up(live: Path, tmp_path: Path) -> None:
    with opened(live) as connection:
        connection.execute("PRAGMA busy_timeout = 0")
        back_up(live, tmp_path / "copy.db", lambda fraction: put(connection, "b"))
    assert names(live) == ["a", "b"]


def test_a_backup_takes_the_place_of_an_older_one(live: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    back_up(live, target)
    with opened(live) as connection:
        put(connection, "b")
    back_up(live, target)
    assert names(target) == ["a", "b"]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("somebody's notes")
    return path


def test_a_file_that_is_no_database_is_not_overwritten(live: Path, notes: Path) -> None:
    with pytest.raises(ArchiveError, match="not a database"):
        back_up(live, notes)
    assert notes.read_text() == "somebody's notes"


def test_nor_is_the_database_of_another_program(live: Path) -> None:
    other = live.with_name("control.db")
    with opened(other) as connection:
        connection.execute("CREATE TABLE songs (title)")
    before = other.read_bytes()
    with pytest.raises(ArchiveError, match="no backup"):
        back_up(live, other)
    assert other.read_bytes() == before


@pytest.mark.parametrize("target", ["analytics.db", "."])
def test_nor_the_database_itself_nor_a_directory(live: Path, target: str) -> None:
    with pytest.raises(ArchiveError, match=r"itself|directory"):
        back_up(live, live.parent / target)


def test_without_a_database_there_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no database"):
        back_up(tmp_path / "none.db", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def spoil(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(20 * PAGE)
        file.write(b"\xff" * 5 * PAGE)


def test_a_damaged_database_gives_no_backup_and_the_older_one_stays(live: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    back_up(live, target)
    before = target.read_bytes()
    spoil(live)
    with pytest.raises(ArchiveError) as caught:
        back_up(live, target)
    assert caught.value.trouble == "corrupt"
    assert target.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"data", "copy.db"}


def test_a_restore_brings_it_back_and_keeps_what_was_there(live: Path, tmp_path: Path) -> None:
    back_up(live, tmp_path / "copy.db")
    with opened(live) as connection:
        put(connection, "later")
    fractions: list[float] = []
    done = restore(tmp_path / "copy.db", live, fractions.append)
    assert names(live) == ["a"]
    assert done.kept is not None
    assert names(done.kept) == ["a", "later"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert quick_check(live) is None


def test_a_restore_under_a_writer_is_one_transaction(live: Path, tmp_path: Path) -> None:
    back_up(live, tmp_path / "copy.db")
    with writing(live):
        restore(tmp_path / "copy.db", live)
    assert quick_check(live) is None
    with opened(live) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        (rows,) = connection.execute("SELECT count(*) FROM analytics_metrics WHERE metric_name = 'a'").fetchone()
    assert rows == 20_000


def test_at_most_three_are_kept(live: Path, tmp_path: Path) -> None:
    back_up(live, tmp_path / "copy.db")
    for _ in range(5):
        restore(tmp_path / "copy.db", live)
    kept = sorted(each.name for each in live.parent.iterdir() if "before" in each.name)
    assert kept == [f"analytics.db.before-restore-{number}" for number in (3, 4, 5)]


def test_a_restore_where_nothing_is(live: Path, tmp_path: Path) -> None:
    back_up(live, tmp_path / "copy.db")
    done = restore(tmp_path / "copy.db", tmp_path / "new" / "analytics.db")
    assert done.kept is None
    assert names(tmp_path / "new" / "analytics.db") == ["a"]


def test_a_restore_over_a_damaged_file_moves_it_aside(live: Path, tmp_path: Path) -> None:
    back_up(live, tmp_path / "copy.db")
    spoil(live)
    done = restore(tmp_path / "copy.db", live)
    assert done.kept == live.with_name("analytics.db.damaged-1")
    assert names(live) == ["a"]


def damaged(path: Path) -> None:
    spoil(path)


def not_a_database(path: Path) -> None:
    path.write_bytes(b"notes" * 5000)


def of_another_program(path: Path) -> None:
    path.unlink()
    with opened(path) as connection:
        connection.execute("CREATE TABLE songs (title)")


def newer(path: Path) -> None:
    with opened(path) as connection:
        connection.execute(f"PRAGMA user_version = {Version(CURRENT.major + 1).user_version}")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("kind", [damaged, not_a_database, of_another_program, newer, empty, missing])
def test_a_bad_backup_is_refused_and_nothing_changes(live: Path, tmp_path: Path, kind) -> None:
    back_up(live, tmp_path / "copy.db")
    kind(tmp_path / "copy.db")
    before = {each.name: each.read_bytes() for each in live.parent.iterdir()}
    with pytest.raises(ArchiveError):
        restore(tmp_path / "copy.db", live)
    assert {each.name: each.read_bytes() for each in live.parent.iterdir()} == before
    with pytest.raises(ArchiveError):
        check_backup(tmp_path / "copy.db")


def test_the_database_itself_is_no_backup(live: Path) -> None:
    with pytest.raises(ArchiveError, match="itself"):
        restore(live, live)


def test_an_older_form_is_brought_forward(live: Path, tmp_path: Path) -> None:
    from storage.migrations import MIGRATIONS

    with opened(tmp_path / "old.db") as connection:
        migrate(connection, MIGRATIONS[:1])
        put(connection, "old")
    restore(tmp_path / "old.db", live)
    with opened(live) as connection:
        assert Version.of(connection.execute("PRAGMA user_version").fetchone()[0]) == CURRENT
    assert names(live) == ["old"]


def test_a_database_locked_for_ever_is_not_waited_for(live: Path, tmp_path: Path, monkeypatch) -> None:
    back_up(live, tmp_path / "copy.db")
    monkeypatch.setattr(backup, "LOCKED_S", 0.2)
    with opened(live) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveError) as caught:
            restore(tmp_path / "copy.db", live)
    assert caught.value.trouble == "busy"
    assert names(live) == ["a"]


def test_pages_of_another_size(live: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "small.db") as connection:
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
        put(connection, "small", 500)
    with writing(live):
        restore(tmp_path / "small.db", live)
    assert "small" in names(live)
    assert "a" not in names(live)
    assert quick_check(live) is None
