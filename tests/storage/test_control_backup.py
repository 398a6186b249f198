"""Settings travel with the backup of the archive, and come back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.archive import ArchiveError
from storage.control_backup import back_up_control, control_copy, restore_control
from storage.control_documents import all_documents, put_document
from storage.control_outbox import Message, deliveries, put_message, waiting
from storage.control_schema import control_path, migrate


def write(db_path: Path, *ids: str, upto: int | None = None) -> None:
    with closing(sqlite3.connect(control_path(db_path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        if upto is None:
            migrate(connection)
        else:
            migrate(connection, upto)
        for id_ in ids:
            put_document(connection, "k", id_, {}, expected="any", now_ms=1, limit=99)


def read(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [each.id for each in all_documents(connection, "k")]


def test_there_and_back(tmp_path: Path) -> None:
    db_path, backup = tmp_path / "analytics.db", tmp_path / "copy.db"
    assert back_up_control(db_path, backup) is None
    assert restore_control(backup, db_path) is None
    write(db_path, "a")
    assert back_up_control(db_path, backup) == control_copy(backup)
    write(db_path, "b")
    assert read(control_copy(backup)) == ["a"]
    assert restore_control(backup, db_path) == control_path(db_path)
    assert read(control_path(db_path)) == ["a"]
    assert read(tmp_path / "control.db.before-restore-1") == ["a", "b"]
    assert {each.name for each in tmp_path.iterdir()} == {
        "control.db", "control.db.before-restore-1", "copy.db.control",
    }  # fmt: skip


def test_a_damaged_one_is_moved_aside_by_a_restore(tmp_path: Path) -> None:
    db_path, backup = tmp_path / "analytics.db", tmp_path / "copy.db"
    write(db_path, "a")
    back_up_control(db_path, backup)
    control_path(db_path).write_bytes(b"not a database")
    restore_control(backup, db_path)
    assert read(control_path(db_path)) == ["a"]
    assert (tmp_path / "control.db.before-restore-1").read_bytes() == b"not a database"


def test_messages_that_waited_in_it_are_not_sent(tmp_path: Path) -> None:
    db_path, backup = tmp_path / "analytics.db", tmp_path / "copy.db"
    write(db_path)
    message = Message("m", "anna", "mail", 1, "waiting", 5, 0, None, None, {"title": "t"})
    with closing(sqlite3.connect(control_path(db_path), isolation_level=None)) as connection:
        put_message(connection, message)
    back_up_control(db_path, backup)
    restore_control(backup, db_path)
    with closing(sqlite3.connect(control_path(db_path))) as connection:
        assert waiting(connection) == []
        (kept,) = deliveries(connection, "anna", 9)
    assert (kept.state, kept.done_ms, kept.error) == ("failed", 5, "it waited in a backup that was restored")


def test_an_older_form_is_brought_forward(tmp_path: Path) -> None:
    db_path, backup = tmp_path / "analytics.db", tmp_path / "copy.db"
    write(db_path, "a", upto=1)
    back_up_control(db_path, backup)
    (tmp_path / "new").mkdir()
    restore_control(backup, tmp_path / "new" / "analytics.db")
    with closing(sqlite3.connect(tmp_path / "new" / "control.db")) as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


@pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 3\x00" + bytes(9000)])
def test_a_damaged_one_changes_nothing(tmp_path: Path, content: bytes) -> None:
    db_path, backup = tmp_path / "analytics.db", tmp_path / "copy.db"
    write(db_path, "a")
    control_copy(backup).write_bytes(content)
    with pytest.raises(ArchiveError):
        restore_control(backup, db_path)
    assert read(control_path(db_path)) == ["a"]
