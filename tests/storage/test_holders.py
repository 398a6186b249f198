"""Whether another process has the database open."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.holders import held_by

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
    return tmp_path / "a.db"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.communicate()


def test_nobody_has_it_open(path: Path, tmp_path: Path) -> None:
    assert held_by(path) is None
    assert held_by(tmp_path / "none.db") is None


def test_another_process_has_it_open_until_it_ends(path: Path, holder: subprocess.Popen[str]) -> None:
    assert held_by(path) == holder.pid
    assert held_by(path) == holder.pid  # asking takes nothing away
    holder.communicate("")
    assert held_by(path) is None


def test_files_left_by_a_kill_are_nobodys(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()
    assert path.with_name("a.db-shm").exists()
    assert held_by(path) is None
