"""A request that the shortcut answers, from its head to its last byte: read past h11, which has read the head.

h11 copies a body three times and hands it on as events; a batch of samples is nearly all body, and nearly all of what
this service receives. So the bytes are counted off here, where one Content-Length that h11 has checked, or none, says
how many there are; everything else is h11's. Who posts again and again sends the same head again and again: one that
was answered before is known by its bytes, and read by nobody twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import h11
from hypercorn.protocol.events import Request
from hypercorn.protocol.h11 import H11WSConnection

from .shortcut import Head, Piece, Shortcut

_LONG_WAY: Final = frozenset({b"transfer-encoding", b"expect"})  # of these h11 knows more
HEADS_KEPT: Final = 8
HEAD_BYTES: Final = 1024  # longer ones are not kept


class Whole:
    """`left`: bytes of the body that have not come yet. `closes`: the connection ends with the answer. `raw`: the
    head's bytes, where they came together. `is_new_to_h11`: it was known by them, and h11 has not read it. `in_h11`:
    bytes behind the head that h11 holds already."""

    __slots__ = (
        "_framing",
        "_pieces",
        "closes",
        "head",
        "in_h11",
        "is_new_to_h11",
        "left",
        "raw",
        "request",
        "shortcut",
    )

    def __init__(self, head: Head, request: Request, framing: tuple[int, bool], shortcut: Shortcut, raw: bytes) -> None:
        self.head = head
        self.request = request  # for the application, should the shortcut decline
        self.left, self.closes = self._framing = framing
        self.shortcut = shortcut
        self.raw = raw
        self.is_new_to_h11 = False
        self.in_h11 = 0
        self._pieces: list[Piece] = []

    def again(self) -> Whole:
        """The same request once more, on the same connection."""
        again = Whole(self.head, self.request, self._framing, self.shortcut, self.raw)
        again.is_new_to_h11 = True
        return again

    def take(self, data: Piece) -> Piece:
        """Take what came; returns what lies behind the body."""
        if len(data) > self.left:
            body, rest = data[: self.left], data[self.left :]
        else:
            body, rest = data, b""
        if body:
            self.left -= len(body)
            self._pieces.append(body)
        return rest

    @property
    def body(self) -> Piece:
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def hand_over(self, connection: h11.Connection | H11WSConnection, behind: Piece = b"") -> None:
        """h11 gets what it has not got yet: a head that was known without it, the body so far, what lies behind it."""
        if self.is_new_to_h11:
            connection.receive_data(self.raw)
            connection.next_event()
            self.is_new_to_h11 = False
        if rest := b"".join((self.body, behind))[self.in_h11 :]:
            connection.receive_data(rest)
            self.in_h11 += len(rest)

    def read_by(self, connection: h11.Connection | H11WSConnection, behind: Piece) -> bytes:
        """The body, after h11 has read all of it as well, and holds what lies behind it: for an answer that h11 is to
        write."""
        body = bytes(self.body)
        self.hand_over(connection, behind)
        while not isinstance(connection.next_event(), h11.EndOfMessage):
            pass
        return body


def framing_of(version: bytes, fields: Mapping[bytes, bytes]) -> tuple[int, bool] | None:
    """(length of the body, whether the connection ends with the answer); None: h11 is to read this one."""
    connection = fields.get(b"connection", b"keep-alive").lower()
    if version != b"1.1" or not _LONG_WAY.isdisjoint(fields) or connection not in (b"keep-alive", b"close"):
        return None
    return int(fields.get(b"content-length", b"0")), connection == b"close"


class KnownHeads:
    """Heads of one connection's requests that the shortcut has answered, by their bytes; a few."""

    def __init__(self) -> None:
        self._by_raw: dict[bytes, Whole] = {}

    def keep(self, whole: Whole) -> None:
        if whole.raw and not whole.is_new_to_h11 and not whole.closes and len(whole.raw) <= HEAD_BYTES:
            if len(self._by_raw) >= HEADS_KEPT:
                self._by_raw.clear()
            self._by_raw[whole.raw] = whole.again()

    def find(self, data: bytes) -> Whole | None:
        """The request that `data` begins with, if its head is known and the shortcut takes it still."""
        end = data.find(b"\r\n\r\n", 0, HEAD_BYTES) if self._by_raw else -1
        known = self._by_raw.get(data[: end + 4]) if end > 0 else None
        return known.again() if known is not None and known.shortcut.takes(known.head) else None
