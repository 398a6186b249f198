"""One connection's WebSocket: Hypercorn's stream with its ways of ending put right.

Promises: a message is bounded in bytes while it arrives, not after (1009); data before the handshake's
answer, or broken frames, end the socket; the application hears of every end; and an application that sends
in a loop to nobody does not hold up the process. The application may hand the open socket to a `Talk` (talk.py):
then all of this is between that and the peer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, Final

import trio
from hypercorn.protocol.events import Body, Data, Event, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from hypercorn.typing import ASGISendEvent
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from .talk import GOING_AWAY, Talk

LOG: Final = logging.getLogger(__name__)
INTERNAL_ERROR: Final = 1011


class WebSocketStream(WSStream):
    """See above. `closed` is final: the application, or the talk, has been told. Is the Wire of its talk."""

    def __init__(self, *arguments: Any, write: Callable[[bytes], Awaitable[None]]) -> None:
        super().__init__(*arguments)
        self._write = write
        self._talk: Talk | None = None

    async def open(self, talk: Talk) -> None:
        """An Opener: answer the handshake; from now on the application's task may end."""
        if self.closed or self.state is not ASGIWebsocketState.HANDSHAKE:
            await trio.lowlevel.checkpoint()
            return
        self._talk, self.app_put = talk, None
        await self._accept({"type": "websocket.accept", "subprotocol": None, "headers": []})
        # What only the handshake needed need not be kept for hours, nor the context of the application's task.
        self.scope["headers"] = ()
        self.scope["state"].clear()
        Context().run(self.task_group.spawn, self._converse, talk)
        self.go_away(only_if_stopping=True)

    def go_away(self, *, only_if_stopping: bool = False) -> None:
        """The service is stopping: a talk says good-bye."""
        if self._talk is not None and (not only_if_stopping or self.context.terminated.is_set()):
            self._talk.end(GOING_AWAY, "the service is stopping")

    async def write(self, frame: bytes) -> None:
        if not self.closed and self.connection.state is ConnectionState.OPEN:
            await self._write(frame)

    async def close(self, code: int, reason: str) -> None:
        self.state = ASGIWebsocketState.CLOSED
        await self._send_wsproto_event(CloseConnection(code=code, reason=reason))

    async def _converse(self, talk: Talk) -> None:
        try:
            await talk.run(self)
        except Exception:
            LOG.exception("a conversation failed; its socket is closed")
            await self.close(INTERNAL_ERROR, "")
        await self._leave(None)

    async def handle(self, event: Event) -> None:
        if isinstance(event, (Body, Data)) and not self.closed:
            if not self.handshake.accepted:  # frames before the handshake's answer: nobody may send them
                await self._leave(None)
                return
            try:
                self.connection.receive_data(event.data)
                await self._handle_events()
            except LocalProtocolError:  # data after the closing handshake: there is nobody to hear it
                await self._leave(None)
        else:
            await super().handle(event)
            if self.closed and self._talk is not None:
                self._talk.end(None)

    def peer_has_closed(self, data: bytes) -> bool:
        """After our close: is `data` (or was something before it) the peer's?"""
        if not self.handshake.accepted:
            return False
        connection = self.connection
        try:
            if data:
                connection.receive_data(data)
            return connection.state is ConnectionState.CLOSED or any(
                isinstance(event, CloseConnection) for event in connection.events()
            )
        except LocalProtocolError:  # it has been closed for long
            return True

    async def app_send(self, message: ASGISendEvent | None) -> None:
        if self._talk is not None:  # not the application's any more
            await trio.lowlevel.checkpoint()
            return
        closed = self.closed or self.state is ASGIWebsocketState.CLOSED  # by the peer, or by the application
        if closed and message is not None:
            # A checkpoint, so that an application which sends in a loop does not hold up the whole process.
            await trio.lowlevel.checkpoint()
        else:
            await super().app_send(message)

    async def _handle_events(self) -> None:
        for event in self.connection.events():
            if self.closed:
                return
            if isinstance(event, Message):
                size = len(event.data.encode()) if isinstance(event, TextMessage) else len(event.data)
                if self.buffer.length + size > self.buffer.max_length:
                    await self._leave(CloseConnection(code=1009, reason="message too big"))
                    return
                self._collect(event, size)
                if event.message_finished:
                    message: Any = self.buffer.to_message()
                    self.buffer.clear()
                    if self._talk is not None:
                        await self._talk.hear(message["bytes"] if message["text"] is None else message["text"])
                    elif self.app_put is not None:
                        await self.app_put(message)
            elif isinstance(event, Ping):
                await self._send_wsproto_event(event.response())
            elif isinstance(event, CloseConnection):
                # The peer's close is answered with its own code; broken frames (state OPEN) with ours.
                answers = self.connection.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.OPEN)
                await self._leave(event.response() if answers else None)
                return

    def _collect(self, event: Message[Any], size: int) -> None:
        self.buffer.extend(event)
        self.buffer.length += size - len(event.data)  # it counts characters, the limit is in bytes

    async def _leave(self, close: CloseConnection | None) -> None:
        """Say why when there is something to say, tell the application, end the connection."""
        if close is not None:
            await self._send_wsproto_event(close)
        await self.send(StreamClosed(stream_id=self.stream_id))
