"""What thresholds cost (2,000 on one metric and on many), and how long an alert takes from POST to frame.

The first part is the watch alone, per sample; the second a whole service behind its socket, with a dashboard that
listens and 2,000 thresholds set. The value crosses the limit in every post.
"""

from __future__ import annotations

import json
import re
import statistics
import time

import numpy as np
import trio
from service_process import Client, post, service

from analytics.catalogue import Catalogue
from analytics.threshold import Threshold
from analytics.threshold_watch import ThresholdWatch
from storage.models import SeriesPart

THRESHOLDS = 2_000
SAMPLES = 20_000
POSTS = 300
HANDSHAKE = (
    b"GET /ws/analytics HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
NOW_MS = 1_700_000_000_000


def threshold(index: int, metric: str, high: float) -> Threshold:
    return Threshold(
        threshold_id=str(index), name=str(index), metric=metric, role=None, condition="above", low=None, high=high
    )


def watch_alone() -> None:
    rng = np.random.default_rng(1)
    for name, metrics in (("one metric", 1), ("500 metrics", 500)):
        watch = ThresholdWatch(Catalogue())
        watch.replace(
            [threshold(index, f"m{index % metrics}", 100.0 + index / 100) for index in range(THRESHOLDS)], NOW_MS
        )
        parts = [
            SeriesPart(f"m{index % metrics}", np.array([NOW_MS + index]), rng.normal(50, 5, 1))
            for index in range(SAMPLES)
        ]
        took = []
        for part in parts:
            begun = time.perf_counter()
            watch.observe([part], NOW_MS, 0)
            took.append(time.perf_counter() - begun)
        took.sort()
        mean, p99 = statistics.fmean(took) * 1e6, took[int(len(took) * 0.99)] * 1e6
        print(f"{THRESHOLDS} thresholds on {name}: mean = {mean:.2f} us a sample, p99 = {p99:.2f} us")


async def alert_delays(port: int) -> list[float]:
    """Seconds from the first byte of a POST that crosses a limit to its frame."""
    delays: list[float] = []
    found = trio.Event()

    async def read(stream: trio.SocketStream) -> None:
        nonlocal found
        data = b""
        async for more in stream:
            data += more
            if re.search(rb'"type":"alert".*?"metric":"bench.alert"', data, re.DOTALL):
                found.set()
                data = b""
            data = data[-4000:]

    async with trio.open_nursery() as nursery:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(HANDSHAKE)
        nursery.start_soon(read, stream)
        await trio.sleep(0.5)
        poster = await trio.open_tcp_stream("127.0.0.1", port)
        for number in range(POSTS):
            found = trio.Event()
            sample = {"metric_name": "bench.alert", "timestamps": [time.time()], "values": [number % 2 * 100.0]}
            whole = post("/api/analytics/metrics/batch", json.dumps({"series": [sample]}).encode())
            begun = time.perf_counter()
            await poster.send_all(whole)
            if number:  # the first one is within its limit, and tells nothing
                with trio.fail_after(5):
                    await found.wait()
                delays.append(time.perf_counter() - begun)
            await poster.receive_some()
            await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
    return sorted(delays)


def whole_service() -> None:
    with service() as started:
        client = Client(started.port)
        bodies = [{"metric": "bench.alert", "condition": "above", "value": 50, "recover_after_s": 0}]
        bodies += [{"metric": f"bench.{index}", "condition": "above", "value": 5} for index in range(49)]
        for body in bodies:
            while client.send(post("/api/analytics/thresholds", json.dumps(body).encode()))[0] == 429:
                time.sleep(0.5)  # so many changes at once are not a person's
        delays = trio.run(alert_delays, started.port)
        p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
        print(f"POST -> alert: frames = {len(delays)}, p50 = {p50 * 1e3:.2f} ms, p99 = {p99 * 1e3:.2f} ms")


if __name__ == "__main__":
    watch_alone()
    whole_service()
