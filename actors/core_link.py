"""The link to CoachIQ's core: hears its WebSocket and records every state as a metric.

Owns one connection to `/ws` and what has been heard and not yet recorded. Promises: the core is never made to wait for
us (what the recorder does not take in time is dropped, oldest first, and counted); a core that is absent, flaps, sends
garbage or thousands of frames a second costs nobody else anything; the link's state stands in health, and readiness
does not hang on it. The address with its token is in no message.
"""

from __future__ import annotations

import logging
import random
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
import numpy as np
import trio
from msgspec import Struct
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    DisconnectionTimeout,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)

from storage.models import SeriesPart

from .core_states import Reading, readings
from .health import HealthBoard
from .mailbox import Mailbox
from .messages import Record, RecorderMessage

LOG: Final = logging.getLogger(__name__)
Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]
NAME: Final = "core_link"
CONNECT_WITHIN_S: Final = 10.0
PING_EVERY_S: Final = 30.0
PONG_WITHIN_S: Final = 10.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 15.0  # a connection that lasted this long lets the next pause begin anew
FLUSH_EVERY_S: Final = 0.1
MAX_WAITING: Final = 20_000  # readings heard and not yet recorded
MAX_FRAME_BYTES: Final = 1 << 20
_PING: Final = '{"type":"ping"}'  # as CoachIQ's own client sends it, beside the protocol's


class LinkStatistics(Struct):
    """Counted since the start."""

    connections: int = 0
    frames: int = 0
    readings: int = 0
    malformed: int = 0  # frames that could not be understood
    dropped: int = 0  # readings that the recorder did not take in time


class CoreLink:
    """One actor; `run` has a child's signature. `url`: http(s) or ws(s), of the core or of its /ws."""

    def __init__(
        self,
        url: str,
        *,
        recorder: Mailbox[RecorderMessage],
        board: HealthBoard,
        wall_ms: Callable[[], int],
        token: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme in ("https", "wss")
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        path = parts.path.rstrip("/")
        self._resource = (path if path.endswith("/ws") else f"{path}/ws") + (
            f"?token={quote(token, safe='')}" if token else ""
        )
        self._recorder = recorder
        self._board = board
        self._wall_ms = wall_ms
        self._jitter = jitter
        self._waiting: deque[Reading] = deque(maxlen=MAX_WAITING)
        self._arrived = trio.Event()
        self._units: dict[str, str] = {}  # as told to the recorder
        self._pause_s = FIRST_PAUSE_S
        self.is_connected = False
        self.statistics = LinkStatistics()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the link up for ever. Started: the core may be absent, and that is expected."""
        self._board.degraded(NAME, "not connected yet")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._record)
            task_status.started()
            while True:
                began_s = trio.current_time()
                trouble = await self._connection()
                self.is_connected = False
                if trio.current_time() - began_s >= STEADY_S:
                    self._pause_s = FIRST_PAUSE_S
                pause_s = self._pause_s * (0.8 + 0.4 * self._jitter())
                self._board.degraded(NAME, f"{self._host}:{self._port}: {trouble}; trying again")
                self._board.note_error(NAME, trouble)
                LOG.info("no link to the core at %s port %d: %s", self._host, self._port, trouble)
                self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
                await trio.sleep(pause_s)

    async def _connection(self) -> str:
        """One connection's life. Returns why it ended."""
        try:
            with trio.fail_after(CONNECT_WITHIN_S):
                stream = await self._open()
        except trio.TooSlowError:
            return f"no connection within {CONNECT_WITHIN_S:g} s"
        except OSError as error:
            return error.strerror or str(error)
        # Closed here: trio-websocket leaves that to the peer.
        try:
            return await self._conversation(stream)
        finally:
            await trio.aclose_forcefully(stream)

    async def _open(self) -> Stream:
        if not self._secure:
            return await trio.open_tcp_stream(self._host, self._port)
        stream = await trio.open_ssl_over_tcp_stream(
            self._host, self._port, https_compatible=True, ssl_context=ssl.create_default_context()
        )
        await stream.do_handshake()
        return stream

    async def _conversation(self, stream: Stream) -> str:
        ends: list[str] = []
        try:
            async with trio.open_nursery() as nursery:
                with trio.move_on_after(CONNECT_WITHIN_S):
                    connection = await wrap_client_stream(
                        nursery,
                        stream,
                        f"{self._host}:{self._port}",
                        self._resource,
                        max_message_size=MAX_FRAME_BYTES,
                        message_queue_size=64,
                    )
                    self._note_connected()
                    nursery.start_soon(self._ping, connection, ends, nursery.cancel_scope)
                    nursery.start_soon(self._hear, connection, ends, nursery.cancel_scope)
                if not self.is_connected:
                    ends.append(f"no handshake within {CONNECT_WITHIN_S:g} s")
                    nursery.cancel_scope.cancel()
        except* ConnectionRejected as group:
            ends.append(_refused(group))
        except* (HandshakeError, DisconnectionTimeout, trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            ends.append("broke off the handshake" if not self.is_connected else "broke off")
        return ends[0] if ends else "closed"

    def _note_connected(self) -> None:
        self.is_connected = True
        self.statistics.connections += 1
        self._board.recovered(NAME)
        LOG.info("linked to the core at %s port %d", self._host, self._port)

    async def _hear(self, connection: WebSocketConnection, ends: list[str], scope: trio.CancelScope) -> None:
        """Read on whatever happens: a core that sends in a loop over its clients must not wait for us."""
        try:
            while True:
                self.take(await connection.get_message())
        except ConnectionClosed as closed:
            reason = closed.reason
            why = "" if reason is None else f" with {reason.code} {_printable(reason.reason)}".rstrip()
            ends.append(f"closed{why}")
        scope.cancel()

    async def _ping(self, connection: WebSocketConnection, ends: list[str], scope: trio.CancelScope) -> None:
        try:
            while True:
                await trio.sleep(PING_EVERY_S)
                with trio.move_on_after(PONG_WITHIN_S) as waiting:
                    await connection.send_message(_PING)
                    await connection.ping()
                if waiting.cancelled_caught:
                    ends.append(f"no answer to a ping within {PONG_WITHIN_S:g} s")
                    break
        except ConnectionClosed:
            return  # `_hear` says why
        scope.cancel()

    def take(self, text: str | bytes) -> None:
        """One frame of the core. What is no update of an entity is passed over, what cannot be read is counted."""
        statistics = self.statistics
        statistics.frames += 1
        try:
            frame = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            statistics.malformed += 1
            return
        if not isinstance(frame, Mapping):
            statistics.malformed += 1
            return
        if frame.get("type") != "entity_update":
            return
        found = _update(frame)
        if found is None:
            statistics.malformed += 1
            return
        for reading in readings(*found, self._wall_ms()):
            statistics.readings += 1
            if len(self._waiting) == MAX_WAITING:
                statistics.dropped += 1
            self._waiting.append(reading)
        self._arrived.set()

    async def _record(self) -> None:
        """A batch each FLUSH_EVERY_S. A recorder without room keeps this waiting, and `take` drops the oldest."""
        while True:
            if not self._waiting:
                self._arrived = trio.Event()
                await self._arrived.wait()
            await trio.sleep(FLUSH_EVERY_S)
            taken, self._waiting = self._waiting, deque(maxlen=MAX_WAITING)
            try:
                await self._recorder.put(Record(self._parts(taken)))
            except trio.ClosedResourceError:
                await trio.sleep_forever()  # the service is stopping

    def _parts(self, taken: deque[Reading]) -> tuple[SeriesPart, ...]:
        parts = []
        for name, group in groupby(sorted(taken, key=lambda reading: reading.name), key=lambda reading: reading.name):
            series = list(group)
            times = np.array([reading.time_ms for reading in series], dtype=np.int64)
            values = np.array([reading.value for reading in series], dtype=np.float64)
            times.flags.writeable = values.flags.writeable = False
            parts.append(SeriesPart(name, times, values, self._metadata(name, series[-1].unit)))
        return tuple(parts)

    def _metadata(self, name: str, unit: str | None) -> str | None:
        """The unit, once and whenever it changes."""
        if unit is None or self._units.get(name) == unit:
            return None
        if len(self._units) >= MAX_WAITING:
            self._units.clear()
        self._units[name] = unit
        return msgspec.json.encode({"unit": unit, "source": "coachiq"}).decode()


def _update(frame: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """(entity, what is said of it) of {"type": "entity_update", "data": {"entity_id", "entity_data"}}; `data` may be
    the entity itself, or its members may stand beside the type."""
    data = frame.get("data")
    members = data if isinstance(data, Mapping) else frame
    entity_id = members.get("entity_id")
    entity = members.get("entity_data", members)
    if not isinstance(entity_id, str) or not entity_id.strip() or not isinstance(entity, Mapping):
        return None
    if entity is frame:
        entity = {name: value for name, value in frame.items() if name != "type"}
    return entity_id.strip(), entity


def _refused(group: BaseExceptionGroup[ConnectionRejected]) -> str:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    status = first.status_code if isinstance(first, ConnectionRejected) else 0
    hint = "; is COACHIQ_ANALYTICS__CORE_TOKEN right?" if status in (401, 403) else ""
    return f"refused with status {status}{hint}"


def _printable(text: str | None) -> str:
    return "".join(each for each in (text or "")[:100] if each.isprintable())
