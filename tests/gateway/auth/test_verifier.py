"""Credentials to identities, and the end of an identity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
import trio

from conf.values import Secret
from gateway.auth.identity import EVERYTHING, AuthError
from gateway.auth.tokens import create_token, revoke_tokens
from gateway.auth.verifier import Verifier

SECRET = "a secret of the core which is long enough"
NOW_MS = 1_760_000_000_000


class Clock:
    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def make(clock: Clock, path: Path) -> Callable[[str], Verifier]:
    return lambda mode: Verifier(mode, wall_ms=clock, secret=Secret(SECRET), tokens_path=path)  # type: ignore[arg-type]


def access_token(seconds: int = 900) -> str:
    return jwt.encode({"sub": "u", "type": "access", "exp": NOW_MS // 1000 + seconds}, SECRET, algorithm="HS256")


def test_mode_none_asks_nobody(make: Callable[[str], Verifier]) -> None:
    verifier = make("none")
    assert verifier.identify(None).scopes == verifier.identify("nonsense").scopes == EVERYTHING


@pytest.mark.parametrize(("mode", "tokens", "jwts"), [("token", 1, 0), ("jwt", 0, 1), ("token+jwt", 1, 1)])
def test_a_mode_takes_what_it_names(
    make: Callable[[str], Verifier], path: Path, mode: str, tokens: int, jwts: int
) -> None:
    text, _ = create_token(path, "a", frozenset({"read"}), now_ms=0)
    verifier = make(mode)
    for credential, taken in ((text, tokens), (access_token(), jwts)):
        if taken:
            assert verifier.identify(credential).may("read")
        else:
            with pytest.raises(AuthError, match="not valid"):
                verifier.identify(credential)
    for nothing in (None, ""):
        with pytest.raises(AuthError) as caught:
            verifier.identify(nothing)
        assert caught.value.missing


def test_expiry(make: Callable[[str], Verifier], path: Path, clock: Clock) -> None:
    text, _ = create_token(path, "a", frozenset({"read"}), now_ms=0, expires_ms=NOW_MS + 1000)
    verifier = make("token+jwt")
    signed = access_token(1)
    for credential in (text, signed):
        assert verifier.identify(credential).expires_ms == NOW_MS + 1000
    clock.ms += 1000
    for credential in (text, signed):
        with pytest.raises(AuthError) as caught:
            verifier.identify(credential)
        assert caught.value.expired


def test_a_token_made_a_moment_ago_is_known(make: Callable[[str], Verifier], path: Path) -> None:
    verifier = make("token")
    text, _ = create_token(path, "a", frozenset({"ingest"}), now_ms=0)
    assert verifier.identify(text).may("ingest")


def test_a_damaged_file_lets_nobody_in_and_is_logged(
    make: Callable[[str], Verifier], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text, _ = create_token(path, "a", frozenset({"ingest"}), now_ms=0)
    path.write_text("{")
    with pytest.raises(AuthError):
        make("token").identify(text)
    assert "no token is accepted" in caplog.text


def test_refusals_are_counted(make: Callable[[str], Verifier]) -> None:
    verifier = make("token")
    for text in ("caq_x", "a.b.c"):
        with pytest.raises(AuthError):
            verifier.identify(text)
    with pytest.raises(AuthError):
        verifier.identify(None)
    assert verifier.refused == 2


async def test_a_revoked_token_ends(make: Callable[[str], Verifier], path: Path) -> None:
    text, token = create_token(path, "a", frozenset({"read"}), now_ms=0)
    other, _ = create_token(path, "b", frozenset({"read"}), now_ms=0)
    verifier = make("token")
    async with trio.open_nursery() as nursery:
        await nursery.start(verifier.run)
        with trio.move_on_after(0):
            await verifier.until_ended(text)
            pytest.fail("it had not ended")
        revoke_tokens(path, token.token_id)
        with trio.fail_after(5):
            error = await verifier.until_ended(text)
        assert not error.expired
        assert verifier.identify(other).may("read")
        nursery.cancel_scope.cancel()


async def test_an_expired_one_ends(
    make: Callable[[str], Verifier], clock: Clock, autojump_clock: trio.testing.MockClock
) -> None:
    verifier = make("jwt")
    ended: list[AuthError] = []

    async def watch() -> None:
        ended.append(await verifier.until_ended(access_token(90)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await trio.sleep(30)
        clock.ms += 30_000
        assert not ended
        await trio.sleep(60)
        clock.ms += 60_000
        await trio.sleep(61)
        assert ended[0].expired


async def test_in_mode_none_nothing_ends(
    make: Callable[[str], Verifier], autojump_clock: trio.testing.MockClock
) -> None:
    verifier = make("none")
    async with trio.open_nursery() as nursery:
        await nursery.start(verifier.run)
        with trio.move_on_after(1_000_000) as scope:
            await verifier.until_ended(None)
        assert scope.cancelled_caught
        nursery.cancel_scope.cancel()
