"""`backup` and `restore` on the command line: what is said, and the exit code."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli import main
from storage.control_schema import migrate as migrate_control
from storage.migrations import migrate


@pytest.fixture
def live(tmp_path: Path) -> Path:
    path = tmp_path / "analytics.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
    return path


def run(live: Path, *arguments: str) -> int:
    return main(arguments, {"COACHIQ_ANALYTICS__DB_PATH": str(live)})


def test_there_and_back(live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy.db"
    assert run(live, "backup", str(copy)) == 0
    said = capsys.readouterr()
    assert str(copy) in said.out
    assert "checked" in said.out
    assert "100 %" in said.err
    assert run(live, "restore", str(copy)) == 0
    said = capsys.readouterr()
    assert "before-restore-1" in said.out
    assert "100 %" in said.err


def test_bad_settings_are_found_before_anything_is_touched(
    live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.db"
    assert run(live, "backup", str(copy)) == 0
    (tmp_path / "copy.db.control").write_text("notes")
    before = {each.name for each in tmp_path.iterdir()}
    assert run(live, "restore", str(copy)) == 1
    assert "left as it is" in capsys.readouterr().err
    assert {each.name for each in tmp_path.iterdir()} == before


def test_the_half_of_the_settings_alone_is_called_what_it_is(
    live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.db.control"
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        migrate_control(connection)
    before = live.read_bytes()
    assert run(live, "restore", str(copy)) == 1
    said = capsys.readouterr().err
    assert "holds settings and the action journal; name the file of the history beside it" in said
    assert "newer" not in said
    assert live.read_bytes() == before


def test_what_cannot_be_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "none.db", "backup", str(tmp_path / "copy.db")) == 1
    assert "no database" in capsys.readouterr().err


def test_a_bad_backup_is_refused(live: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.db"
    bad.write_text("notes")
    before = live.read_bytes()
    assert run(live, "restore", str(bad)) == 1
    assert "left as it is" in capsys.readouterr().err
    assert live.read_bytes() == before
