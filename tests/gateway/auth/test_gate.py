"""The first thing a request meets."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

from conf.values import networks
from gateway.auth.access import CLIENT, OUTCOME, Access
from gateway.auth.gate import Gate
from gateway.auth.identity import AuthError
from gateway.auth.places import Places
from gateway.auth.verifier import Verifier
from gateway.headers import RAW_HEADERS


class Inner:
    def __init__(self) -> None:
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await trio.lowlevel.checkpoint()
        self.scopes.append(scope)


async def ask(gate: Gate, *headers: tuple[str, str], kind: str = "http", **scope: Any) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    await gate(
        {
            "type": kind,
            "path": "/x",
            "query_string": b"",
            "client": ("127.0.0.1", 5),
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            **scope,
        },
        None,
        send,
    )
    return sent


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def gate(inner: Inner) -> Gate:
    return Gate(inner, Access(Verifier("token", wall_ms=lambda: 0), Places(proxies=networks("127.0.0.1"))))


async def test_what_passes_carries_its_outcome(gate: Gate, inner: Inner) -> None:
    assert await ask(gate, ("host", "localhost")) == []
    assert isinstance(inner.scopes[0][OUTCOME], AuthError)
    assert inner.scopes[0][CLIENT] == "127.0.0.1"


async def test_several_forwarded_headers_are_one_list(gate: Gate, inner: Inner) -> None:
    await ask(gate, ("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "127.0.0.1"))
    assert inner.scopes[0][CLIENT] == "1.2.3.4"


async def test_lifespan_passes(gate: Gate, inner: Inner) -> None:
    await gate({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert len(inner.scopes) == 1


async def test_no_peer_is_no_client(gate: Gate, inner: Inner) -> None:
    await ask(gate, client=None)
    assert inner.scopes[0][CLIENT] == ""


@pytest.mark.parametrize(
    ("kind", "extensions", "first"),
    [
        ("http", {}, "http.response.start"),
        ("websocket", {"websocket.http.response": {}}, "websocket.http.response.start"),
        ("websocket", {}, "websocket.close"),
    ],
)
async def test_a_wrong_place_is_refused_in_the_form_of_any_error(
    gate: Gate, inner: Inner, kind: str, extensions: dict[str, Any], first: str
) -> None:
    sent = await ask(gate, ("host", "evil.example"), kind=kind, extensions=extensions)
    assert inner.scopes == []
    assert sent[0]["type"] == first
    if first != "websocket.close":
        assert sent[0]["status"] == 421
        assert set(RAW_HEADERS) <= set(sent[0]["headers"])
        problem = json.loads(sent[1]["body"])
        assert (problem["status"], problem["instance"], problem["errors"]) == (421, "/x", [])
