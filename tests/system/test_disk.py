"""The disk taken away in every way an issue names: degraded with a reason, data served, caught up without restart."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

LOCKED_S = 60 if os.environ.get("CI") else 10


def send(service, name: str, value: float) -> None:
    answer = service.post("/api/analytics/metrics", {"metric_name": name, "value": value})
    assert answer.status == 200, answer.body


def stored(database: Path, name: str) -> list[float]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT value FROM analytics_metrics WHERE metric_name = ? ORDER BY timestamp", (name,)
        ).fetchall()
    connection.close()
    return [row[0] for row in rows]


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def degraded(service) -> str:
    """Wait until persistence is degraded; returns the reason."""
    service.wait_for(lambda: service.persistence()["state"] == "degraded")
    reason = service.persistence()["reason"]
    assert reason
    assert service.get("/readyz").status == 200
    assert service.get("/api/analytics/status").json["service_status"] == "degraded"
    return reason


def back(service) -> None:
    service.wait_for(lambda: service.persistence()["state"] == "on", within_s=30)


def from_memory(service, name: str) -> list[float]:
    answer = service.get(f"/api/analytics/metrics/{name}/data?resolution=raw")
    return [point["value"] for point in answer.json["data_points"]]


def test_a_file_that_is_no_database_is_left_alone_and_retried(start, tmp_path):
    database = tmp_path / "analytics.db"
    database.write_bytes(b"these are somebody's notes, not a database\n" * 200)
    before = database.read_bytes()
    service = start(PERSISTENCE="true", DB_PATH=str(database), FLUSH_INTERVAL="0.2")
    assert "database" in degraded(service)
    send(service, "m", 1.0)
    assert from_memory(service, "m") == [1.0]
    assert database.read_bytes() == before
    database.rename(tmp_path / "notes")
    back(service)
    service.wait_for(lambda: stored(database, "m") == [1.0])
    assert service.terminate() == 0


def test_a_missing_directory_is_made(start, tmp_path):
    database = tmp_path / "a" / "b" / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(database), FLUSH_INTERVAL="0.2")
    back(service)
    send(service, "m", 2.0)
    service.wait_for(lambda: stored(database, "m") == [2.0])


def test_an_unwritable_path(start, tmp_path):
    blocker = tmp_path / "blocker"
    blocker.write_text("a file where the directory should be")  # refuses root, too
    database = blocker / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(database), FLUSH_INTERVAL="0.2")
    degraded(service)
    send(service, "m", 3.0)
    assert from_memory(service, "m") == [3.0]
    blocker.unlink()
    back(service)
    service.wait_for(lambda: stored(database, "m") == [3.0])


def test_locked_by_another_process_for_a_long_time(start, tmp_path):
    database = tmp_path / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(database), FLUSH_INTERVAL="0.2")
    back(service)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        locked_s = time.monotonic()
        send(service, "m", 4.0)
        degraded(service)
        slowest = 0.0
        while time.monotonic() < locked_s + LOCKED_S:
            begun = time.monotonic()
            send(service, "other", 1.0)
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.1)
        assert slowest < 1.0
    finally:
        other.execute("ROLLBACK")
        other.close()
    back(service)
    service.wait_for(lambda: stored(database, "m") == [4.0])
    assert service.terminate() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount; max_page_count is tested in tests/storage")
def test_a_full_disk_and_a_free_one_again(start, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("mount is not allowed here; max_page_count is tested in tests/storage")
    try:
        database = disk / "analytics.db"
        service = start(PERSISTENCE="true", DB_PATH=str(database), FLUSH_INTERVAL="0.2")
        back(service)
        ballast = disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            fill(ballast)
        sent = [float(n) for n in range(3000)]
        now = time.time()
        series = {
            "metric_name": "m",
            "timestamps": [now - 3000 + n for n in range(3000)],
            "values": sent,
        }
        answer = service.post("/api/analytics/metrics/batch", {"series": [series]})
        assert answer.json["accepted"] == 3000
        degraded(service)
        assert len(from_memory(service, "m")) == 3000
        ballast.unlink()
        back(service)
        service.wait_for(lambda: stored(database, "m") == sent)
        assert service.terminate() == 0
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_switched_off_and_on_without_restart(start, tmp_path):
    database = tmp_path / "analytics.db"
    service = start(DB_PATH=str(database), FLUSH_INTERVAL="0.2")
    assert service.persistence()["state"] == "off"
    send(service, "m", 1.0)
    assert not database.exists()
    put = service.request("PUT", "/api/analytics/features/persistence", {"enabled": True})
    assert put.status == 200, put.body
    service.wait_for(lambda: stored(database, "m") == [1.0])
    service.request("PUT", "/api/analytics/features/persistence", {"enabled": False})
    assert service.persistence()["state"] == "off"
    send(service, "m", 2.0)
    time.sleep(0.5)
    assert stored(database, "m") == [1.0]
    refused = service.post("/api/analytics/metrics?ack=durable", {"metric_name": "m", "value": 9.0})
    assert refused.status == 409
    service.request("PUT", "/api/analytics/features/persistence", {"enabled": True})
    service.wait_for(lambda: stored(database, "m")[:2] == [1.0, 2.0])
    assert service.terminate() == 0


def test_history_and_insights_survive_a_restart(start, tmp_path):
    database = tmp_path / "analytics.db"
    settings = {"PERSISTENCE": "true", "DB_PATH": str(database), "MEMORY_RETENTION_HOURS": "1"}
    service = start(**settings)
    now = time.time()
    times = [now - 36 * 3600 + 60 * n for n in range(36 * 60)]
    series = {
        "metric_name": "refrigerator.temperature",
        "timestamps": times,
        "values": [(4.0 if n < len(times) - 20 else 14.0) + (n % 7) * 0.1 for n in range(len(times))],
    }
    sent = service.post("/api/analytics/metrics/batch?ack=durable", {"series": [series]})
    assert sent.json["accepted"] == len(times), sent.body
    insight = service.wait_for(lambda: service.get("/api/analytics/insights").json["insights"])[0]
    assert service.terminate() == 0

    service = start(**settings)
    kept = {each["insight_id"]: each for each in service.get("/api/analytics/insights").json["insights"]}
    assert kept[insight["insight_id"]]["created_at"] == insight["created_at"]
    trends = service.get("/api/analytics/trends?time_window_hours=48&resolution=1h").json
    points = trends["metrics"]["refrigerator.temperature"]["data_points"]
    assert sum(point["count"] for point in points) == len(times)
    assert service.terminate() == 0
