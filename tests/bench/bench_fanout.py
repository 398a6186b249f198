"""POST -> WebSocket frame with five clients that read and one that does not, as a ratio to a bare echo.

Both run in a process of their own behind the same server. The echo hands each body, as it is, to every socket; the
service validates, records, watches, coalesces and encodes it. A body carries 50 metrics, so that the one that does
not read is soon stuck; posts are 110 ms apart, so that none waits for the ten frames a second.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import trio
from quart import Response, request, websocket
from quart_trio import QuartTrio
from service_process import post, service

from gateway.server import Server, open_listening_socket

POSTS = 150
WARM_UP = 20
READERS = 5
APART_S = 0.11
HANDSHAKE = (
    b"GET /ws/analytics HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MARK = re.compile(rb'"bench\.marker"[^}]*?"value": ?(\d+)')


def echo_app() -> QuartTrio:
    app = QuartTrio("echo")
    outs: set[trio.MemorySendChannel[str]] = set()

    @app.post("/api/analytics/metrics/batch")
    async def take() -> Response:
        text = (await request.get_data()).decode()
        for out in outs:
            with contextlib.suppress(trio.WouldBlock):
                out.send_nowait(text)
        return Response(b"{}", content_type="application/json")

    @app.websocket("/ws/analytics")
    async def give() -> None:
        out, come = trio.open_memory_channel[str](16)
        outs.add(out)
        try:
            await websocket.accept()
            async for text in come:
                await websocket.send(text)
        finally:
            outs.discard(out)

    return app


async def serve_echo() -> None:
    with open_listening_socket("127.0.0.1", 0) as listener:
        async with trio.open_nursery() as nursery:
            await nursery.start(Server(echo_app(), listener).run)
            print(listener.getsockname()[1], flush=True)


@contextlib.contextmanager
def echo() -> Iterator[int]:
    with subprocess.Popen([sys.executable, __file__, "echo"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def body(number: int) -> bytes:
    series = [
        {"metric_name": f"bench.other.{n}", "timestamps": [time.time()], "values": [number + n / 7]} for n in range(49)
    ]
    series.append({"metric_name": "bench.marker", "timestamps": [time.time()], "values": [number]})
    text = json.dumps({"series": series})
    # The echo's readers look for the same mark as the service's.
    return (text[:-1] + f', "errors": {{"bench.marker": {{"value": {number}}}}}}}').encode()


def service_body(number: int) -> bytes:
    document = json.loads(body(number))
    del document["errors"]
    return json.dumps(document).encode()


async def measure(port: int, make: Callable[[int], bytes]) -> list[float]:
    """Seconds from the first byte of each POST to its frame at each reader."""
    sent: dict[int, float] = {}
    delays: list[float] = []

    async def read(stream: trio.SocketStream) -> None:
        data = b""
        last = 0
        async for more in stream:
            data += more
            for found in MARK.finditer(data):
                number = int(found[1])
                if number > last and number in sent:
                    last = number
                    if number > WARM_UP:
                        delays.append(time.perf_counter() - sent[number])
            data = data[-200:]

    async with trio.open_nursery() as nursery:
        for reader in range(READERS + 1):
            sock = trio.socket.socket()
            if reader == 0:  # the one that never reads
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await sock.connect(("127.0.0.1", port))
            stream = trio.SocketStream(sock)
            await stream.send_all(HANDSHAKE)
            if reader:
                nursery.start_soon(read, stream)
        await trio.sleep(0.5)
        poster = await trio.open_tcp_stream("127.0.0.1", port)
        for number in range(1, POSTS + WARM_UP + 1):
            whole = post("/api/analytics/metrics/batch", make(number))
            sent[number] = time.perf_counter()
            await poster.send_all(whole)
            answer = await poster.receive_some()
            assert answer.startswith(b"HTTP/1.1 200"), answer
            await trio.sleep(APART_S)
        nursery.cancel_scope.cancel()
    return sorted(delays)


def report(name: str, delays: list[float]) -> float:
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(f"{name}: frames = {len(delays)} of {POSTS * READERS}, p50 = {p50 * 1e3:.2f} ms, p99 = {p99 * 1e3:.2f} ms")
    return p99


def main() -> None:
    with echo() as port:
        floor = report("bare echo", trio.run(measure, port, body))
    with service() as started:
        ours = report("service", trio.run(measure, started.port, service_body))
    print(f"ratio of p99 = {ours / floor:.2f}")


if __name__ == "__main__":
    trio.run(serve_echo) if sys.argv[1:] == ["echo"] else main()
