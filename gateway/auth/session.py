"""The credential of a WebSocket: where it comes from, and how long it holds.

A browser cannot give a handshake headers, so the token comes as `?token=` or in a first frame `auth`, and the
socket is accepted before anything is known: only then can it be told why it is closed. Promises: nothing is said
on a socket before its token is known to be good and may read; a token that expires or is revoked ends the socket;
a client may send a fresh one before that and stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
import trio

from .access import OUTCOME, credential, identity_of
from .identity import AuthError
from .verifier import Verifier

FIRST_FRAME_S: Final = 5.0


class Session:
    """One socket's. `login` first; `until_ended` returns when it has to be closed."""

    def __init__(self, verifier: Verifier, scope: Mapping[str, Any]) -> None:
        self._verifier = verifier
        self._scope: Mapping[str, Any] = {OUTCOME: scope.get(OUTCOME)}  # the rest of it need not be kept for hours
        self._token = credential(scope, dict(scope["headers"]))
        self._watching = trio.CancelScope()

    async def login(self, receive: Callable[[], Awaitable[str | bytes]]) -> None:
        """Raises AuthError: what to close the socket with. `receive` gives the client's frames."""
        await trio.lowlevel.checkpoint()
        try:
            self._check(identity_of(self._scope).may("read"))
            return
        except AuthError as error:
            if not error.missing:
                raise
        with trio.move_on_after(FIRST_FRAME_S):
            self.renew(_members(await receive()))
            return
        raise AuthError(f"No token came within {FIRST_FRAME_S:g} s")

    def renew(self, members: Mapping[str, Any]) -> None:
        """Take the token of an `auth` frame. Raises AuthError: the old one, if any, still holds."""
        token = members.get("token")
        if not isinstance(token, str) or not token:
            raise AuthError("Expected a frame of type auth with a token")
        self._check(self._verifier.identify(token).may("read"))
        self._token = token
        self._watching.cancel()

    @property
    def may_end(self) -> bool:
        """Whether `until_ended` can ever return."""
        return not self._verifier.is_open

    async def until_ended(self) -> AuthError:
        """Why the socket has to be closed."""
        while True:
            with trio.CancelScope() as self._watching:
                return await self._verifier.until_ended(self._token)

    @staticmethod
    def _check(may_read: bool) -> None:
        if not may_read:
            raise AuthError("This needs the scope read")


def _members(text: str | bytes) -> Mapping[str, Any]:
    """Of an `auth` frame, whose token may stand in `data` or beside the type."""
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        frame = None
    if not isinstance(frame, dict) or frame.get("type") != "auth":
        raise AuthError("The first frame has to be auth, with a token")
    data = frame.get("data")
    return data if isinstance(data, dict) else frame
