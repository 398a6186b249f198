"""An open WebSocket past ASGI: what a conversation and its connection say to each other.

The application decides whether a socket is opened; then it hands a `Talk` to the connection and is done. From there
on a frame costs a call and a system call, and a client that waits costs two tasks: through ASGI and Quart it was
four copies, three queues and ten tasks. Decision 0065 has the figures.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

OPENER: Final = "coachiq.opener"  # scope["state"][OPENER]: an Opener, on a WebSocket behind our own server

GOING_AWAY: Final = 1001
_TEXT: Final = 0x81  # a text frame that is a whole message


class Wire(Protocol):
    """The connection's side."""

    async def write(self, frame: bytes) -> None:
        """Send a whole frame; dropped once the socket is closed. No checkpoint while the kernel takes all of it."""

    async def close(self, code: int, reason: str) -> None:
        """Say good-bye; nothing is sent after it."""


class Talk(Protocol):
    """The conversation's side. `hear` and `end` are called by the task that reads the connection."""

    async def run(self, wire: Wire) -> None:
        """Its end is the socket's."""

    async def hear(self, message: str | bytes) -> None:
        """A whole message of the peer's. Reading goes on when this returns."""

    def end(self, code: int | None, reason: str = "") -> None:
        """`run` is to end soon: with a good-bye, or without one (None: the peer has gone)."""


Opener = Callable[[Talk], Awaitable[None]]  # answers the handshake


def text_frame(payload: bytes) -> bytes:
    """`payload` (UTF-8) as one frame of a server's: not masked, so the same for all clients (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", _TEXT, 126, size) + payload
    return struct.pack("!BBQ", _TEXT, 127, size) + payload
