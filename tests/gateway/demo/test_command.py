"""The command `demo`: history first, then a service with a live coach beside it."""

from __future__ import annotations

import sqlite3

import pytest

from conf.settings import PREFIX
from gateway.cli import main
from gateway.demo import command


@pytest.fixture
def served(monkeypatch):
    """What run_service was asked for, and what stood in the database then."""
    calls = []

    def run_service(settings, flags, *, origin, extra_children=()):
        connection = sqlite3.connect(settings.db_path)
        rows = connection.execute("SELECT sum(count), max(end_ms) / 1000.0 FROM analytics_chunks").fetchone()
        connection.close()
        calls.append((settings, flags, extra_children, rows))
        return 0

    monkeypatch.setattr(command, "run_service", run_service)
    return calls


def test_a_demo_leaves_nothing_behind(served, capsys):
    assert main(["demo", "--days", "0.5", "--port", "8123"], {}) == 0
    settings, flags, children, rows = served[0]
    assert settings.port == 8123
    assert flags.enabled("persistence")
    assert rows[0] > 10_000
    assert [child.name for child in children] == ["simulated_coach", "stand_in_core"]
    assert not settings.db_path.exists()
    assert not settings.db_path.parent.exists()
    out, err = capsys.readouterr()
    assert "simulated" in out
    assert "http://127.0.0.1:8123/" in out
    assert "fridge.temperature" in out
    assert "writing 0.5 days of history 100 %" in err


def test_a_named_database_is_kept_and_continued(served, tmp_path):
    environ = {PREFIX + "DB_PATH": str(tmp_path / "demo.db")}
    assert main(["demo", "--days", "0.5"], environ) == 0
    assert main(["demo", "--days", "0.5"], environ) == 0
    first, second = (call[3] for call in served)
    assert (tmp_path / "demo.db").exists()
    assert first[0] <= second[0] < first[0] + 200  # a minute or none was added
    assert served[1][0].db_path == tmp_path / "demo.db"


def test_a_database_of_another_coach_is_refused(served, tmp_path, capsys):
    recording = tmp_path / "a.csv"
    recording.write_text("metric_name,timestamp,value\nengine.boost,1,1\n")
    environ = {PREFIX + "DB_PATH": str(tmp_path / "real.db")}
    assert main(["import", str(recording)], environ) == 0
    assert main(["demo", "--days", "0.5"], environ) == 78
    assert f"{PREFIX}DB_PATH: {tmp_path / 'real.db'} holds engine.boost" in capsys.readouterr().err
    assert served == []


def test_trouble_with_the_database(served, tmp_path, capsys):
    (tmp_path / "demo.db").write_bytes(b"this is no database" * 100)
    assert main(["demo", "--days", "0.5"], {PREFIX + "DB_PATH": str(tmp_path / "demo.db")}) == 1
    assert "demo.db: " in capsys.readouterr().err
    assert served == []


def test_the_demo_needs_to_know_its_port(served, capsys):
    assert main(["demo", "--port", "0"], {}) == 78
    assert "--port: the demo needs a port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_where_the_live_coach_reaches_the_service(host, reached):
    assert command._reachable(host) == reached
