"""A damaged file under the whole service: ready at once, on a new file, with what could be saved."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from storage.migrations import migrate

pytestmark = pytest.mark.system

PAGE = 4096
START_S = 1_780_000_000
SLOWER = 3.0  # at most, than a start with nothing to look at: that ratio is the same on a busy machine


def make_archive(path: Path, megabytes: int) -> int:
    """A file of this size as a killed service leaves it: the last commit stands in the log. How many samples."""
    live = path.with_name("live.db")
    rows = 0
    with closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        migrate(connection)
        while not rows or live.stat().st_size < megabytes << 20:
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO analytics_metrics (metric_name, timestamp, value, metadata) VALUES (?, ?, ?, ?)",
                [
                    (f"m.{rows // 10_000}", START_S + n + 0.5, n / 7, json.dumps({"note": "x" * 400}))
                    for n in range(10_000)
                ],
            )
            connection.execute("COMMIT")
            rows += 10_000
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO analytics_metrics VALUES ('last', 1.5, ?, NULL)", (START_S + 0.5,))
        shutil.copy(live, path)
        shutil.copy(live.with_name("live.db-wal"), path.with_name(path.name + "-wal"))
    live.unlink()
    return rows + 1


def report(path: Path) -> dict[str, object]:
    """Of the file moved aside, when salvage has finished; else nothing."""
    file = path.with_name(f"{path.name}.damaged-1.json")
    found: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    return found if found.get("finished_ms") else {}


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM analytics_metrics").fetchone()[0])


def test_a_damaged_file_of_100_megabytes_hardly_delays_the_start(start, tmp_path):
    healthy = start(ready=False, PERSISTENCE="true", DB_PATH=str(tmp_path / "other.db"))
    usual_s = healthy.wait_ready()
    assert healthy.terminate() == 0
    path = tmp_path / "analytics.db"
    make_archive(path, 100)
    with path.open("r+b") as file:
        file.seek(50 << 20)
        file.write(b"\xff" * PAGE)
    service = start(ready=False, PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    assert service.wait_ready() < SLOWER * usual_s
    assert service.post("/api/analytics/metrics", {"metric_name": "now", "value": 1.0}).status == 200
    service.wait_for(lambda: service.persistence()["state"] == "on", within_s=30)
    assert path.with_name("analytics.db.damaged-1").exists()
    assert path.with_name("analytics.db.damaged-1-wal").exists()
    answer = service.request("POST", "/api/analytics/metrics?ack=durable", {"metric_name": "now", "value": 2.0})
    assert answer.status == 200
    assert service.terminate() == 0


def test_what_can_be_read_is_back_and_salvage_goes_on_after_a_kill(start, tmp_path):
    path = tmp_path / "analytics.db"
    rows = make_archive(path, 15)
    with path.open("r+b") as file:
        file.write(b"\0" * 100)
    settings = {"PERSISTENCE": "true", "DB_PATH": str(path), "FLUSH_INTERVAL": "0.2"}
    service = start(**settings)
    service.wait_for(lambda: service.persistence()["state"] == "on")
    service.kill()
    service = start(**settings)
    saved = service.wait_for(lambda: report(path), within_s=60)
    assert saved["damaged"] == 0
    data = service.get(f"/api/analytics/metrics/m.0/data?start={START_S}&end={START_S + 20_000}&resolution=raw").json
    assert len(data["data_points"]) == 10_000
    assert data["data_points"][7] == {"timestamp": START_S + 7.5, "value": 1.0}
    assert service.terminate() == 0
    assert not report(path).get("refused")
    assert rows


def test_damage_while_running_needs_no_restart_and_loses_nothing_that_memory_has(start, tmp_path):
    path = tmp_path / "analytics.db"
    make_archive(path, 15)
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    service.wait_for(lambda: service.persistence()["state"] == "on")
    now = time.time()
    batch = {
        "series": [
            {"metric_name": "mine", "timestamps": [now - 100 + n for n in range(100)], "values": list(range(100))}
        ]
    }
    assert service.post("/api/analytics/metrics/batch?ack=durable", batch).status == 200
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(2 * PAGE)
        file.write(b"\xff" * (size - 2 * PAGE))
    service.get(f"/api/analytics/metrics/m.0/data?start={START_S}&end={START_S + 20_000}&resolution=raw")
    service.wait_for(lambda: path.with_name("analytics.db.damaged-1").exists())
    service.wait_for(lambda: service.persistence()["state"] == "on")
    answer = service.request("POST", "/api/analytics/metrics?ack=durable", {"metric_name": "mine", "value": 100.0})
    assert answer.status == 200
    assert service.terminate() == 0
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    points = service.get(f"/api/analytics/metrics/mine/data?start={now - 200}&resolution=raw").json["data_points"]
    assert [point["value"] for point in points] == [float(n) for n in range(101)]
    assert service.terminate() == 0
