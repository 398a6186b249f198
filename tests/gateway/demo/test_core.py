"""The stand-in for the core: what it lets in, and what it says."""

from __future__ import annotations

import json

import pytest
import trio
from trio_websocket import ConnectionRejected, wrap_client_stream

from gateway.demo.core import FakeCore


async def test_frames_reach_those_with_the_token() -> None:
    core = FakeCore(token="t")
    async with trio.open_nursery() as nursery:
        await nursery.start(core.run)
        with trio.fail_after(5):
            async with await trio.open_tcp_stream("127.0.0.1", core.port) as stream:
                client = await wrap_client_stream(nursery, stream, "localhost", "/ws?token=t")
                await core.until_clients(1)
                await core.tell("light_1", {"state": "on"})
                frame = json.loads(await client.get_message())
                await client.aclose()
                await core.until_clients(0)
        nursery.cancel_scope.cancel()
    assert frame == {"type": "entity_update", "data": {"entity_id": "light_1", "entity_data": {"state": "on"}}}


@pytest.mark.parametrize(("path", "status"), [("/ws", 403), ("/ws?token=x", 403), ("/other?token=t", 404)])
async def test_others_are_rejected(path: str, status: int) -> None:
    core = FakeCore(token="t")
    async with trio.open_nursery() as nursery:
        await nursery.start(core.run)
        async with await trio.open_tcp_stream("127.0.0.1", core.port) as stream:
            with pytest.RaisesGroup(
                pytest.RaisesExc(ConnectionRejected, check=lambda error: error.status_code == status)
            ):
                async with trio.open_nursery() as client:
                    with trio.fail_after(5):
                        await wrap_client_stream(client, stream, "localhost", path)
        nursery.cancel_scope.cancel()
    assert (core.clients, core.refused) == (0, 1)
