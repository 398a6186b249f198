"""POST while the archive is packed and thinned, against POST while it is left alone: p50 and p99 over HTTP.

Both services begin with the same month of 20 metrics. One has room and nothing to do; in the other 800,000 samples wait
to be packed and the budget is smaller than the file, so that it packs and thins all the time that is measured.

    python tests/bench/bench_upkeep.py
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import trio
from bench_archive import BUDGET, fill, metrics
from service_process import Client, get, post, service

from storage.models import SeriesPart
from storage.sqlite_archive import open_sqlite_archive

METRICS = 20
WAITING = 40_000  # samples of each metric that are not packed yet
SECONDS = 12.0
EVERY_S = 0.01


async def make(quiet: Path, busy: Path, end_ms: int) -> None:
    archive = await open_sqlite_archive(quiet, budget=BUDGET)
    await fill(archive, metrics(METRICS, end_ms - 86_400_000), 10_000)
    await archive.aclose()
    shutil.copy(quiet, busy)
    archive = await open_sqlite_archive(busy, budget=BUDGET)
    for part in metrics(METRICS, end_ms):
        newest = slice(len(part) - WAITING, None)
        await archive.append([SeriesPart(part.name, part.times[newest] + 5, part.values[newest])])
    await archive.aclose()


def measure(path: Path, budget_mb: int) -> tuple[float, float, str]:
    """p50 and p99 of a POST of 100 samples, in ms, and what the upkeep did meanwhile."""
    took = []
    environ = {"STORAGE_BUDGET_MB": str(budget_mb), "CLEANUP_INTERVAL_SECONDS": "1", "FLUSH_INTERVAL": "5"}
    with service(PERSISTENCE="true", DB_PATH=str(path), **environ) as started:
        client = Client(started.port)

        def status() -> dict[str, object]:
            found: dict[str, object] = json.loads(client.send(get("/api/analytics/status"))[1])["persistence"]
            return found

        while status()["state"] == "starting":
            time.sleep(0.05)
        before, begun_cpu_s = status(), started.cpu_s()
        end_s = time.monotonic() + SECONDS
        while time.monotonic() < end_s:
            now = time.time()
            samples = [{"metric_name": f"live.{n % 20}", "value": n, "timestamp": now - n / 1000} for n in range(100)]
            request = post("/api/analytics/metrics/batch", json.dumps({"samples": samples}).encode())
            begun = time.perf_counter()
            code, body = client.send(request)
            took.append((time.perf_counter() - begun) * 1000)
            if code != 200:
                raise SystemExit(f"refused: {code} {body[:200]!r}")
            time.sleep(EVERY_S)
        after = status()
        spent = started.cpu_s() - begun_cpu_s
    took.sort()
    said = f"raw since {before['raw_since']} -> {after['raw_since']}, {spent:.1f} CPU-s, {after['state']}"
    return statistics.median(took), took[-max(1, len(took) // 100)], said


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        quiet, busy = Path(folder) / "quiet.db", Path(folder) / "busy.db"
        trio.run(make, quiet, busy, int(time.time() * 1000))
        print(f"file: {quiet.stat().st_size / 1e6:.1f} MB; with what waits {busy.stat().st_size / 1e6:.1f} MB")
        alone = measure(quiet, 100)
        during = measure(busy, 5)
        print(f"POST of 100 samples, left alone: p50 {alone[0]:.2f} ms, p99 {alone[1]:.2f} ms ({alone[2]})")
        print(f"during packing and thinning: p50 {during[0]:.2f} ms, p99 {during[1]:.2f} ms ({during[2]})")
        print(f"p99 ratio = {during[1] / alone[1]:.2f} (goal: within 2)")


if __name__ == "__main__":
    main()
