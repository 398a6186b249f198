"""How the simulated coach gets into a service that asks for credentials: as any agent would."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import jwt

from conf.settings import Settings

from ..auth.tokens import create_token, revoke_tokens

LIFE_S: Final = 10 * 365 * 86_400  # a demo does not sign in again


@contextmanager
def coach_token(settings: Settings) -> Iterator[str | None]:
    """A token that may ingest, for as long as the block runs; None where nobody is asked for one."""
    now_ms = time.time_ns() // 1_000_000
    if "token" in settings.auth_mode:
        text, token = create_token(settings.tokens_path, "simulated coach", frozenset({"ingest"}), now_ms=now_ms)
        try:
            yield text
        finally:
            revoke_tokens(settings.tokens_path, token.token_id)
    elif settings.auth_secret is not None and "jwt" in settings.auth_mode:
        claims = {"sub": "simulated coach", "role": "user", "type": "access", "exp": now_ms // 1000 + LIFE_S}
        yield jwt.encode(claims, settings.auth_secret.reveal(), algorithm="HS256")
    else:
        yield None
