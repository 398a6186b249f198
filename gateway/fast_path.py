"""The short way of a batch of samples: from the ASGI server to the recorder and back, past Quart.

A batch in order, posted plainly, is most of what this service receives; Quart's contexts, signals and nursery cost
more than reading its samples. Promises: answers are those of the long way. Whatever is out of the
ordinary (a query, `Prefer`, another type, a body to be checked, the gate closed) goes the long way, with the body
replayed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

import trio

from .auth.access import Access, identity_of
from .auth.identity import AuthError
from .backend import Backend
from .ingest import decode_batch
from .problems import DETAILS, PROBLEM_JSON, Problem
from .rest.metrics import BATCH_PATH, write_batch

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

LOG: Final = logging.getLogger(__name__)
_JSON: Final = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")
_LONG_WAY: Final = frozenset({b"prefer", b"content-encoding", b"expect"})


class FastPath:
    """ASGI around `application`. `extra_headers`: on every answer, as the application has them."""

    def __init__(
        self,
        application: Application,
        backend: Backend,
        *,
        gate: Callable[[], bool],
        max_body_bytes: int,
        body_within_s: float,
        extra_headers: Sequence[tuple[str, str]],
        access: Access,
    ) -> None:
        self._application = application
        self._backend = backend
        self._gate = gate
        self._max_body_bytes = max_body_bytes
        self._body_within_s = body_within_s
        self._access = access
        self._extra = [(name.lower().encode(), value.encode()) for name, value in extra_headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != BATCH_PATH or not self._is_plain(scope):
            await self._application(scope, receive, send)
            return
        received: list[Message] = []
        body = b""
        with trio.move_on_after(self._body_within_s) as waiting:
            body = await self._read(receive, received)
        if waiting.cancelled_caught:
            await self._refuse(send, Problem(408, DETAILS[408]))
            return
        intake = decode_batch(body, self._backend.wall_ms()) if body else None
        if intake is None or not intake.parts:
            await self._application(scope, _replay(received, receive), send)
            return
        self._access.pay(scope, "samples", sum(map(len, intake.parts)))
        try:
            answer = await write_batch(self._backend, intake)
        except Problem as problem:
            await self._refuse(send, problem)
        except Exception:
            LOG.exception("cannot record a batch")
            await self._refuse(send, Problem(500, DETAILS[500]))
        else:
            await self._answer(send, 200, b"application/json", answer)

    async def _refuse(self, send: Send, problem: Problem) -> None:
        more = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        await self._answer(send, problem.status, PROBLEM_JSON.encode(), problem.encoded(BATCH_PATH), more)

    async def _answer(
        self, send: Send, status: int, content_type: bytes, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *more, *self._extra]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _is_plain(self, scope: Scope) -> bool:
        if scope["method"] != "POST" or scope["query_string"] or not self._gate() or not self._may_write(scope):
            return False
        for name, value in scope["headers"]:
            if name in _LONG_WAY or (name == b"content-type" and value.lower() not in _JSON):
                return False
            if name == b"content-length" and int(value) > self._max_body_bytes:
                return False
        return True

    def _may_write(self, scope: Scope) -> bool:
        """Not: the long way refuses it, and says why."""
        try:
            may = identity_of(scope).may("ingest")
            self._access.check_amount(scope, "samples")
        except (AuthError, Problem):
            return False
        return may

    async def _read(self, receive: Receive, received: list[Message]) -> bytes:
        """The whole body, and in `received` what it came in; nothing when it is too long or was broken off."""
        size = 0
        while True:
            message = await receive()
            received.append(message)
            size += len(message.get("body", b""))
            if message["type"] != "http.request" or size > self._max_body_bytes:
                return b""
            if not message.get("more_body", False):
                return b"".join(each.get("body", b"") for each in received)


def _replay(received: list[Message], receive: Receive) -> Receive:
    waiting = iter(received)

    async def again() -> Message:
        message = next(waiting, None)
        if message is None:
            return await receive()
        await trio.lowlevel.checkpoint()
        return message

    return again
