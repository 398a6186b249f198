"""Requests that are answered in one step, by whoever reads the connection: past ASGI, past the application.

Owns what the protocol and such a handler say to each other. A handler sees a request's head first and may take
it; it then gets the whole body and either answers or declines, and a declined request goes to the application as if
nothing had happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

Fields = tuple[tuple[bytes, bytes], ...]
Address = tuple[str, int] | None
Piece = bytes | memoryview


class Head(Struct, frozen=True):
    """A request's first part. `fields`: lower-case names; of a repeated one the last value."""

    method: bytes
    target: bytes  # path and query
    fields: Mapping[bytes, bytes]
    client: Address


class Answer(Struct, frozen=True):
    """`fields`: everything but Content-Length and Date."""

    status: int
    fields: Fields
    body: bytes


class Shortcut(Protocol):
    """Who answers some requests in one step. One for all connections; holds no state of any."""

    def takes(self, head: Head) -> bool:
        """Is this one to be read whole and offered to `answer`? Must not fail."""

    async def answer(self, head: Head, body: Piece) -> Answer | None:
        """The answer; None: not for us after all. Must not fail; `body` is within the connection's limit."""
