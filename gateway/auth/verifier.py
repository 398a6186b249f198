"""Credentials to identities, by the mode the settings name.

Owns what is known of our own tokens, read again whenever their file changes, and the memory of JWTs that were
checked before. Promises: `identify` does no more than a look-up for a credential it has seen; whoever holds an
identity can wait for the moment it ends: expiry or revocation, whichever comes first.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from conf.settings import AuthMode
from conf.values import Secret

from . import core_jwt
from .identity import EVERYTHING, AuthError, Identity
from .tokens import PREFIX, Token, TokensError, digest_of, read_tokens

LOG: Final = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 1.0
KNOWN_JWTS: Final = 256

OPEN: Final = Identity("", EVERYTHING)  # mode `none`: whoever gets here


class Verifier:
    """`run` has a child's signature: it watches the file of tokens."""

    def __init__(
        self,
        mode: AuthMode,
        *,
        wall_ms: Callable[[], int],
        secret: Secret | None = None,
        tokens_path: Path | None = None,
    ) -> None:
        self.mode: Final = mode
        self._wall_ms = wall_ms
        self._secret = secret.reveal() if secret is not None and "jwt" in mode else None
        self._path = tokens_path if "token" in mode else None
        self._tokens: dict[str, Token] = {}
        self._stamp: tuple[int, ...] | None = None
        self._jwts: dict[str, Identity] = {}
        self._changed = trio.Event()
        self.refused = 0  # credentials that were none
        self._reload(self._look())

    @property
    def is_open(self) -> bool:
        return self.mode == "none"

    def identify(self, text: str | None) -> Identity:
        """Who presents `text`. Raises AuthError. In mode `none` everybody may do everything."""
        if self.is_open:
            return OPEN
        if not text:
            raise AuthError("This needs a token: Authorization: Bearer ...", missing=True)
        try:
            if self._path is not None and text.startswith(PREFIX):
                return self._by_token(text)
            if self._secret is not None:
                return self._by_jwt(text, self._secret)
        except AuthError:
            self.refused += 1
            raise
        self.refused += 1
        raise AuthError("The token is not valid")

    async def until_ended(self, text: str | None) -> AuthError:
        """Wait until `text` is no identity any more; returns why. For ever in mode `none`."""
        while True:
            changed = self._changed
            try:
                expires_ms = self.identify(text).expires_ms
            except AuthError as error:
                await trio.lowlevel.checkpoint()
                return error
            # Steps of a minute at most: the wall clock may be set meanwhile.
            wait_s = 60.0 if expires_ms is None else max(0.01, min(60.0, (expires_ms - self._wall_ms()) / 1000))
            with trio.move_on_after(wait_s):
                await changed.wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look at the file of tokens once a second, off the event loop: a card may be slow."""
        task_status.started()
        if self._path is None:
            await trio.sleep_forever()
        while True:
            await trio.sleep(LOOK_EVERY_S)
            stamp = await trio.to_thread.run_sync(self._look)
            if stamp != self._stamp:
                self._reload(stamp)

    def _by_token(self, text: str) -> Identity:
        token = self._tokens.get(digest_of(text))
        if token is None and (stamp := self._look()) != self._stamp:  # made a moment ago
            self._reload(stamp)
            token = self._tokens.get(digest_of(text))
        if token is None:
            raise AuthError("The token is not valid")
        if token.expires_ms is not None and token.expires_ms <= self._wall_ms():
            raise AuthError("The token has expired", expired=True)
        return Identity(f"token:{token.token_id}", frozenset(token.scopes), token.expires_ms)

    def _by_jwt(self, text: str, secret: str) -> Identity:
        known = self._jwts.get(text)
        now_ms = self._wall_ms()
        if known is not None and known.expires_ms is not None and now_ms < known.expires_ms:
            return known
        identity = core_jwt.identify(text, secret, now_ms)
        if len(self._jwts) >= KNOWN_JWTS:
            self._jwts.clear()
        self._jwts[text] = identity
        return identity

    def _look(self) -> tuple[int, ...] | None:
        """What tells one state of the file from the next; None: there is none."""
        if self._path is None:
            return None
        try:
            found = os.stat(self._path)  # noqa: PTH116 - said to be as cheap as it is
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _reload(self, stamp: tuple[int, ...] | None) -> None:
        self._stamp = stamp
        if self._path is None:
            return
        try:
            self._tokens = read_tokens(self._path)
        except TokensError as error:
            LOG.error("no token is accepted: %s", error)
            self._tokens = {}
        changed, self._changed = self._changed, trio.Event()
        changed.set()
