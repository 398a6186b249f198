"""A started service for the measurements, and a keep-alive connection that costs the client little."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Started:
    process: subprocess.Popen[str]
    port: int
    started_s: float

    def resident_mb(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * PAGE_BYTES / 1e6

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def service(**environ: str) -> Iterator[Started]:
    """Start `serve`, yield when it listens, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--port", "0"],
            env={**os.environ, **{f"COACHIQ_ANALYTICS__{k}": v for k, v in environ.items()}},
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        try:
            for line in process.stderr:
                match = re.search(r"listening on http://\S+:(\d+)", line)
                if match:
                    break
            else:
                raise SystemExit("the service did not start")
            # A log that nobody reads stops the service as soon as the pipe is full.
            threading.Thread(target=deque, args=(process.stderr, 0), daemon=True).start()
            started = Started(process, int(match[1]), begun)
            Client(started.port).wait_ready()
            yield started
            process.terminate()
            process.wait(timeout=20)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def post(path: str, body: bytes) -> bytes:
    """A whole request, made once and sent often."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()


class Client:
    """One keep-alive connection; answers must carry Content-Length."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._room = bytearray()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Ask, and wait for status and body."""
        self.ask(request)
        return self.answer()

    def ask(self, request: bytes) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the oldest request that has not been answered."""
        status, body = self.arrived()
        return status, bytes(body)

    def arrived(self) -> tuple[int, memoryview]:
        """The same, the body where it was read to: good until the next answer. New memory for megabytes, and a copy,
        cost the client more than the service needs to send them."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        match = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        length = int(match[1]) if match else 0
        if length > len(self._room):
            self._room = bytearray(length)
        whole = memoryview(self._room)[:length]
        whole[: len(body)] = body
        at = len(body)
        while at < length:
            at += self._into(whole[at:])
        return int(head.split(b" ", 2)[1]), whole

    def _into(self, rest: memoryview) -> int:
        assert self._socket is not None
        size = self._socket.recv_into(rest)
        if not size:
            raise ConnectionError("closed by the service")
        return size

    def _more(self) -> bytes:
        assert self._socket is not None
        more = self._socket.recv(1 << 20)
        if not more:
            raise ConnectionError("closed by the service")
        return more

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.send(get("/readyz"))[0] == 200:
                    return
            time.sleep(0.005)
        raise SystemExit("the service is not ready after 20 s")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
