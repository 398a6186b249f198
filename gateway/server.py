"""The listening socket and the server behind it.

The socket is made once by the composition root and outlives every restart of the server: who connects
meanwhile waits in its backlog. The server accepts, gives each connection to a task of its own
(connection.py), and promises: one connection's failure is that connection's alone, it is logged and
counted; past the cap an idle connection makes room, or one whose request drips in, else the newcomer gets
503; a stop ends within `drain_s` and about a second, also with a peer that never reads. No TLS: this
service listens behind CoachIQ's proxy or on a trusted network.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework
from msgspec import Struct
from quart_trio import QuartTrio

from .connection import NO_LINGER, Connection, Limits
from .headers import RAW_HEADERS
from .plain_config import PlainConfig
from .problems import Problem
from .shortcut import Shortcut

LOG: Final = logging.getLogger(__name__)

BODY_S: Final = 10.0
RESPONSE_S: Final = 300.0  # a slow link may take long over a big CSV; a stalled one is cut much earlier

PROMPT_S: Final = 1.0  # a request that takes longer to arrive gives way when connections run out
BACKLOG: Final = 128
_REFUSING: Final = 32  # newcomers past the cap that are being told so; past this they are just closed
_BUSY_BODY: Final = Problem(503, "Too many connections: try again later").encoded("/")
_BUSY: Final = b"\r\n".join(
    (
        b"HTTP/1.1 503 Service Unavailable",
        b"content-type: application/problem+json",
        b"retry-after: 2",
        b"connection: close",
        b"content-length: %d" % len(_BUSY_BODY),
        *(name + b": " + value for name, value in RAW_HEADERS),
        b"",
        _BUSY_BODY,
    )
)
_PASSING: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def open_listening_socket(host: str, port: int, *, user_timeout_s: float = 12.0) -> socket.socket:
    """Bind and listen on `host` (a name, an IPv4 or an IPv6 address; "::" takes IPv4 too). Raises OSError.

    Accepted sockets inherit its options: a peer that acknowledges nothing, or reads nothing, for
    `user_timeout_s` is cut by the kernel, whatever the process does.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(user_timeout_s * 1000))
        # A peer that vanished without a word while nothing was sent to it is found out in under a minute.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def harden(app: QuartTrio) -> None:
    """Quart's own limits: the size of a body (413), the time it may take (408), the time of an answer."""
    app.config["MAX_CONTENT_LENGTH"] = Limits().max_body_bytes
    app.config["BODY_TIMEOUT"] = BODY_S
    app.config["RESPONSE_TIMEOUT"] = RESPONSE_S


class ServerStatistics(Struct, frozen=True):
    """Counted since the Server was made, restarts included."""

    connections: int
    peak: int
    accepted: int
    refused: int  # past the cap
    failed: int  # ended by an error of ours or of a library
    stalled: int  # ended because the peer did not read


class Server:
    """Serves `app` on `sock`, and what `shortcut` takes past it. `run` has a child's signature, `stop` is its graceful
    stop request."""

    def __init__(
        self,
        app: QuartTrio,
        sock: socket.socket,
        *,
        shortcut: Shortcut | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._app = app
        self._sock = sock
        self._shortcut = shortcut
        self._limits = limits or Limits()
        self._connections: set[Connection] = set()
        self._refusing = 0
        self._stopping: trio.Event | None = None
        self._empty = trio.Event()
        self._peak = self._accepted = self._refused = self._failed = self._stalled = 0

    def stop(self) -> None:
        """Ask `run` to end: accept no more, finish the answers under way, close WebSockets with 1001."""
        if self._stopping is not None:
            self._stopping.set()

    def statistics(self) -> ServerStatistics:
        return ServerStatistics(
            len(self._connections), self._peak, self._accepted, self._refused, self._failed, self._stalled
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Accept and serve until `stop`. Ready (`started`) means accepting."""
        config = _hypercorn_config(self._limits)
        context = WorkerContext(None)
        stopping = self._stopping = trio.Event()
        state: dict[str, Any] = {}
        app = ASGIWrapper(cast(ASGIFramework, self._app))
        lifespan = Lifespan(app, config, state)
        async with trio.open_nursery() as lifetime:
            life = await lifetime.start(_live, lifespan)
            try:
                await lifespan.wait_for_startup()
                async with trio.open_nursery() as nursery:
                    accepting = trio.CancelScope()
                    make = partial(Connection, app, config, context, state, self._limits, self._shortcut)
                    nursery.start_soon(self._accept, nursery, accepting, make)
                    task_status.started()
                    await stopping.wait()
                    accepting.cancel()
                    await context.terminated.set()
                    await self._drain()
                    nursery.cancel_scope.cancel()
            finally:
                self._stopping = None
                with trio.CancelScope(deadline=trio.current_time() + 1, shield=True):
                    if not lifespan.shutdown.is_set():  # set: the application's side has ended already
                        await lifespan.wait_for_shutdown()
                life.cancel()

    async def _accept(
        self,
        nursery: trio.Nursery,
        accepting: trio.CancelScope,
        make: Callable[[trio.SocketStream], Connection],
    ) -> None:
        with accepting:
            while True:
                await trio.lowlevel.wait_readable(self._sock)
                try:
                    # All who wait: one each time around would leave the others behind everything else that goes on.
                    for _ in range(BACKLOG):
                        self._welcome(self._sock.accept()[0], nursery, make)
                except (BlockingIOError, ConnectionAbortedError):
                    continue
                except OSError as error:
                    if error.errno not in _PASSING:
                        raise
                    LOG.error("cannot accept connections for now: %s", error)
                    await trio.sleep(0.1)

    def _welcome(
        self, sock: socket.socket, nursery: trio.Nursery, make: Callable[[trio.SocketStream], Connection]
    ) -> None:
        sock.setblocking(False)
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
        self._accepted += 1
        if len(self._connections) >= self._limits.max_connections and not self._make_room():
            self._refuse(stream, nursery)
            return
        connection = make(stream)
        self._connections.add(connection)
        self._peak = max(self._peak, len(self._connections))
        nursery.start_soon(self._serve, connection)

    async def _serve(self, connection: Connection) -> None:
        try:
            await connection.run()
        except BaseExceptionGroup as group:
            ours, ending = group.split(Exception)
            if ours is not None:
                self._note_failure(connection, ours)
            if ending is not None:  # cancelled, or the process is being ended
                raise ending from None
        except Exception as error:  # whatever it was, it is this connection's alone
            self._note_failure(connection, error)
        finally:
            self._stalled += connection.stalled
            self._connections.discard(connection)
            if not self._connections:
                self._empty.set()

    def _note_failure(self, connection: Connection, error: Exception | BaseExceptionGroup[Exception]) -> None:
        self._failed += 1
        LOG.error("the connection from %s failed; no other is touched", connection.peer, exc_info=error)

    def _make_room(self) -> bool:
        """End the connection that has waited longest for a request, else the one that has been at its request
        longest. False: there is none."""
        waiting = [(since, each) for each in self._connections if (since := each.idle_since) is not None]
        if not waiting:
            begun_s = trio.current_time() - PROMPT_S
            waiting = [(since, each) for each in self._connections if (since := each.drips_since) and since < begun_s]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda pair: pair[0])[1]
        oldest.abort()
        self._connections.discard(oldest)
        return True

    def _refuse(self, stream: trio.SocketStream, nursery: trio.Nursery) -> None:
        self._refused += 1
        if self._refusing < _REFUSING:
            self._refusing += 1
            nursery.start_soon(self._say_busy, stream)
        else:
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            stream.socket.close()

    async def _say_busy(self, stream: trio.SocketStream) -> None:
        try:
            with trio.move_on_after(self._limits.linger_s):
                await stream.send_all(_BUSY)
                await stream.send_eof()
                while await stream.receive_some():
                    pass
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it did not wait for the answer
        finally:
            self._refusing -= 1
            stream.socket.close()

    async def _drain(self) -> None:
        """Idle connections end now, busy ones when they are done, all of them at the deadline."""
        for connection in list(self._connections):
            connection.go_away()
        with trio.move_on_after(self._limits.drain_s):
            while self._connections:
                self._empty = trio.Event()
                await self._empty.wait()
        for connection in list(self._connections):
            connection.abort()


async def _live(lifespan: Lifespan, *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
    """The application's lifespan. Shielded: its `after_serving` is owed even when the server is cancelled."""
    with trio.CancelScope(shield=True) as scope:
        task_status.started(scope)
        await lifespan.handle_lifespan()


def _hypercorn_config(limits: Limits) -> PlainConfig:
    config = PlainConfig()
    config.accesslog = None
    config.errorlog = LOG
    config.h11_max_incomplete_size = limits.max_head_bytes
    config.websocket_max_message_size = limits.max_message_bytes
    config.keep_alive_max_requests = 1 << 62  # an ingesting client keeps its connection
    config.startup_timeout = config.shutdown_timeout = 10
    return config
