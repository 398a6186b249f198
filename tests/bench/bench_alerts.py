"""What thresholds cost (2,000 on one metric and on many), and how long an alert takes: to a frame, to a mailbox.

The first part is the watch alone, per sample. Then a whole service behind its socket, with 2,000 thresholds set: with a
dashboard that listens, while the value crosses the limit in every post; and with a mail server, to which critical
alerts leave ungrouped (others wait for 30 s, unless set: not measured). The first mail is told apart: what sends
mail is loaded by it.
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
from tests.fakes.mail_server import MailServer

THRESHOLDS = 2_000
SAMPLES = 20_000
POSTS = 300
MAILS = 60
PAUSE_S = 1.2  # a channel is sent no more than one critical message a second
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


async def mail_delays(port: int, server: MailServer) -> list[float]:
    """Seconds from the first byte of a POST that crosses a critical limit to its mail, in order."""
    delays = []
    poster = await trio.open_tcp_stream("127.0.0.1", port)
    for number in range(MAILS):
        server.came = trio.Event()
        sample = {"metric_name": f"bench.critical.{number}", "timestamps": [time.time()], "values": [100.0]}
        begun = trio.current_time()
        await poster.send_all(post("/api/analytics/metrics/batch", json.dumps({"series": [sample]}).encode()))
        await poster.receive_some()
        with trio.fail_after(20):
            await server.came.wait()
        came_s, text = server.messages[-1]
        if f"critical {number} is above" not in text:
            raise SystemExit(f"mail {number} is about something else:\n{text}")
        delays.append(came_s - begun)
        await trio.sleep(PAUSE_S)
    return delays


def sent(client: Client, request: bytes, expected: int) -> None:
    status, body = client.send(request)
    if status != expected:
        raise SystemExit(f"{status}: {body!r}")


def set_up(client: Client) -> None:
    bodies = [{"metric": "bench.alert", "condition": "above", "value": 50, "recover_after_s": 0}]
    bodies += [
        {"metric": f"bench.critical.{index}", "condition": "above", "value": 50, "severity": "critical"}
        for index in range(MAILS)
    ]
    bodies += [
        {"metric": f"bench.{index}", "condition": "above", "value": 5} for index in range(THRESHOLDS - len(bodies))
    ]
    begun = time.perf_counter()
    for body in bodies:
        sent(client, post("/api/analytics/thresholds", json.dumps(body).encode()), 201)
    took = time.perf_counter() - begun
    print(f"{len(bodies)} thresholds set one by one: {took / len(bodies) * 1e3:.2f} ms each")


async def with_mail(port: int, client: Client) -> list[float]:
    server = MailServer()
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        url = f"mailto://127.0.0.1:{server.port}?from=coach@example.org&to=anna@example.org&mode=insecure"
        wishes = {"notifications": {"channels": [{"id": "mail", "type": "email", "url": url}]}}
        body = json.dumps(wishes).encode()
        sent(client, post("/api/analytics/preferences", body).replace(b"POST", b"PUT", 1), 200)
        delays = await mail_delays(port, server)
        nursery.cancel_scope.cancel()
    return delays


def whole_service() -> None:
    with service(NOTIFY_LAN="true") as started:
        client = Client(started.port)
        set_up(client)
        delays = trio.run(alert_delays, started.port)
        p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
        print(f"POST -> alert: frames = {len(delays)}, p50 = {p50 * 1e3:.2f} ms, p99 = {p99 * 1e3:.2f} ms")
        first, *rest = trio.run(with_mail, started.port, client)
        rest.sort()
        p50, p99 = rest[len(rest) // 2], rest[int(len(rest) * 0.99)]
        print(f"POST -> mail: first = {first:.2f} s, then mails = {len(rest)}, p50 = {p50:.2f} s, p99 = {p99:.2f} s")


if __name__ == "__main__":
    watch_alone()
    whole_service()
