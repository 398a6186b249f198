"""The first thing a request meets: is it from where it may come from, and who sends it.

ASGI around everything else. Promises: what comes from a wrong place is refused here, with the headers and the form
of any other error; what passes carries its outcome (an identity, or why there is none) in its scope. Whether that
is enough for a route is decided where the route is known: guard.py, and the fast path for its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ..headers import RAW_HEADERS
from ..problems import PROBLEM_JSON, Problem
from .access import Access, credential, note_outcome
from .identity import AuthError
from .places import PlaceError

Scope = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Gate:
    """ASGI around `application`."""

    def __init__(self, application: Application, access: Access) -> None:
        self._application = application
        self._access = access

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(headers) != len(scope["headers"]):
            forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if forwarded:
                headers[b"x-forwarded-for"] = b",".join(forwarded)
        peer = scope.get("client")
        try:
            place = self._access.places.check(headers, peer[0] if peer else "")
        except PlaceError as error:
            await _refuse(scope, send, error)
            return
        try:
            outcome: Any = self._access.verifier.identify(credential(scope, headers))
        except AuthError as error:
            outcome = error
        note_outcome(scope, outcome, place.client)
        await self._application(scope, receive, send)


async def _refuse(scope: Scope, send: Send, error: PlaceError) -> None:
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    body = Problem(error.status, str(error)).encoded(scope["path"])
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", b"%d" % len(body)), *RAW_HEADERS]
    await send({"type": f"{kind}.start", "status": error.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})
