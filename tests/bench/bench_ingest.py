"""Ingest through HTTP as a ratio to "decode + ring append" alone, on the same bodies, in one run.

The bodies: 1,000 rows over 50 metrics, and columns of 10,000 samples of one metric. Every body carries new times, as
a real sender's would. The floor decodes the same bytes with the gateway's decoder and appends to a memory tier in
this process, nothing else.
"""

from __future__ import annotations

import json
import threading
import time

from gateway.ingest import decode_batch
from service_process import Client, post, service
from storage.memory import MemoryTier

PATH = "/api/analytics/metrics/batch"
SECONDS = 4.0
CONNECTIONS = 2


def rows(number: int, begin: float) -> bytes:
    samples = [
        {
            "metric_name": f"coach.metric.{n % 50}",
            "value": 12 + (n * 7919 + number) % 1000 / 1000,
            "timestamp": round(begin + (number * 20 + n // 50) * 0.01, 3),
        }
        for n in range(1000)
    ]
    return json.dumps({"samples": samples}).encode()


def columns(number: int, begin: float) -> bytes:
    times = [round(begin + (number * 10_000 + n) * 0.001, 3) for n in range(10_000)]
    values = [12 + (n * 7919 + number) % 1000 / 1000 for n in range(10_000)]
    series = {"metric_name": f"coach.metric.{number % 50}", "timestamps": times, "values": values}
    return json.dumps({"series": [series]}).encode()


def floor(bodies: list[bytes]) -> float:
    """Samples a second of decode + append."""
    memory = MemoryTier(retention_ms=7_200_000)
    now_ms = time.time_ns() // 1_000_000
    done = 0
    begun = time.perf_counter()
    for sequence, body in enumerate(bodies, 1):
        intake = decode_batch(body, now_ms)
        assert intake is not None
        for part in intake.parts:
            memory.append(part, seq=sequence, now_ms=now_ms)
            done += len(part)
    return done / (time.perf_counter() - begun)


def over_http(bodies: list[bytes], per_body: int, **environ: str) -> float:
    """Samples a second, as the clients see it."""
    requests = [post(PATH, body) for body in bodies]
    refused: list[tuple[int, bytes]] = []
    with service(**environ) as started:
        Client(started.port).send(requests[0])

        def run(share: list[bytes]) -> None:
            client = Client(started.port)
            for request in share:
                status, answer = client.send(request)
                if status != 200:
                    refused.append((status, answer))
            client.close()

        threads = [
            threading.Thread(target=run, args=(requests[n::CONNECTIONS],)) for n in range(CONNECTIONS)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - begun
    if refused:
        raise SystemExit(f"{len(refused)} bodies refused, the first: {refused[0]}")
    return len(bodies) * per_body / took


def main() -> None:
    for name, make, per_body, count in (("rows", rows, 1000, 1500), ("columns", columns, 10_000, 400)):
        begin = time.time() - 6000
        bodies = [make(number, begin) for number in range(count)]
        base = floor(bodies)
        print(f"{name}: decode + append alone = {base:,.0f} samples/s")
        for label, environ in (
            ("memory only", {}),
            ("persistence on", {"PERSISTENCE": "true", "DB_PATH": "bench.db"}),
        ):
            rate = over_http(bodies, per_body, **environ)
            print(f"{name}: over HTTP, {label} = {rate:,.0f} samples/s")
            print(f"{name}: over HTTP, {label}, ratio = {rate / base:.2f}", flush=True)


if __name__ == "__main__":
    main()
