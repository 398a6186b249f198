"""The archive, with the naive seed table in the same run as the yardstick.

P: 20 metrics over 30 days at 10 s with 30 ms of jitter (5.18 M samples). V: the recording `victron_boat_10min`, 2,347
short series. W: 200 metrics over 30 days at 10 s, mixed kinds (51.8 M samples); it takes two minutes, so only when
asked for (`--wide`). Reading is measured in process and over HTTP.

    python tests/bench/bench_archive.py [--wide]
"""

from __future__ import annotations

import csv
import gzip
import json
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trio
from service_process import Client, get, post, service

from storage.budget import Budget
from storage.models import SeriesPart, Values
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive

BUDGET = Budget(100_000_000)
DAY_MS = 86_400_000
PER_METRIC = 259_200
RECORDING = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "victron_boat_10min.csv.gz"
SEED = """
    CREATE TABLE analytics_metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, metric_name TEXT NOT NULL,
        value REAL NOT NULL, metadata TEXT, timestamp REAL NOT NULL);
    CREATE INDEX idx_metrics_name_time ON analytics_metrics (metric_name, timestamp);
    CREATE INDEX idx_metrics_time ON analytics_metrics (timestamp);
    PRAGMA journal_mode = WAL;
"""


def values(kind: int, rng: np.random.Generator, n: int) -> Values:
    at = np.arange(n)
    match kind % 8:
        case 0:
            return np.round(13 + 0.5 * np.sin(at / 1375) + rng.normal(0, 0.02, n), 2)  # a battery, 0.01 V
        case 1:
            return np.round(20 + 5 * np.sin(at / 1375) + rng.normal(0, 0.1, n), 1)  # a temperature, 0.1 degrees
        case 2:
            return np.round(np.clip(80 - at % 60_000 / 750, 0, 100))  # a tank, %
        case 3:
            return ((rng.random(n) < 0.003).cumsum() % 2).astype(np.float64)  # on and off
        case 4:
            return np.cumsum(rng.integers(0, 5, n)).astype(np.float64)  # a counter
        case 5:
            return np.round(rng.normal(5, 3, n), 1)  # a current, 0.1 A
        case 6:
            return np.round(np.cumsum(rng.normal(0, 0.05, n)), 3)  # a walk
        case _:
            return np.round(
                np.maximum(0, 400 * np.sin(at / 1375)) + rng.normal(0, 4, n) * (at % 8640 > 4320)
            )  # solar, W


def metrics(count: int, end_ms: int) -> Iterator[SeriesPart]:
    rng = np.random.default_rng(1)
    for number in range(count):
        times = end_ms - (PER_METRIC - np.arange(PER_METRIC, dtype=np.int64)) * 10_000
        yield SeriesPart(
            f"coach.metric.{number:03}", times + rng.integers(-30, 31, PER_METRIC), values(number, rng, PER_METRIC)
        )


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def sizes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def seed_table(path: Path, parts: list[SeriesPart]) -> tuple[sqlite3.Connection, float]:
    """The same samples as the seed stores them; CPU seconds per million."""
    connection = sqlite3.connect(path)
    connection.executescript(SEED)
    begun = cpu_s()
    for part in parts:
        rows = zip([part.name] * len(part), part.values.tolist(), (part.times / 1000).tolist(), strict=True)
        connection.executemany("INSERT INTO analytics_metrics (metric_name, value, timestamp) VALUES (?, ?, ?)", rows)
        connection.commit()
    return connection, (cpu_s() - begun) / (sum(map(len, parts)) / 1e6)


async def best_ms(work: Callable[[], Awaitable[object]]) -> float:
    """Of twenty: what others do on the machine only adds."""
    took = []
    for _ in range(20):
        begun = time.perf_counter()
        await work()
        took.append((time.perf_counter() - begun) * 1000)
    return min(took)


async def fill(archive: SqliteArchive, parts: Iterator[SeriesPart] | list[SeriesPart], piece: int) -> int:
    stored = 0
    for part in parts:
        for first in range(0, len(part), piece):
            cut = slice(first, first + piece)
            await archive.append([SeriesPart(part.name, part.times[cut], part.values[cut])])
        stored += len(part)
    while await archive.compact(1):
        pass
    return stored


@dataclass
class Seed:
    """What the seed's table takes for the same: it tells how fast the machine is just now."""

    cpu_s: float  # a million samples stored
    hours_ms: float
    json_ms: float  # every point, as JSON


async def bench_p() -> Seed:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        end_ms = 1_790_000_000_000
        parts = list(metrics(20, end_ms))
        archive = await open_sqlite_archive(folder / "packed.db", budget=BUDGET)
        begun, begun_cpu = time.perf_counter(), cpu_s()
        stored = await fill(archive, parts, 10_000)
        took, cpu = time.perf_counter() - begun, cpu_s() - begun_cpu
        name, since = parts[0].name, end_ms - 30 * DAY_MS - 60_000
        hours = await best_ms(lambda: archive.buckets([name], since, end_ms + 60_000, 3_600_000))
        points = await best_ms(lambda: archive.window([name], since, end_ms + 60_000))
        await archive.aclose()
        packed = sizes(folder) / stored
        connection, naive_cpu = seed_table(folder / "seed.db", parts[:4])
        naive = (folder / "seed.db").stat().st_size / sum(map(len, parts[:4]))

        async def naive_hours() -> None:
            connection.execute(
                "SELECT CAST(timestamp / 3600 AS INTEGER), count(*), sum(value), min(value), max(value)"
                " FROM analytics_metrics WHERE metric_name = ? AND timestamp >= ? GROUP BY 1",
                (name, since / 1000),
            ).fetchall()

        async def naive_points() -> None:
            connection.execute(
                "SELECT timestamp, value FROM analytics_metrics WHERE metric_name = ? ORDER BY timestamp", (name,)
            ).fetchall()

        async def naive_json() -> None:
            rows = connection.execute(
                "SELECT timestamp, value FROM analytics_metrics WHERE metric_name = ? ORDER BY timestamp", (name,)
            ).fetchall()
            json.dumps({"timestamps": [row[0] for row in rows], "values": [row[1] for row in rows]})

        slow_hours, slow_points = await best_ms(naive_hours), await best_ms(naive_points)
        slow_json = await best_ms(naive_json)
        connection.close()
    print(f"P: {packed:.2f} B/sample, the seed's table {naive:.1f}: {naive / packed:.0f} times less")
    print(
        f"P: backfill {stored / took:,.0f} samples/s, {cpu / (stored / 1e6):.2f} CPU-s a million; seed {naive_cpu:.2f}"
    )
    print(f"P: 30 d by the hour {hours:.1f} ms; seed {slow_hours:.0f}: {slow_hours / hours:.0f} times faster")
    print(f"P: 30 d, every point {points:.1f} ms; seed {slow_points:.0f}: {slow_points / points:.0f} times faster")
    return Seed(naive_cpu, slow_hours, slow_json)


async def bench_v() -> None:
    columns: dict[str, tuple[list[int], list[float]]] = {}
    with gzip.open(RECORDING, "rt") as file:
        for row in csv.DictReader(file):
            times, found = columns.setdefault(row["metric_name"], ([], []))
            times.append(int(row["timestamp_ms"]))
            found.append(float(row["value"]))
    parts = [SeriesPart(name, np.array(times), np.array(found)) for name, (times, found) in columns.items()]
    stored = sum(map(len, parts))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        archive = await open_sqlite_archive(folder / "packed.db", budget=BUDGET)
        await archive.append(parts)
        while await archive.compact(1):
            pass
        await archive.aclose()
        packed = sizes(folder) / stored
        seed_table(folder / "seed.db", parts)[0].close()
        naive = (folder / "seed.db").stat().st_size / stored
    print(f"V: {packed:.2f} B/sample, names, indexes and empty tables included; the seed's table {naive:.1f}")


async def bench_w() -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        archive = await open_sqlite_archive(folder / "packed.db", budget=BUDGET)
        stored = await fill(archive, metrics(200, 1_790_000_000_000), 43_200)
        steps = 0
        while await archive.thin():
            steps += 1
        size = sizes(folder)
        await archive.aclose()
    print(
        f"W: {stored / 1e6:.1f} M samples in {size / 1e6:.1f} MB with its log, {size / stored:.2f} B/sample,"
        f" {steps} steps of thinning"
    )


def bench_http(seed: Seed) -> None:
    """Durable ingest at 10,000 a request, and reading, over HTTP."""
    begin_s = time.time() - 3_000
    bodies = []
    for number in range(120):
        rows = ",".join(
            f'{{"metric_name":"coach.metric.{n % 50}","timestamp":{begin_s + (number * 200 + n // 50) * 0.1:.3f},'
            f'"value":{12 + (n * 7919 + number) % 1000 / 1000}}}'
            for n in range(10_000)
        )
        bodies.append(post("/api/analytics/metrics/batch?ack=durable", f'{{"samples":[{rows}]}}'.encode()))
    columns = []
    for number in range(300):
        times = [round(begin_s + (number // 50 * 10_000 + n) * 0.01, 3) for n in range(10_000)]
        found = [12 + (n * 7919 + number) % 1000 / 1000 for n in range(10_000)]
        series = {"metric_name": f"column.metric.{number % 50}", "timestamps": times, "values": found}
        body = str({"series": [series]}).replace("'", '"').encode()
        columns.append(post("/api/analytics/metrics/batch?ack=durable", body))
    with service(PERSISTENCE="true", DB_PATH="bench.db") as started:
        client = Client(started.port)
        for label, requests in (("rows", bodies), ("columns", columns)):
            begun = started.cpu_s()
            took = []
            for request in requests:
                at = time.perf_counter()
                status, answer = client.send(request)
                took.append((time.perf_counter() - at) * 1000)
                if status != 200:
                    raise SystemExit(f"refused: {status} {answer[:200]!r}")
            cpu = (started.cpu_s() - begun) / (len(requests) / 100)
            print(
                f"ingest of {label}, durable, 10,000 a request: {cpu:.2f} CPU-s a million samples,"
                f" {cpu / seed.cpu_s:.2f} of the seed's {seed.cpu_s:.2f} in process,"
                f" p50 {statistics.median(took):.1f} ms, p99 {sorted(took)[-max(1, len(took) // 100)]:.1f} ms"
            )


def bench_reading_over_http(seed: Seed) -> None:
    end_ms = int(time.time() * 1000)
    with tempfile.TemporaryDirectory() as text:
        path = Path(text) / "packed.db"

        async def make() -> None:
            archive = await open_sqlite_archive(path, budget=BUDGET)
            await fill(archive, metrics(20, end_ms), 10_000)
            await archive.aclose()

        trio.run(make)
        with service(PERSISTENCE="true", DB_PATH=str(path)) as started:
            client = Client(started.port)
            for label, request, naive_ms in (
                (
                    "30 d by the hour, one metric",
                    f"metrics/coach.metric.000/data?start={end_ms / 1000 - 2_592_000:.3f}&resolution=1h",
                    seed.hours_ms,
                ),
                (
                    "30 d, every point of one metric",
                    f"metrics/coach.metric.000/columns?start={end_ms / 1000 - 2_592_060:.3f}",
                    seed.json_ms,
                ),
                (
                    "/trends over 720 h by the hour, 20 metrics",
                    "trends?time_window_hours=720&resolution=1h",
                    20 * seed.hours_ms,
                ),
            ):
                took = []
                for _ in range(40):
                    begun = time.perf_counter()
                    client.ask(get(f"/api/analytics/{request}"))
                    status, body = client.arrived()
                    took.append((time.perf_counter() - begun) * 1000)
                    assert status == 200, bytes(body[:300])
                if "columns" in request:
                    assert len(json.loads(bytes(body))["values"]) == PER_METRIC
                took.sort()
                print(
                    f"HTTP: {label}: best {took[0]:.1f} ms, p50 {took[20]:.1f} ms, p95 {took[37]:.1f} ms;"
                    f" best {took[0] / naive_ms:.3f} of the seed's best {naive_ms:.0f} ms in process"
                )


def main() -> None:
    seed = trio.run(bench_p)
    if RECORDING.exists():
        trio.run(bench_v)
    else:
        print(f"V: {RECORDING} is absent")
    bench_http(seed)
    bench_reading_over_http(seed)
    if "--wide" in sys.argv:
        trio.run(bench_w)


if __name__ == "__main__":
    main()
