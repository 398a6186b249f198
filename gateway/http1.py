"""One connection's HTTP/1.1: Hypercorn's protocol with its ways of ending put right.

Owns what is refused before the application sees it, and promises that every conversation comes to an end
that the connection hears of: HTTP/2 is refused or its upgrade ignored; a request with two lengths, too large a head
or body, a bad target or a bad WebSocket handshake gets one answer and the end; a disconnect ends the request
under way and the pipeline that waits behind it (who half-closes has left, too: the two look alike). A
response's head travels with the first piece of its body: one packet for a small answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, cast

import h11
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Body, Data, EndBody, Request
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState, H11SendableEvent

from .headers import RAW_HEADERS
from .pipeline import read_ahead
from .plain_config import PlainConfig
from .problems import Problem
from .refusals import examined, has_oversized_head, too_large
from .shortcut import Address, Head, Piece, Shortcut
from .talk import OPENER
from .websocket import WebSocketStream
from .whole import KnownHeads, Whole, framing_of

JOIN_BYTES: Final = 64 * 1024  # a body piece up to this size is sent together with the head
_DROPPED: Final = frozenset({b"sec-websocket-extensions"})


class Http1Protocol(H11Protocol):
    """One connection's conversation. `closed` is final: nothing is read or answered after it."""

    def __init__(
        self,
        app: AppWrapper,
        config: PlainConfig,
        context: WorkerContext,
        task_group: TaskGroup,
        state: ConnectionState,
        client: Address,
        server: Address,
        send: Callable[[Event], Awaitable[None]],
        write: Callable[[bytes], Awaitable[None]],
        receive: Callable[[int], Awaitable[bytes]],
        max_body_bytes: int,
        shortcut: Shortcut | None = None,
    ) -> None:
        super().__init__(app, config, context, task_group, state, False, client, server, send)
        self._plain = config
        self._write = write
        self._receive = receive
        self._shortcut = shortcut
        self._whole: Whole | None = None  # what the shortcut has taken
        self._behind: Piece = b""  # what came with a head, until it is known who reads it
        self._raw_head = b""  # of the request h11 is to read next, where it came in one piece
        self._known = KnownHeads()
        self._is_answered = False  # the last request there will be
        self.closed = False
        self._max_body_bytes = max_body_bytes
        self._body_bytes = 0
        self._path = "/"  # of the request under way
        self._socket: WebSocketStream | None = None  # kept after the stream's end
        self._held = b""  # a response's head that waits for its body

    @property
    def waits_for_request(self) -> bool:
        """Nothing of a request has arrived."""
        return self.stream is None and self._whole is None and not self.connection.trailing_data[0]

    @property
    def reads_body(self) -> bool:
        if self._whole is not None:
            return self._whole.left > 0
        return not self.reads_head and self.connection.their_state is h11.SEND_BODY

    @property
    def reads_head(self) -> bool:
        """Nobody has the request yet: nothing of it is here, or not all of its head."""
        return self.stream is None and self._whole is None

    @property
    def owes_timeout(self) -> bool:
        """Who sends too slowly is told so by us: the application has not heard of the request."""
        return self.stream is None and not self.waits_for_request

    def is_over(self, data: bytes) -> bool:
        """After our end: has the peer, with `data`, sent the last it may send?"""
        if self._socket is not None:
            return self._socket.peer_has_closed(data)
        if self._is_answered:
            return True
        whole = self.connection.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
        return whole and not self.connection.trailing_data[0]

    def go_away(self) -> None:
        """The service is stopping."""
        if self._socket is not None:
            self._socket.go_away()

    async def handle(self, event: Event) -> None:
        if isinstance(event, RawData) and not self.closed:
            # h11 bounds a head that is not whole yet; one that comes in a single read it would take at any length.
            limit = self.config.h11_max_incomplete_size
            if self.waits_for_request and has_oversized_head(event.data, limit):
                await self.refuse(431, f"The request's head is larger than {limit} bytes, or has too many fields")
                return
            if self._whole is not None and event.data:
                await self._take(self._whole, event.data)
            elif self.waits_for_request and (known := self._known.find(event.data)) is not None:
                await self._begin_again(known, event.data)
            else:
                self._feed(event.data)
            if not (event.data and (self._whole is not None or self.waits_for_request)):
                await self._handle_events()
        elif isinstance(event, Closed):
            self.closed = True
            await self.can_read.set()  # a reader that waits behind a pipelined request sees `closed`
            await self._close_stream()

    async def refuse(self, status: int, detail: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Answer with a problem document if an answer is still due, then end the connection."""
        if self.connection.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = Problem(status, detail).encoded(self._path)
            fields = [
                (b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body)),
                (b"connection", b"close"), *headers, *RAW_HEADERS, *self.config.response_headers("h11"),
            ]  # fmt: skip
            await self._send_h11_event(h11.Response(status_code=status, headers=fields))
            await self._send_h11_event(h11.Data(data=body))
            await self._send_h11_event(h11.EndOfMessage())
        await self.send(Closed())

    def _feed(self, data: bytes) -> None:
        """Give it to h11; what comes behind a head waits until it is known who reads it."""
        if self._whole is not None:
            self._whole.hand_over(self.connection)
        end = data.find(b"\r\n\r\n") + 4 if self._shortcut is not None and self.waits_for_request else 3
        self._raw_head = b""
        if end > 3:
            self._behind = memoryview(data)[end:]
            self._raw_head = data = data[:end]
        self.connection.receive_data(data)

    async def _begin_again(self, known: Whole, data: bytes) -> None:
        """A request with a head that is known."""
        await self.send(Updated(idle=False))
        self.keep_alive_requests += 1
        self._path = known.head.target.partition(b"?")[0].decode("latin-1")
        self._whole = known
        await self._take(known, memoryview(data)[len(known.raw) :])

    async def _handle_events(self) -> None:
        while not self.closed:
            if self.connection.they_are_waiting_for_100_continue:
                headers = self.config.response_headers("h11")
                await self._send_h11_event(h11.InformationalResponse(status_code=100, headers=headers))
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                status = 431 if error.error_status_hint == 431 else 400  # 5xx is said of faults of ours alone
                await self.refuse(status, f"This is not HTTP/1.1: {error}")
                return
            if isinstance(event, h11.Request):
                await self._begin(event)
                behind, self._behind = self._behind, b""
                if self._whole is not None:
                    first = self.connection.trailing_data[0]  # something where a head came in pieces, or in a pipeline
                    self._whole.in_h11 = len(first)
                    if first:  # the head may have ended before the bytes that were cut off as one
                        self._whole.raw = b""
                    await self._take(self._whole, b"".join((first, behind)) if first else behind)
                    if self._whole is not None or self.waits_for_request:
                        return
                elif behind:
                    self.connection.receive_data(bytes(behind))
            elif event is h11.PAUSED:  # the next request of a pipeline waits for the answer to this one
                await self.can_read.clear()
                if not await read_ahead(cast(h11.Connection, self.connection), self._receive, self.can_read.wait):
                    return  # it has left
            elif event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed) or self.reads_head:
                return
            elif self._whole is not None:
                continue  # the peer has left in the middle: h11 says so next
            elif isinstance(event, h11.Data):
                # Counted here too: Quart 0.23 looks at a chunked body only when all of it is in memory.
                self._body_bytes += len(event.data)
                if self._body_bytes > self._max_body_bytes:
                    await self.refuse(*too_large(self._max_body_bytes))
                    return
                await self._tell(Body(stream_id=STREAM_ID, data=event.data))
            elif isinstance(event, h11.EndOfMessage):
                await self._tell(EndBody(stream_id=STREAM_ID))
            elif isinstance(event, Data):
                await self._tell(event)

    async def _tell(self, event: StreamEvent) -> None:
        if self.stream is not None:
            await self.stream.handle(event)

    async def _begin(self, request: h11.Request) -> None:
        await self.send(Updated(idle=False))
        self._body_bytes = 0
        raw_head, self._raw_head = self._raw_head, b""
        names, target, upgrades, refusal = examined(request, self.config.h11_max_incomplete_size, self._max_body_bytes)
        self._path = target.partition(b"?")[0].decode("latin-1")
        if refusal is not None:
            await self.refuse(*refusal)
            return
        headers = list(request.headers)
        if upgrades:
            # No compression: a deflate per frame and client, and 64 kB received could become 64 MB.
            headers = [each for each in headers if each[0] not in _DROPPED]
        self.keep_alive_requests += 1
        begun = Request(
            stream_id=STREAM_ID,
            headers=headers,
            http_version=request.http_version.decode(),
            method=request.method.decode("ascii").upper(),
            raw_path=target,
            state=self.connection_state,
        )
        is_plain = len(names) == len(headers)  # a field that is repeated is for h11 to judge
        framing = framing_of(request.http_version, names) if is_plain else None
        if self._shortcut is not None and framing is not None and not upgrades:
            head = Head(request.method, target, names, self.client)
            if self._shortcut.takes(head):
                self._whole = Whole(head, begun, framing, self._shortcut, raw_head)
                return
        await self._open_stream(begun, upgrades=upgrades)

    async def _open_stream(self, request: Request, *, upgrades: bool = False) -> None:
        """Give the request to the application."""
        arguments = (
            self.app, self.config, self.context, self.task_group, self.ssl, self.client, self.server,
            self.stream_send, STREAM_ID,
        )  # fmt: skip
        if upgrades:
            self.stream = self._socket = WebSocketStream(*arguments, write=self._write)
            request.state[OPENER] = self._socket.open
            self.connection = H11WSConnection(cast(h11.Connection, self.connection))
        else:
            self.stream = HTTPStream(*arguments)
        await self.stream.handle(request)
        request.state.pop(OPENER, None)

    async def _take(self, whole: Whole, data: Piece) -> None:
        """More of what the shortcut has taken. When it is whole: the shortcut's answer, or the application's turn."""
        behind = whole.take(data)
        if whole.left:
            return
        answer = await whole.shortcut.answer(whole.head, whole.body)
        if self.closed:
            return
        self._whole = None
        if answer is None:
            await self._hand_on(whole, behind)
        else:
            await self._write(self._plain.head(answer, closes=whole.closes) + answer.body)
            if whole.closes or self.context.terminated.is_set():
                self._is_answered = not behind
                await self.send(Closed())
                return
            self._known.keep(whole)
            if not whole.is_new_to_h11:
                self.connection = h11.Connection(h11.SERVER, self.config.h11_max_incomplete_size)
            await self.send(Updated(idle=True))
            if behind:
                self.connection.receive_data(bytes(behind))

    async def _hand_on(self, whole: Whole, behind: Piece) -> None:
        """The application gets what the shortcut has declined, and h11 learns what was read past it."""
        body = whole.read_by(self.connection, behind)
        await self._open_stream(whole.request)
        await self._tell(Body(stream_id=STREAM_ID, data=body))
        await self._tell(EndBody(stream_id=STREAM_ID))

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state is not h11.ERROR and not self.closed:
                raise
            return  # the peer is past hearing it
        if isinstance(event, h11.Response):
            self._held = data
            return
        if self._held:
            head, self._held = self._held, b""
            if len(data) <= JOIN_BYTES:
                data = head + data
            else:
                await self.send(RawData(data=head))
        if data:
            await self.send(RawData(data=data))
