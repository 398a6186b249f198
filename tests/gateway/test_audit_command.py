"""`audit verify` on files that are as they were written, and on others."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from analytics.action_state import Action
from gateway.cli import main
from storage.control_actions import insert_action
from storage.control_schema import migrate

ACTION = Action(
    "a1", "local", "key-1", "i.0.light", "i", "rule", "m", "switch_off", "light", "Light", "green", "proposed", 1, 1, 30
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "control.db"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection)
    insert_action(connection, ACTION)
    connection.close()
    return path


def run(path: Path, *options: str) -> int:
    return main(["audit", "verify", *options], {"COACHIQ_ANALYTICS__DB_PATH": str(path.parent / "analytics.db")})


def test_as_it_was_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file) == 0
    assert capsys.readouterr().out.startswith("1 entries, all as they were written; last hash ")
    assert run(file, "--file", str(file)) == 0


def test_changed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(file)
    connection.execute("UPDATE action_journal SET at_ms = 2")
    connection.commit()
    connection.close()
    assert run(file) == 1
    assert "entry 1 is not as it was written" in capsys.readouterr().err


def test_missing_and_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "control.db") == 1
    assert "there is no" in capsys.readouterr().err
    (tmp_path / "control.db").write_text("not a database, but long enough to be looked at as if it were one" * 20)
    assert run(tmp_path / "control.db") == 1
    assert "can't be read" in capsys.readouterr().err
