"""Behind a proxy that buffers: what passes it is late and in lumps, and otherwise as without it."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.system

LUMP_S = 0.4
HANDSHAKE = (
    b"GET /ws/analytics HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class BufferingProxy:
    """Passes requests on at once; answers every LUMP_S, or when `whole` not before the service has closed."""

    def __init__(self, upstream: int, *, whole: bool = False) -> None:
        self.upstream = upstream
        self.whole = whole
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:  # closed
                return
            service = socket.create_connection(("127.0.0.1", self.upstream))
            threading.Thread(target=self._up, args=(client, service), daemon=True).start()
            threading.Thread(target=self._down, args=(service, client), daemon=True).start()

    @staticmethod
    def _up(client: socket.socket, service: socket.socket) -> None:
        try:
            while data := client.recv(65_536):
                service.sendall(data)
            service.shutdown(socket.SHUT_WR)
        except OSError:
            service.close()

    def _down(self, service: socket.socket, client: socket.socket) -> None:
        service.settimeout(0.02)
        held, since = bytearray(), time.monotonic()
        try:
            while True:
                try:
                    data = service.recv(1 << 20)
                    held += data
                    if not data:
                        break
                except TimeoutError:
                    pass
                if held and not self.whole and time.monotonic() - since > LUMP_S:
                    client.sendall(held)
                    held, since = bytearray(), time.monotonic()
            client.sendall(held)
        except OSError:
            pass
        finally:
            for each in (client, service):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)  # the other thread is still reading from one of them
                each.close()

    def close(self) -> None:
        self.listener.close()


def ask(port: int, path: str) -> tuple[bytes, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
        answer = b""
        while data := sock.recv(1 << 20):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def frames(sock: socket.socket) -> Iterator[dict[str, Any]]:
    """Of an open WebSocket, as they come."""
    data = b""

    def need(count: int) -> bytes:
        nonlocal data
        while len(data) < count:
            more = sock.recv(1 << 20)
            assert more, "closed"
            data += more
        taken, data = data[:count], data[count:]
        return taken

    while True:
        first, size = need(2)
        if size == 126:
            (size,) = struct.unpack("!H", need(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", need(8))
        payload = need(size)
        assert first == 0x81
        yield json.loads(payload)


def test_answers_and_downloads_are_whole(start: Any) -> None:
    service = start()
    now = time.time()
    series = {
        "metric_name": "long",
        "timestamps": [now - 6000 + n for n in range(6000)],
        "values": [n * 1.000001 for n in range(6000)],
    }
    assert service.post("/api/analytics/metrics/batch", {"series": [series]}).status == 200
    span = f"start={now - 7000}&end={now}"
    proxies = [BufferingProxy(service.port), BufferingProxy(service.port, whole=True)]
    for path in (
        f"/api/analytics/metrics/long/data?resolution=raw&format=csv&{span}",
        f"/api/analytics/export?metrics=long&resolution=raw&format=csv&{span}",
        f"/api/analytics/export?metrics=long&resolution=raw&format=json&{span}",
    ):
        plain_head, plain = ask(service.port, path)
        assert plain.count(b"\n") > 5_000 or plain.count(b"timestamp") > 5_000
        assert b"x-accel-buffering: no" in plain_head
        assert b"no-transform" in plain_head
        for proxy in proxies:
            assert ask(proxy.port, path)[1] == plain
    for proxy in proxies:
        assert json.loads(ask(proxy.port, "/api/analytics/status")[1])["metrics_tracked"] == 1
        proxy.close()


def test_a_socket_is_late_and_loses_nothing(start: Any) -> None:
    service = start()
    proxy = BufferingProxy(service.port)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=15) as sock:
        sock.sendall(HANDSHAKE)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        assert head.startswith(b"HTTP/1.1 101")
        heard = frames(sock)
        assert [next(heard)["type"] for _ in range(2)] == ["hello", "snapshot"]
        values = []
        for number in range(12):
            assert service.post("/api/analytics/metrics", {"metric_name": "a", "value": number}).status == 200
        while not values or values[-1] < 11:
            frame = next(heard)
            if frame["type"] == "metrics" and "a" in frame["data"]:
                values.append(frame["data"]["a"]["value"])
        assert values == sorted(values)
    proxy.close()
