"""One connection's WebSocket: Hypercorn's stream with its ways of ending put right.

Promises: a message is bounded in bytes while it arrives, not after (1009); data before the handshake's
answer, or broken frames, end the socket; the application hears of every end; and an application that sends
in a loop to nobody does not hold up the process.
"""

from __future__ import annotations

from typing import Any

import trio
from hypercorn.protocol.events import Body, Data, Event, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from hypercorn.typing import ASGISendEvent
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.utilities import LocalProtocolError


class WebSocketStream(WSStream):
    """See above. `closed` is final: the application has been told."""

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
                    if self.app_put is not None:
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
