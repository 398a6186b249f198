"""Clients that stop reading: others are not delayed, and SIGTERM still ends the process in time."""

from __future__ import annotations

import base64
import os
import socket
import time

import pytest

pytestmark = pytest.mark.system


def connect(port: int, receive_buffer: int = 4096) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", port))
    return sock


def open_websocket(port: int) -> socket.socket:
    sock = connect(port)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET /ws/analytics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b"101" in sock.recv(64)
    return sock


def test_a_stalled_socket_and_a_stalled_download(start):
    service = start()
    now = time.time()
    for m in range(20):
        series = {
            "metric_name": f"a.rather.long.metric.name.to.fill.buffers.with.{m}",
            "timestamps": [now - 6000 + n for n in range(6000)],
            "values": [n * 1.000001 for n in range(6000)],
        }
        assert service.post("/api/analytics/metrics/batch", {"series": [series]}).status == 200
    stalled = [open_websocket(service.port) for _ in range(3)]
    name = "a.rather.long.metric.name.to.fill.buffers.with.1"
    for _ in range(3):
        sock = connect(service.port)
        sock.sendall(f"GET /api/analytics/metrics/{name}/data?resolution=raw HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stalled.append(sock)
    slowest = 0.0
    for n in range(200):
        begun = time.monotonic()
        samples = [{"metric_name": f"m{m}", "value": n} for m in range(200)]
        assert service.post("/api/analytics/metrics/batch", {"samples": samples}).status == 200
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 1.0
    begun = time.monotonic()
    assert service.terminate() == 0
    assert time.monotonic() - begun < 5.0
    for sock in stalled:
        sock.close()


def test_sigterm_with_nothing_going_on(start):
    service = start()
    begun = time.monotonic()
    assert service.terminate() == 0
    assert time.monotonic() - begun < 3.0
