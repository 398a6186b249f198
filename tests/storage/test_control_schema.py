"""control.db: each migration, and files that are not ours."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage.archive import ArchiveError
from storage.control_schema import APPLICATION_ID, VERSION, control_path, look_at_control, migrate


def test_it_stands_beside_the_archive() -> None:
    assert control_path(Path("data/analytics.db")) == Path("data/control.db")


@pytest.mark.parametrize("version", range(VERSION))
def test_every_older_form_becomes_the_present_one(version: int) -> None:
    old, new = sqlite3.connect(":memory:", isolation_level=None), sqlite3.connect(":memory:", isolation_level=None)
    migrate(old, upto=version)
    assert old.execute("PRAGMA user_version").fetchone()[0] == version
    migrate(old)
    migrate(new)
    sql = "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2"
    assert old.execute(sql).fetchall() == new.execute(sql).fetchall()
    assert old.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    migrate(old)
    old.close()
    new.close()


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 7")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(ArchiveError) as caught:
        look_at_control(path)
    assert "another program" in caught.value.reason


def test_a_missing_and_an_empty_file_are_fine(tmp_path: Path) -> None:
    look_at_control(tmp_path / "new" / "control.db")
    (tmp_path / "new" / "control.db").touch()
    look_at_control(tmp_path / "new" / "control.db")
