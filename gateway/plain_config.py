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
    _heads: dict[tuple[int, Fields, int], h11.Response]

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        now = int(time.time())
        if self._second != now:
            self._second = now
            self._date = [(b"date", format_date_time(now).encode("ascii"))]
            self._heads = {}
        return self._date

    def head(self, answer: Answer) -> h11.Response:
        """The head of `answer`, made once a second: h11 checks each name and value, and they rarely differ."""
        date = self.response_headers("h11")
        key = (answer.status, answer.fields, len(answer.body))
        head = self._heads.get(key)
        if head is None:
            fields = [*answer.fields, (b"content-length", b"%d" % len(answer.body)), *date]
            head = self._heads[key] = h11.Response(status_code=answer.status, headers=fields)
        return head
