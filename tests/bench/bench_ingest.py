"""Ingest through HTTP as a ratio to "decode + ring append" alone, on the same bodies, in one run.

The bodies: 1,000 rows over 50 metrics, two senders in turn, and columns of 10,000 samples of one metric. Every body
carries new times, as a real sender's would. The floor decodes the same bytes with the gateway's decoder and appends to
a memory tier in this process, nothing else. Both take turns, a share of the bodies each, since the machine's speed
drifts.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections import deque
from collections.abc import Callable

from service_process import Client, post, service

from gateway.ingest import decode_batch
from gateway.service import GC_THRESHOLD
from storage.memory import MemoryTier

PATH = "/api/analytics/metrics/batch"
ROUNDS = 11
CONNECTIONS = 2  # each with metrics of its own, as two senders have: their bodies may overtake each other


def rows(number: int, begin: float) -> bytes:
    samples = [
        {
            "metric_name": f"coach.{number % CONNECTIONS}.metric.{n % 50}",
            "value": 12 + (n * 7919 + number) % 1000 / 1000,
            "timestamp": round(begin + (number * 20 + n // 50) * 0.01, 3),
        }
        for n in range(1000)
    ]
    return json.dumps({"samples": samples}).encode()


def columns(number: int, begin: float) -> bytes:
    times = [round(begin + (number * 10_000 + n) * 0.001, 3) for n in range(10_000)]
    values = [12 + (n * 7919 + number) % 1000 / 1000 for n in range(10_000)]
    series = {
        "metric_name": f"coach.{number % CONNECTIONS}.metric.{number % 50}",
        "timestamps": times,
        "values": values,
    }
    return json.dumps({"series": [series]}).encode()


class Floor:
    """Decode + append and nothing else, in this process, set up as the service is."""

    def __init__(self) -> None:
        self._memory = MemoryTier(retention_ms=7_200_000)
        self._sequence = 0

    def take(self, bodies: list[bytes]) -> None:
        now_ms = time.time_ns() // 1_000_000
        for body in bodies:
            intake = decode_batch(body, now_ms)
            assert intake is not None
            self._sequence += 1
            for part in intake.parts:
                self._memory.append(part, seq=self._sequence, now_ms=now_ms)


def send(clients: list[Client], requests: list[bytes]) -> None:
    """One request is always under way while the next is being sent."""
    under_way: deque[Client] = deque()
    for number, request in enumerate(requests):
        client = clients[number % len(clients)]
        if len(under_way) == len(clients):
            take_answer(under_way.popleft())
        client.ask(request)
        under_way.append(client)
    while under_way:
        take_answer(under_way.popleft())


def take_answer(client: Client) -> None:
    status, answer = client.answer()
    if status != 200:
        raise SystemExit(f"a body was refused: {status} {answer!r}")


def seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compare(bodies: list[bytes], per_body: int, **environ: str) -> tuple[float, float, float]:
    """Samples a second alone and over HTTP, and the ratio: medians over rounds that do both in turn."""
    requests = [post(PATH, body) for body in bodies]
    size = len(bodies) // ROUNDS
    alone, over_http = [], []
    floor = Floor()
    with service(**environ) as started:
        clients = [Client(started.port) for _ in range(CONNECTIONS)]
        for first in range(0, size * ROUNDS, size):
            share = slice(first, first + size)
            alone.append(seconds(lambda share=share: floor.take(bodies[share])))
            over_http.append(seconds(lambda share=share: send(clients, requests[share])))
    alone, over_http = alone[1:], over_http[1:]  # the first round warms both up
    ratios = [base / took for base, took in zip(alone, over_http, strict=True)]
    samples = size * per_body
    return samples / statistics.median(alone), samples / statistics.median(over_http), statistics.median(ratios)


def main() -> None:
    gc.set_threshold(*GC_THRESHOLD)
    for name, make, per_body, count in (("rows", rows, 1000, 1650), ("columns", columns, 10_000, 440)):
        begin = time.time() - 6000
        bodies = [make(number, begin) for number in range(count)]
        gc.freeze()
        for label, environ in (
            ("memory only", {}),
            ("persistence on", {"PERSISTENCE": "true", "DB_PATH": "bench.db"}),
        ):
            alone, over_http, ratio = compare(bodies, per_body, **environ)
            print(f"{name}, {label}: decode + append alone = {alone:,.0f} samples/s")
            print(f"{name}, {label}: over HTTP = {over_http:,.0f} samples/s")
            print(f"{name}, {label}: ratio = {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
