"""The WebSocket and its credential, on a real socket: from the handshake to revocation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from gateway.auth.tokens import revoke_tokens


@asynccontextmanager
async def socket(served: Any, query: str = "", **headers: str) -> AsyncIterator[WebSocketConnection]:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    with trio.fail_after(15):
        # The stream is closed here: trio-websocket leaves that to the peer.
        async with await served.connect() as stream, trio.open_nursery() as nursery:
            yield await wrap_client_stream(nursery, stream, "localhost", f"/ws/analytics{query}", extra_headers=pairs)
            nursery.cancel_scope.cancel()


async def kinds(connection: WebSocketConnection, count: int) -> list[str]:
    return [json.loads(await connection.get_message())["type"] for _ in range(count)]


async def end(connection: WebSocketConnection) -> tuple[int, str]:
    """The code and reason it is closed with; whatever else is said before is dropped."""
    while True:
        try:
            await connection.get_message()
        except ConnectionClosed as closed:
            return closed.reason.code, closed.reason.reason or ""


async def test_a_token_in_the_query(house: Any, served: Any) -> None:
    for token in (house.token("read"), house.signed(), house.signed(role="readonly")):
        async with socket(served, f"?token={token}") as connection:
            assert await kinds(connection, 2) == ["hello", "snapshot"]


async def test_a_token_in_a_header(house: Any, served: Any) -> None:
    async with socket(served, Authorization=f"Bearer {house.token('read')}") as connection:
        assert await kinds(connection, 2) == ["hello", "snapshot"]


@pytest.mark.parametrize("nested", [True, False])
async def test_a_token_in_the_first_frame(house: Any, served: Any, nested: bool) -> None:
    member = {"token": house.signed()}
    async with socket(served) as connection:
        await connection.send_message(json.dumps({"type": "auth", **({"data": member} if nested else member)}))
        assert await kinds(connection, 2) == ["hello", "snapshot"]


@pytest.mark.parametrize("place", ["query", "frame", "header"])
async def test_an_expired_token_is_accepted_and_then_told(house: Any, served: Any, place: str) -> None:
    token = house.signed(-1)
    query = f"?token={token}" if place == "query" else ""
    headers = {"Authorization": f"Bearer {token}"} if place == "header" else {}
    async with socket(served, query, **headers) as connection:
        if place == "frame":
            await connection.send_message(json.dumps({"type": "auth", "token": token}))
        code, reason = await end(connection)
    assert code == 1008
    assert "expired" in reason


@pytest.mark.parametrize(
    "frame",
    [
        '{"type": "ping"}',
        '{"type": "subscribe", "data": {"topics": ["metrics"]}}',
        '{"type": "auth"}',
        '{"type": "auth", "token": 7}',
        '{"type": "auth", "token": "nonsense"}',
        '["auth"]',
        "not json",
        b"\x00",
    ],
)
async def test_nothing_is_said_before_a_good_token(served: Any, frame: Any) -> None:
    async with socket(served) as connection:
        await connection.send_message(frame)
        with pytest.raises(ConnectionClosed) as caught:
            await connection.get_message()
    assert caught.value.reason.code == 1008


async def test_wrong_scopes_and_bad_tokens_are_closed(house: Any, served: Any) -> None:
    for token, word in (
        (house.token("ingest", "act"), "scope read"),
        ("nonsense", "not valid"),
        (house.signed(type="refresh"), "not an access token"),
    ):
        async with socket(served, f"?token={token}") as connection:
            code, reason = await end(connection)
        assert code == 1008
        assert word in reason


async def test_five_seconds_for_the_first_frame(served: Any) -> None:
    began = trio.current_time()
    async with socket(served) as connection:
        code, reason = await end(connection)
    assert code == 1008
    assert "token" in reason
    assert 4.5 < trio.current_time() - began < 8


async def test_a_client_that_leaves_before_it_says_who_it_is(served: Any) -> None:
    async with socket(served):
        pass
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_expiry_ends_an_open_socket(house: Any, served: Any) -> None:
    async with socket(served, f"?token={house.signed(1.2)}") as connection:
        assert await kinds(connection, 2) == ["hello", "snapshot"]
        code, reason = await end(connection)
    assert code == 1008
    assert "expired" in reason


async def test_a_fresh_token_keeps_it_open(house: Any, served: Any) -> None:
    async with socket(served, f"?token={house.signed(1.5)}") as connection:
        assert await kinds(connection, 2) == ["hello", "snapshot"]
        await connection.send_message(json.dumps({"type": "auth", "token": "nonsense"}))
        assert await kinds(connection, 1) == ["error"]
        await connection.send_message(json.dumps({"type": "auth", "token": house.signed(3)}))
        assert await kinds(connection, 1) == ["auth_ok"]
        began = trio.current_time()
        code, _ = await end(connection)
        assert trio.current_time() - began > 2
    assert code == 1008


async def test_revocation_ends_an_open_socket(house: Any, served: Any) -> None:
    gone, kept = house.token("read"), house.token("read")
    async with trio.open_nursery() as nursery:
        await nursery.start(house.backend.access.verifier.run)
        async with socket(served, f"?token={gone}") as first, socket(served, f"?token={kept}") as second:
            assert await kinds(first, 2) == await kinds(second, 2) == ["hello", "snapshot"]
            revoke_tokens(house.settings.tokens_path, gone)
            code, reason = await end(first)
            assert code == 1008
            assert "not valid" in reason
            await second.send_message('{"type": "ping"}')
            assert await kinds(second, 1) == ["pong"]
        nursery.cancel_scope.cancel()


async def test_a_page_of_another_site_gets_no_socket(house: Any, served: Any, wire: Any) -> None:
    handshake = wire.handshake(f"/ws/analytics?token={house.token('read')}")
    async with await served.connect() as stream:
        await stream.send_all(handshake.replace(b"host: a", b"host: a\r\norigin: https://evil.example"))
        assert (await wire.read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 403")
    async with await served.connect() as stream:
        await stream.send_all(handshake.replace(b"host: a", b"host: evil.example"))
        assert (await wire.read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 421")
