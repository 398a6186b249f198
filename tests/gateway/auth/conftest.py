"""A whole app that asks for credentials, on a real server."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from conf.settings import Settings
from conf.values import Secret, networks
from gateway.app import create_app, create_shortcut
from gateway.auth.access import build_access
from gateway.auth.tokens import create_token
from tests.fakes.backend import make_backend

FLAGS = {
    "analytics_dashboard": {"enabled": True},
    "analytics_dashboard_enhanced": {"enabled": True},
    "persistence": {"enabled": False},
}
SECRET = "a secret of the core which is long enough"


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class House:
    """The app around a backend that asks for tokens and JWTs, and keys to it."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            auth_mode="token+jwt",
            auth_secret=Secret(SECRET),
            tokens_file=folder / "tokens.json",
            allowed_hosts=("rv.example.com",),
            trusted_proxies=networks("127.0.0.1"),
        )
        access = build_access(self.settings, wall_ms)
        self.backend = make_backend(wall_ms, FLAGS, settings=self.settings, ready=True, access=access)
        self.backend.record_mailbox.close()  # nobody records here: a write that gets in is answered 503
        self.backend.insight_mailbox.close()
        self.backend.persist_mailbox.close()
        self.app = create_app(self.backend)

    def token(self, *scopes: Any, expires_ms: int | None = None) -> str:
        return create_token(
            self.settings.tokens_path, "test", frozenset(scopes), now_ms=wall_ms(), expires_ms=expires_ms
        )[0]

    @staticmethod
    def signed(seconds: float = 900, **claims: Any) -> str:
        whole = {"sub": "u1", "type": "access", "exp": time.time() + seconds, **claims}
        return jwt.encode(whole, SECRET, algorithm="HS256")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
async def served(house: House, serve: Callable[..., Awaitable[Any]]) -> Any:
    return await serve(house.app, shortcut=create_shortcut(house.backend))
