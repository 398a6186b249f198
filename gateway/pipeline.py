"""What a peer sends while its request is being answered: read ahead, a little, so that nobody leaves unnoticed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import h11
import trio

AHEAD_BYTES: Final = 64 * 1024  # of a pipeline are read while an answer is being made


async def read_ahead(
    connection: h11.Connection, receive: Callable[[int], Awaitable[bytes]], until: Callable[[], Awaitable[None]]
) -> bool:
    """Put into `connection` what `receive` brings, until `until` returns. False: the peer has left before that. Who
    has sent AHEAD_BYTES more than it was answered is not listened to."""
    stays = True

    async def listen() -> None:
        nonlocal stays
        try:
            while stays and len(connection.trailing_data[0]) < AHEAD_BYTES:
                data = await receive(AHEAD_BYTES)
                connection.receive_data(data)
                stays = bool(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            stays = False
        if not stays:
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        await until()
        nursery.cancel_scope.cancel()
    return stays
