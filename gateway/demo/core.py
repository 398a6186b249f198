"""A stand-in for CoachIQ's core, as far as the link to it goes: the WebSocket /ws with frames of entities.

For the demo and for tests, which also make it misbehave: refuse, fall silent, send garbage, drop its clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket


class FakeCore:
    """`run` has a child's signature. `token`: what clients must bring as ?token=; None: anything."""

    def __init__(self, *, port: int = 0, token: str | None = None) -> None:
        self.port = port
        self.pings = 0
        self.refused = 0
        self._token = token
        self._clients: set[WebSocketConnection] = set()
        self._changed = trio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def clients(self) -> int:
        return len(self._clients)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as nursery:
            server = await nursery.start(serve_websocket, self._accept, "127.0.0.1", self.port, None)
            self.port = server.port
            task_status.started()

    async def until_clients(self, count: int) -> None:
        """Wait until there are exactly so many."""
        while len(self._clients) != count:
            await self._changed.wait()

    async def tell(self, entity_id: str, entity: Mapping[str, Any]) -> None:
        """An update of an entity, to every client."""
        frame = {"type": "entity_update", "data": {"entity_id": entity_id, "entity_data": dict(entity)}}
        await self.send(msgspec.json.encode(frame).decode())

    async def send(self, text: str | bytes) -> None:
        """Any frame, to every client."""
        for client in tuple(self._clients):
            try:
                await client.send_message(text)
            except ConnectionClosed:
                self._clients.discard(client)

    async def drop_clients(self, code: int = 1001, reason: str = "") -> None:
        for client in tuple(self._clients):
            await client.aclose(code, reason)

    async def _accept(self, request: WebSocketRequest) -> None:
        parts = urlsplit(request.path)
        given = parse_qs(parts.query).get("token", [None])[0]
        if parts.path != "/ws" or (self._token is not None and given != self._token):
            self.refused += 1
            await request.reject(403 if parts.path == "/ws" else 404)
            return
        client = await request.accept()
        self._clients.add(client)
        self._note()
        try:
            while True:
                if '"ping"' in str(await client.get_message()):
                    self.pings += 1
                    await client.send_message('{"type":"pong"}')
        except ConnectionClosed:
            pass  # it left
        finally:
            self._clients.discard(client)
            self._note()

    def _note(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()
