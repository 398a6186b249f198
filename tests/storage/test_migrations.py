"""The steps between forms of the archive: numbered, each all or nothing, killed at every statement."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.migrations import CURRENT, MIGRATIONS, Migration, Version, migrate, statements, version_of

ROOT = Path(__file__).resolve().parents[2]

KILLED_AT = """
import os, signal, sqlite3, sys
from storage.migrations import migrate

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
left = int(sys.argv[2])

def count(statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

connection.execute("PRAGMA journal_mode = WAL")
connection.set_trace_callback(count)
migrate(connection)
"""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT sql FROM sqlite_master ORDER BY name")]


@pytest.mark.parametrize("version", [Version(0), Version(1), Version(1, 3), Version(65535, 32767)])
def test_both_numbers_survive_the_way_through_the_file(version: Version, connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA user_version = {version.user_version}")
    assert version_of(connection) == version


def test_files_from_before_minor_versions_are_of_major_one() -> None:
    assert Version.of(1) == Version(1, 0)


def test_numbers_rise_and_scripts_are_numbered_in_their_order() -> None:
    versions = [step.version for step in MIGRATIONS]
    assert versions == sorted(set(versions))
    assert [int(step.script[:4]) for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_an_empty_file_goes_all_the_way_and_only_once(connection: sqlite3.Connection) -> None:
    assert migrate(connection) == [step.version for step in MIGRATIONS]
    assert version_of(connection) == CURRENT
    assert migrate(connection) == []


def test_a_newer_file_is_left_as_it_is(connection: sqlite3.Connection) -> None:
    newer = Version(CURRENT.major, CURRENT.minor + 1)
    connection.execute(f"PRAGMA user_version = {newer.user_version}")
    assert migrate(connection) == []
    assert version_of(connection) == newer


def test_a_step_that_fails_leaves_the_form_before(connection: sqlite3.Connection) -> None:
    migrate(connection)
    before = tables(connection)
    connection.execute(f"PRAGMA user_version = {Version(0).user_version}")  # so that the first step meets its tables
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection)
    assert not connection.in_transaction
    assert tables(connection) == before
    assert version_of(connection) == Version(0)


def test_killed_at_each_statement(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as whole:
        migrate(whole)
        wanted = tables(whole)
    known = {Version(0), *(step.version for step in MIGRATIONS)}
    killed = 0
    for after in range(500):
        path = tmp_path / f"{after}.db"
        ended = subprocess.run([sys.executable, "-c", KILLED_AT, str(path), str(after)], cwd=ROOT, check=False)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            version = version_of(connection)
            assert version in known
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert bool(tables(connection)) == (version > Version(0))
            migrate(connection)
            assert tables(connection) == wanted
            assert version_of(connection) == CURRENT
        if ended.returncode == 0:
            break
        killed += 1
    assert ended.returncode == 0
    assert killed > 2 * len(MIGRATIONS)


def test_statements_end_where_sqlite_says() -> None:
    script = "-- a; b\nCREATE TABLE t (  -- c;\n x TEXT DEFAULT ';'\n);\nCREATE INDEX i ON t (x);\n-- the end\n"
    assert len(list(statements(script))) == 2
    with pytest.raises(ValueError, match="without its end"):
        list(statements("CREATE TABLE t (x)"))


def test_a_script_of_ours_is_what_a_migration_names() -> None:
    with pytest.raises(FileNotFoundError), closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, [Migration(Version(9), "0009_missing.sql")])
