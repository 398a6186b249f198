"""A real server on a loopback socket, and raw clients for it."""

# Handlers of a little application, and loops over a real socket, in the least words.
# flake8: noqa: ASYNC128

from __future__ import annotations

import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio
from quart import Response, request, websocket
from quart_trio import QuartTrio

from gateway.connection import Limits
from gateway.server import Server, harden, open_listening_socket
from gateway.shortcut import Shortcut


class Served:
    """A running server with its listening socket; `stop` waits for its end and returns how long that took."""

    def __init__(self, app: QuartTrio, limits: Limits | None, user_timeout_s: float, shortcut: Shortcut | None) -> None:
        self.sock = open_listening_socket("127.0.0.1", 0, user_timeout_s=user_timeout_s)
        self.port: int = self.sock.getsockname()[1]
        self.server = Server(app, self.sock, shortcut=shortcut, limits=limits)
        self.ended = trio.Event()
        self.scope = trio.CancelScope()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        try:
            with self.scope:
                await self.server.run(task_status=task_status)
        finally:
            self.ended.set()

    async def stop(self) -> float:
        began = trio.current_time()
        self.server.stop()
        with trio.fail_after(10):
            await self.ended.wait()
        return trio.current_time() - began

    async def connect(self, *, receive_buffer: int | None = None) -> trio.SocketStream:
        sock = trio.socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await sock.connect(("127.0.0.1", self.port))
        return trio.SocketStream(sock)

    async def exchange(self, data: bytes) -> bytes:
        """Send, and read until the server closes."""
        async with await self.connect() as stream:
            await stream.send_all(data)
            return await read_all(stream)

    async def get(self, path: str) -> bytes:
        return await self.exchange(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())

    async def settle(self, connections: int = 0) -> None:
        """Wait until the server holds no more than `connections`."""
        with trio.fail_after(10):
            while True:
                if self.server.statistics().connections <= connections:
                    return
                await trio.sleep(0.01)


async def read_all(stream: trio.SocketStream) -> bytes:
    """Everything until the end, or until the reset."""
    got = bytearray()
    with trio.fail_after(10):
        try:
            async for chunk in stream:
                got += chunk
        except trio.BrokenResourceError:
            got += b"<reset>"
    return bytes(got)


async def read_until(stream: trio.SocketStream, mark: bytes) -> bytes:
    got = bytearray()
    with trio.fail_after(10):
        while mark not in got:
            chunk = await stream.receive_some()
            assert chunk, f"closed after {bytes(got)!r}"
            got += chunk
    return bytes(got)


def client_frame(payload: bytes, opcode: int = 1) -> bytes:
    """One masked WebSocket frame, the mask being zero."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


HANDSHAKE = (
    b"GET %s HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Wire:
    """The helpers above for tests, which cannot import this file."""

    read_all = staticmethod(read_all)
    read_until = staticmethod(read_until)
    client_frame = staticmethod(client_frame)

    @staticmethod
    def handshake(path: str) -> bytes:
        return HANDSHAKE % path.encode()

    @staticmethod
    def descriptors() -> int:
        return sum(1 for _ in Path(f"/proc/{os.getpid()}/fd").iterdir())


@pytest.fixture
def wire() -> type[Wire]:
    return Wire


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers: `served = await serve(app, limits=..., shortcut=...)`. They are stopped afterwards."""
    running: list[Served] = []
    async with trio.open_nursery() as nursery:

        async def start(
            app: QuartTrio,
            *,
            limits: Limits | None = None,
            user_timeout_s: float = 12.0,
            shortcut: Shortcut | None = None,
        ) -> Served:
            served = Served(app, limits, user_timeout_s, shortcut)
            running.append(served)
            await nursery.start(served.run)
            return served

        yield start
        for served in running:
            await served.stop()
            served.sock.close()


class LittleApp(QuartTrio):
    """An application with a route for each way of keeping a connection."""

    def __init__(self) -> None:
        super().__init__("little")
        self.release = trio.Event()  # what /wait waits for
        self.entered = trio.Event()  # somebody is in a waiting handler
        self.ended = trio.Event()  # a waiting handler has ended, whichever way
        self.served = [0, 0]  # times before_serving and after_serving were called


@pytest.fixture
def little_app() -> LittleApp:
    app = LittleApp()
    harden(app)

    @app.before_serving
    async def before() -> None:
        app.served[0] += 1

    @app.after_serving
    async def after() -> None:
        app.served[1] += 1

    @app.get("/fast")
    async def fast() -> Response:
        return Response(b"fast")

    @app.route("/wait", methods=["GET", "POST"])
    async def wait() -> Response:
        app.entered.set()
        try:
            await app.release.wait()
        finally:
            app.ended.set()
        return Response(b"waited")

    @app.post("/body")
    async def body() -> Response:
        return Response(str(len(await request.get_data())).encode())

    @app.get("/download")
    async def download() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            app.entered.set()
            try:
                for _ in range(2000):
                    yield bytes(64 * 1024)
            finally:
                app.ended.set()

        return Response(chunks())

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            await websocket.send(await websocket.receive())

    @app.websocket("/flood")
    async def flood() -> None:
        await websocket.accept()
        app.entered.set()
        try:
            while True:  # on purpose without any wait of its own
                await websocket.send("x" * 10_000)
        finally:
            app.ended.set()

    @app.websocket("/deaf")
    async def deaf() -> None:
        await websocket.accept()
        app.entered.set()
        await app.release.wait()

    @app.websocket("/late")
    async def late() -> None:
        app.entered.set()
        try:
            await app.release.wait()
            await websocket.accept()
            await websocket.receive()
        finally:
            app.ended.set()

    return app
