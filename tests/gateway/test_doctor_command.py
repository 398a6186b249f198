"""`doctor`: the state of the files in words, and an exit code that says whether something has to be done."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from gateway import doctor_command
from gateway.cli import main
from storage.migrations import CURRENT, MIGRATIONS, Version, migrate
from storage.recovery import Report, move_aside, write_report
from storage.sqlite_archive import open_sqlite_archive
from tests.storage.archive_suite import part


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "analytics.db"

    async def fill() -> None:
        archive = await open_sqlite_archive(path)
        await archive.append(
            [part(f"m.{n}", range(1_780_000_000_000 + n, 1_780_000_100_000, 100), range(1000)) for n in (0,)]
        )
        await archive.aclose()

    trio.run(fill)
    return path


def ask(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["doctor"], {"COACHIQ_ANALYTICS__DB_PATH": str(path)})
    return code, capsys.readouterr().out


def test_no_file_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ask(tmp_path / "none" / "a.db", capsys)
    assert code == 0
    assert "nothing to do" in said


def test_a_sound_one(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ask(path, capsys)
    assert code == 0
    assert "1,000 samples of 1 metric, from 2026-05-28 20:26 UTC to 2026-05-28 20:28 UTC" in said
    assert f"Schema version {CURRENT}" in said
    assert "All is well" in said


def test_a_damaged_one(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with path.open("r+b") as file:
        file.seek(2 * 1024)
        file.write(b"\xff" * 1024)
    code, said = ask(path, capsys)
    assert code == 1
    assert "It is damaged" in said
    assert "What to do" in said


def test_a_damaged_chunk(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for table in ("analytics_journal", "analytics_chunks"):
            connection.execute(f"UPDATE {table} SET crc = crc + 1")
        connection.commit()
    code, said = ask(path, capsys)
    assert code == 1
    assert "1 parts of history are damaged" in said


def test_somebody_elses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.db").write_text("notes")
    code, said = ask(tmp_path / "a.db", capsys)
    assert code == 1
    assert "not a database" in said
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        connection.execute("CREATE TABLE songs (title)")
    code, said = ask(tmp_path / "b.db", capsys)
    assert code == 1
    assert "another program" in said


def test_a_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ask(tmp_path, capsys)
    assert code == 1
    assert "no file" in said


def test_newer_and_older(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {Version(CURRENT.major + 1).user_version}")
    code, said = ask(path, capsys)
    assert code == 1
    assert "newer version" in said
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
    code, said = ask(tmp_path / "old.db", capsys)
    assert code == 0
    assert "brings it to" in said


def test_locked(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        code, said = ask(path, capsys)
    assert code == 1
    assert "locked" in said


def test_a_running_service_is_no_fault(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("INSERT INTO analytics_metrics VALUES ('x', 1.0, 2.0, NULL)")
        code, said = ask(path, capsys)
    assert code == 0
    assert "1,001 samples of 2 metrics" in said
    assert "That is no fault" in said


def test_what_was_moved_aside(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aside = move_aside(path, "it was torn")
    code, said = ask(path, capsys)
    assert code == 0
    assert "analytics.db.damaged-1 was moved aside (it was torn)" in said
    assert "while the service runs" in said
    write_report(aside, Report(aside.name, "it was torn", 1, {"t": 5}, 4, 1))
    code, said = ask(path, capsys)
    assert "4 rows were saved" in said


def test_settings_beside_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(path.with_name("control.db"))) as control:
        control.execute("CREATE TABLE t (x)")
    code, said = ask(path, capsys)
    assert code == 0
    assert "control.db" in said
    path.with_name("control.db").write_text("torn")
    code, said = ask(path, capsys)
    assert code == 1


def test_a_disk_without_room(path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_command, "LOW_DISK_BYTES", 2**62)
    code, said = ask(path, capsys)
    assert code == 1
    assert "Free some space" in said
