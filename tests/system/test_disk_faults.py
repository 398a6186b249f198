"""A disk that fails under the whole service in rarer ways, a wrong clock, and a switch that is never left alone."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

DAY_S = 86_400
STOP_WITHIN_S = 25  # what OPERATIONS.md says; a unit waits 30


def send(service, name: str, times: list[float], values: list[float], query: str = "") -> None:
    body = {"series": [{"metric_name": name, "timestamps": times, "values": values}]}
    answer = service.request("POST", f"/api/analytics/metrics/batch{query}", body)
    assert answer.status == 200, answer.body
    assert answer.json["accepted"] + answer.json["duplicates"] == len(times)


def read(service, name: str, start: float, end: float) -> dict[float, float]:
    answer = service.get(f"/api/analytics/metrics/{name}/data?start={start}&end={end}&resolution=raw")
    assert answer.status == 200, answer.body
    return {point["timestamp"]: point["value"] for point in answer.json["data_points"]}


def state(service, wanted: str, within_s: float = 30) -> None:
    service.wait_for(lambda: service.persistence()["state"] == wanted, within_s=within_s)


def test_a_limit_on_the_size_of_files(start, tmp_path):
    """What a quota does: every write past it fails with an I/O error, not with "full"."""
    path = tmp_path / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    state(service, "on")
    now = float(int(time.time()))
    send(service, "m", [now - 10], [1.0], "?ack=durable")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = path.with_name("analytics.db-wal")
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    send(service, "m", [now - 9 + n / 1000 for n in range(2000)], [float(n) for n in range(2000)])
    state(service, "degraded")
    assert "full" in service.persistence()["reason"]
    assert len(read(service, "m", now - 100, now + 10)) == 2001
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    state(service, "on")
    service.kill()
    service = start(PERSISTENCE="true", DB_PATH=str(path))
    assert len(read(service, "m", now - 100, now + 10)) == 2001
    assert service.terminate() == 0


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that can be written to after all once `mount -o remount,rw` was said."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,ro", "none", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def test_a_read_only_disk(start, read_only_disk):
    path = read_only_disk / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    state(service, "degraded")
    now = float(int(time.time()))
    send(service, "m", [now], [1.0])
    assert read(service, "m", now - 10, now + 10) == {now: 1.0}
    remount(read_only_disk, "rw")
    state(service, "on")
    send(service, "m", [now + 1], [2.0], "?ack=durable")
    assert service.terminate() == 0
    remount(read_only_disk, "ro")  # with history on it
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    send(service, "m", [now + 2], [3.0])
    state(service, "degraded")
    assert read(service, "m", now - 10, now + 10)[now + 2] == 3.0
    remount(read_only_disk, "rw")
    state(service, "on")
    service.wait_for(lambda: len(read(service, "m", now - 10, now + 10)) == 3)
    assert service.terminate() == 0


@pytest.mark.parametrize("delay_s", [0.5, 2.0])
def test_a_disk_that_takes_seconds_for_every_call(start_watched, tmp_path, delay_s):
    """Nobody but those who wait for the disk notices."""
    service = start_watched({"delay_s": delay_s}, ready=False, FLUSH_INTERVAL="0.5")
    assert service.wait_ready() < 6.0
    now = float(int(time.time()))
    slowest, sent = 0.0, {}
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        begun = time.monotonic()
        at = now - 1000 + len(sent)
        send(service, "m", [at], [float(len(sent))])
        sent[at] = float(len(sent))
        assert service.get("/readyz").status == 200
        settings = service.get("/api/analytics/thresholds")  # there, or a plain "not yet"
        assert settings.status == 200 or (settings.status == 503 and "retry-after" in settings.headers), settings.body
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.02)
    assert slowest < 1.5  # the first settings are waited for a second
    assert read(service, "m", now - 2000, now + 10) == sent
    assert service.terminate(STOP_WITHIN_S) == 0  # nothing durable was promised: the opening is given up


def test_a_stop_on_a_disk_that_has_become_slow(start_watched, tmp_path):
    """In time, whatever the disk does; exit code 0 says that everything is stored."""
    delay = tmp_path / "delay"
    delay.write_text("0")
    service = start_watched({"delay_file": str(delay)}, FLUSH_INTERVAL="0.2")
    state(service, "on")
    now = float(int(time.time()))
    send(service, "m", [now - 2], [1.0], "?ack=durable")
    threshold = service.post(
        "/api/analytics/thresholds", {"name": "warm", "metric": "m", "condition": "above", "high": 9}
    )
    assert threshold.status == 201, threshold.body
    delay.write_text("2")
    send(service, "m", [now - 1], [2.0])
    code = service.terminate(STOP_WITHIN_S)
    assert code in (0, 70), service.log
    delay.write_text("0")
    service = start_watched({"delay_file": str(delay)})
    state(service, "on")
    kept = {now - 2: 1.0} if code else {now - 2: 1.0, now - 1: 2.0}
    service.wait_for(lambda: kept.items() <= read(service, "m", now - 10, now + 10).items())
    assert [each["name"] for each in service.get("/api/analytics/thresholds").json["thresholds"]] == ["warm"]
    assert service.terminate() == 0


def test_a_clock_years_ahead_and_an_hour_back_purges_nothing(start_watched, tmp_path):
    ahead = tmp_path / "ahead"
    ahead.write_text("0")
    now = float(int(time.time()))
    old = {now - 10 * DAY_S + n: n / 7 for n in range(500)}
    environ = {
        "FLUSH_INTERVAL": "0.2",
        "CLEANUP_INTERVAL_SECONDS": "1",
        "PERSISTENCE_RETENTION_DAYS": "30",
        "MEMORY_RETENTION_HOURS": "0.5",
    }
    service = start_watched({"ahead_file": str(ahead)}, **environ)
    send(service, "old", list(old), list(old.values()), "?ack=durable")

    def all_there(rounds_s: float) -> None:
        deadline = time.monotonic() + rounds_s
        while time.monotonic() < deadline:
            assert read(service, "old", now - 11 * DAY_S, now - 9 * DAY_S) == old
            time.sleep(0.2)

    ahead.write_text(str(5 * 365 * DAY_S))
    all_there(4)  # several rounds of cleaning up
    send(service, "new", [now + 5 * 365 * DAY_S], [1.0], "?ack=durable")  # its time is the clock's
    ahead.write_text("-3600")
    all_there(3)
    send(service, "new", [now - 3600], [2.0], "?ack=durable")
    ahead.write_text("0")
    all_there(1)
    assert service.terminate() == 0
    service = start_watched({"ahead_file": str(ahead)}, **environ)
    service.wait_for(lambda: service.persistence()["state"] == "on")
    all_there(2)
    assert service.terminate() == 0


def test_switched_off_and_on_fifty_times_under_load(start, tmp_path):
    """Whatever was sent is there at the end: memory had it while the switch was off."""
    path = tmp_path / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    now = int(time.time())
    sent: dict[float, float] = {}
    durable: dict[float, float] = {}
    stop = threading.Event()
    failed: list[Exception] = []

    def load() -> None:
        number = 0
        try:
            while not stop.is_set():
                at = float(now - 5000) + number / 10
                body = {"samples": [{"metric_name": "m", "value": number, "timestamp": at}]}
                ack = "?ack=durable" if number % 4 == 0 else ""
                answer = service.request("POST", f"/api/analytics/metrics/batch{ack}", body)
                if answer.status == 200:
                    sent[at] = float(number)
                    if ack:
                        durable[at] = float(number)
                else:
                    assert answer.status in (409, 503), answer.body
                number += 1
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    for number in range(50):
        answer = service.request("PUT", "/api/analytics/features/persistence", {"enabled": bool(number % 2)})
        assert answer.status == 200, answer.body
    stop.set()
    thread.join(20)
    assert not failed
    assert service.persistence()["state"] == "on"
    assert len(durable) > 5
    assert service.terminate() == 0
    service = start(PERSISTENCE="true", DB_PATH=str(path))
    found = read(service, "m", now - 6000, now)
    assert {at: found.get(at) for at in sent} == sent
    assert service.terminate() == 0


def test_a_backup_and_a_restore_while_the_service_writes(start, tmp_path):
    path = tmp_path / "analytics.db"
    service = start(PERSISTENCE="true", DB_PATH=str(path), FLUSH_INTERVAL="0.2")
    state(service, "on")
    now = float(int(time.time()))
    send(service, "before", [now - 4000 + n for n in range(3000)], [n / 7 for n in range(3000)], "?ack=durable")
    stop = threading.Event()
    acknowledged: list[float] = []

    def load() -> None:
        while not stop.is_set():
            at = now - 500 + len(acknowledged) / 10
            send(service, "during", [at], [1.0])
            acknowledged.append(at)

    thread = threading.Thread(target=load)
    thread.start()
    environ = {**os.environ, "COACHIQ_ANALYTICS__DB_PATH": str(path)}
    copy = tmp_path / "usb" / "copy.db"
    command = [sys.executable, "-m", "gateway"]
    backup = subprocess.run([*command, "backup", str(copy)], env=environ, capture_output=True, text=True, timeout=60)
    assert backup.returncode == 0, backup.stderr
    made = service.post("/api/analytics/storage/backup", {})
    assert made.status == 200, made.body
    assert Path(made.json["path"]).parent == tmp_path / "backups"
    send(service, "after", [now - 1], [1.0], "?ack=durable")
    restored = subprocess.run([*command, "restore", str(copy)], env=environ, capture_output=True, text=True, timeout=60)
    assert restored.returncode == 0, restored.stderr
    assert "before-restore-1" in restored.stdout
    time.sleep(0.5)
    stop.set()
    thread.join(20)
    state(service, "on")
    send(service, "last", [now], [1.0], "?ack=durable")
    doctor = subprocess.run([*command, "doctor"], env=environ, capture_output=True, text=True, timeout=60)
    assert doctor.returncode == 0, doctor.stdout
    assert service.terminate() == 0
    service = start(PERSISTENCE="true", DB_PATH=str(path))
    assert len(read(service, "before", now - 5000, now)) == 3000
    assert service.get("/api/analytics/metrics/after/data").status == 404  # as it was when the backup was made
    assert read(service, "last", now - 5000, now + 10) == {now: 1.0}
    assert service.terminate() == 0
