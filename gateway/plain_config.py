"""Hypercorn's settings, and the heads of answers made cheaply: what is the same for a second is made once a second."""

from __future__ import annotations

import time
from wsgiref.handlers import format_date_time

import h11
from hypercorn.config import Config

from .shortcut import Answer, Fields


class PlainConfig(Config):
    """Hypercorn's settings with cheap response headers: a date made once a second, no server name."""

    include_server_header = False
    _second = 0
    _date: list[tuple[bytes, bytes]]
    _heads: dict[tuple[int, Fields, int, bool], bytes]

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        now = int(time.time())
        if self._second != now:
            self._second = now
            self._date = [(b"date", format_date_time(now).encode("ascii"))]
            self._heads = {}
        return self._date

    def head(self, answer: Answer, *, closes: bool) -> bytes:
        """The head of `answer` as h11 writes it, made once a second: it checks each name and value, and they rarely
        differ. `closes`: the connection ends with it."""
        date = self.response_headers("h11")
        key = (answer.status, answer.fields, len(answer.body), closes)
        head = self._heads.get(key)
        if head is None:
            fields = [*answer.fields, (b"content-length", b"%d" % len(answer.body)), *date]
            if closes:
                fields.append((b"connection", b"close"))
            writer = h11.Connection(h11.SERVER)
            writer.receive_data(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            writer.next_event()
            head = self._heads[key] = writer.send(h11.Response(status_code=answer.status, headers=fields)) or b""
        return head
