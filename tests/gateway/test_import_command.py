"""The command `import`, into a real file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time

import pytest

from conf.settings import PREFIX
from gateway.cli import main

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
print("open", flush=True)
sys.stdin.read()
"""
RECORDING = "metric_name,timestamp,value\na,1760000000.125,1.5\nb,1760000001,2\na,x,3\n"


@pytest.fixture
def run(tmp_path, capsys):
    def run(name="a.csv", db="new/analytics.db"):
        code = main(["import", str(tmp_path / name)], {PREFIX + "DB_PATH": str(tmp_path / db)})
        return code, *capsys.readouterr()

    return run


def test_rows_end_in_the_file_and_bad_ones_are_named(run, tmp_path):
    (tmp_path / "a.csv").write_text(RECORDING)
    code, out, err = run()
    assert code == 1  # one row was bad
    assert out.startswith("2 rows stored in ")
    assert "from 2025-10-09 08:53 to 2025-10-09 08:53 UTC; 1 bad rows" in out
    assert f"{tmp_path / 'a.csv'}: line 4: timestamp: expected unix seconds" in err
    assert "import a.csv 100 %" in err
    with sqlite3.connect(tmp_path / "new/analytics.db") as connection:
        rows = connection.execute("SELECT metric_name, timestamp, value FROM analytics_metrics ORDER BY 1").fetchall()
    connection.close()
    assert rows == [("a", 1760000000.125, 1.5), ("b", 1760000001.0, 2.0)]


def test_what_lies_ahead_is_refused_as_over_http(run, tmp_path):
    soon, late = time.time() + 200, time.time() + 400
    (tmp_path / "a.csv").write_text(f"metric_name,timestamp,value\na,{soon},1\na,{late},2\nx,9999999999,4\n")
    code, out, err = run()
    assert (code, out[:13]) == (1, "1 rows stored")
    assert "line 3: timestamp: " in err
    assert "line 4: timestamp: '9999999999' lies more than 300 s in the future" in err


def test_a_whole_file_ends_with_0_again_and_again(run, tmp_path):
    (tmp_path / "a.csv").write_text(RECORDING.rpartition("a,x")[0])
    assert [run()[0], run()[0]] == [0, 0]


def test_a_missing_recording_and_a_bad_database(run, tmp_path):
    code, out, err = run("no.csv")
    assert (code, out) == (1, "")
    assert "no.csv: No such file" in err
    (tmp_path / "a.csv").write_text(RECORDING)
    (tmp_path / "bad.db").write_bytes(b"this is no database" * 100)
    code, out, err = run(db="bad.db")
    assert (code, out) == (1, "")
    assert "bad.db: " in err
    assert (tmp_path / "bad.db").read_bytes().startswith(b"this is no database")


def test_many_bad_rows_are_not_all_named(run, tmp_path):
    (tmp_path / "a.csv").write_text("metric_name,timestamp,value\n" + "a,,\n" * 100)
    code, _, err = run()
    assert code == 1
    assert err.count(": line ") == 20
    assert "and 80 further bad rows" in err


def test_a_database_that_somebody_has_open_is_left_alone(run, tmp_path):
    (tmp_path / "a.csv").write_text(RECORDING.rpartition("a,x")[0])
    assert run(db="a.db")[0] == 0
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "a.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "open\n"
        code, out, err = run(db="a.db")
        assert (code, out) == (1, "")
        assert f"process {holder.pid} has it open" in err
        assert "replay" in err
    finally:
        holder.communicate("")
    assert run(db="a.db")[0] == 0
