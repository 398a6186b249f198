"""One accepted connection: its reading, its sending, its deadlines, and its end.

Takes the place of Hypercorn's TCPServer, whose sends are shielded from every cancellation and whose timers
get lost. Promises: no peer can hold it for ever. Each phase of reading has a deadline, so has each piece
sent; `finish` lets the peer read the last answer (the socket is not reset under it), `abort` ends at once,
whoever is reading or sending; after the peer is gone, the application has a few seconds to end before it is
cancelled.
"""

from __future__ import annotations

import math
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.task_group import _handle as run_application
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, ConnectionState, Scope
from hypercorn.utils import parse_socket_addr
from msgspec import Struct

from .http1 import Http1Protocol
from .plain_config import PlainConfig
from .shortcut import Shortcut

READ_BYTES: Final = 256 * 1024  # most bodies come with one read
PIECE_BYTES: Final = 64 * 1024  # what has to be sent within `send_s`
NO_LINGER: Final = struct.pack("ii", 1, 0)


class Limits(Struct, frozen=True, kw_only=True):
    """What a client may take. Times in seconds."""

    max_connections: int = 512
    max_head_bytes: int = 16 * 1024
    max_body_bytes: int = 1024 * 1024  # 10,000 samples in columns are 250 kB
    max_message_bytes: int = 64 * 1024  # a WebSocket message from a client
    first_byte_s: float = 10.0  # from accepting to the first byte of a request
    head_s: float = 10.0  # from a head's first byte to its last
    body_s: float = 15.0  # from the head to the body's last byte; the application's bound (408) is shorter
    keep_alive_s: float = 75.0  # between two requests
    send_s: float = 15.0  # for each 64 kB: slower than 4 kB/s is as good as gone
    linger_s: float = 2.0  # for dropping what the peer still sends, so that it reads our last answer
    linger_bytes: int = 4 * 1024 * 1024
    application_s: float = 5.0  # for the application to end after the peer has gone
    drain_s: float = 2.0  # at a stop: for answers under way and closing handshakes


class Tasks(TaskGroup):
    """A connection's tasks. What is told to an application that has ended is dropped.

    Hypercorn's own waits for room in a queue that nobody empties any more, and so never ends.
    """

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        told, hears = trio.open_memory_channel[ASGIReceiveEvent](config.max_app_queue_size)

        async def application(*arguments: Any) -> None:
            with hears:
                await app(*arguments)

        async def tell(event: ASGIReceiveEvent) -> None:
            try:
                await told.send(event)
            except trio.BrokenResourceError:
                await trio.lowlevel.checkpoint()

        self.spawn(
            run_application, application, config, scope, hears.receive, send,
            trio.to_thread.run_sync, trio.from_thread.run,
        )  # fmt: skip
        return tell


class Connection:
    """One connection's life is one call of `run`."""

    def __init__(
        self,
        app: AppWrapper,
        config: PlainConfig,
        context: WorkerContext,
        state: dict[str, Any],
        limits: Limits,
        shortcut: Shortcut | None,
        stream: trio.SocketStream,
    ) -> None:
        self._app = app
        self._config = config
        self._context = context
        self._state = state
        self._stream = stream
        self._limits = limits
        self._shortcut = shortcut
        self._protocol: Http1Protocol | None = None
        self._send_lock = trio.Lock()
        self._whole = trio.CancelScope()
        self._reading = trio.CancelScope()
        self._waiting = trio.CancelScope()  # one for all reads: a scope for each costs more than the read
        self._receiving = False  # a read is under way, and has a deadline
        self._gone = False  # the socket is of no more use
        self._finishing = False
        self._shut = False  # our side has said that nothing more comes
        self._since = trio.current_time()  # when the present phase of reading began
        self._fresh = True  # no request yet
        self.stalled = False  # ended because the peer did not read
        self.peer: tuple[str, int] | None = None

    @property
    def idle_since(self) -> float | None:
        """Since when it waits for a request; None while it is busy."""
        if self._protocol is None or self._protocol.waits_for_request:
            return self._since
        return None

    @property
    def drips_since(self) -> float | None:
        """Since when a request of its own has been arriving; None: none is."""
        if self._protocol is not None and self.idle_since is None:
            return self._since if self._protocol.reads_head or self._protocol.reads_body else None
        return None

    async def run(self) -> None:
        """Serve until the peer leaves, a deadline passes, or somebody ends it. Raises what failed inside."""
        try:
            sock = self._stream.socket
            self.peer = parse_socket_addr(sock.family, sock.getpeername())
            server = parse_socket_addr(sock.family, sock.getsockname())
        except OSError:  # gone before it was looked at
            self.abort()
            return
        try:
            with self._whole:
                async with Tasks() as tasks:
                    self._protocol = Http1Protocol(
                        self._app, self._config, self._context, tasks, ConnectionState(self._state),
                        self.peer, server, self._send_event, self._write, self._stream.receive_some,
                        self._limits.max_body_bytes, self._shortcut,
                    )  # fmt: skip
                    with self._reading:
                        await self._read(self._protocol)
                    self._whole.deadline = trio.current_time() + self._limits.application_s
                    await self._protocol.handle(Closed())
                    if self._finishing and not self._gone:
                        await self._linger(self._protocol)
                    self._gone = True
        finally:
            self.abort()

    def finish(self) -> None:
        """End after what has been sent: no more requests are read."""
        if self._finishing or self._gone:
            return
        self._finishing = True
        self._reading.cancel()
        if not self._send_lock.locked():
            self._shut_sending()

    def go_away(self) -> None:
        """The service is stopping: an idle one ends now, a WebSocket says good-bye."""
        if self.idle_since is not None:
            self.abort()
        elif self._protocol is not None:
            self._protocol.go_away()

    def abort(self) -> None:
        """End at once. Who waits for the socket is woken; an unfinished conversation is reset, an idle one closed."""
        sock = self._stream.socket
        if sock.fileno() == -1:
            return
        if not (self._finishing or self._gone) and self.idle_since is None:
            # Of a finished one the last bytes may still be under way: these are not dropped.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._gone = True
        self._reading.cancel()
        sock.close()

    async def _read(self, protocol: Http1Protocol) -> None:
        with self._waiting:
            while not self._finishing:
                self._receiving, self._waiting.deadline = True, self._deadline(protocol)
                try:
                    data = await self._stream.receive_some(READ_BYTES)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return
                self._receiving, self._waiting.deadline = False, math.inf
                if self._waiting.cancel_called:  # both at once: it came too late
                    break
                if data and protocol.waits_for_request:
                    self._since = trio.current_time()
                    self._fresh = False
                await protocol.handle(RawData(bytes(data)))
                if not data:
                    return
        if self._waiting.cancel_called and protocol.owes_timeout:
            await protocol.refuse(408, "The request did not arrive in time")

    def _deadline(self, protocol: Http1Protocol) -> float:
        limits = self._limits
        if protocol.waits_for_request:
            return self._since + (limits.first_byte_s if self._fresh else limits.keep_alive_s)
        if protocol.reads_head:
            return self._since + limits.head_s
        if protocol.reads_body:
            return self._since + limits.body_s
        return math.inf  # it is the application's turn, or a WebSocket

    async def _send_event(self, event: Event) -> None:
        """What the protocol wants: bytes sent, the phase noted, the end."""
        if isinstance(event, RawData):
            await self._write(event.data)
            await trio.lowlevel.checkpoint()  # who sends in a loop leaves others their turn
        elif isinstance(event, Updated):
            self._since = trio.current_time()
            if event.idle and self._receiving and self._protocol is not None:
                self._waiting.deadline = self._deadline(self._protocol)
        elif isinstance(event, Closed):
            if self._protocol is not None:
                self._protocol.closed = True
            self.finish()

    async def _write(self, data: bytes) -> None:
        """Send all of it, after what is being sent. No checkpoint while the kernel takes it at once."""
        try:
            self._send_lock.acquire_nowait()
        except trio.WouldBlock:
            await self._send_lock.acquire()
        try:
            if self._gone or self._shut:
                return
            sent = self._offer(data)
            while sent < len(data):
                due = min(sent + PIECE_BYTES, len(data))
                with trio.fail_after(self._limits.send_s):
                    while sent < due:
                        await trio.lowlevel.wait_writable(self._stream.socket)
                        sent += self._offer(memoryview(data)[sent:])
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.abort()
        except trio.TooSlowError:
            self.stalled = True
            self.abort()
        except BaseException:  # cancelled in the middle: what follows would not be understood
            self.abort()
            raise
        finally:
            self._send_lock.release()
        if self._finishing and not self._gone and not self._send_lock.locked():
            self._shut_sending()

    def _offer(self, data: bytes | memoryview) -> int:
        """How many bytes of it the kernel takes without a wait."""
        try:
            return os.write(self._stream.socket.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError from error

    def _shut_sending(self) -> None:
        self._shut = True
        try:
            self._stream.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the peer was faster
            self._gone = True

    async def _linger(self, protocol: Http1Protocol) -> None:
        """Read and drop until the peer has closed too: closing over unread data would reset its reading."""
        left = self._limits.linger_bytes
        data = b""
        with trio.move_on_after(self._limits.linger_s):
            while left > 0 and not protocol.is_over(data):
                try:
                    data = await self._stream.receive_some(READ_BYTES)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return
                if not data:
                    return
                left -= len(data)
                data = bytes(data)
