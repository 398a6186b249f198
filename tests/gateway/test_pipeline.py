"""Reading ahead: what comes is kept, who leaves is noticed, who sends too much is not listened to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import h11
import pytest
import trio

from gateway.pipeline import AHEAD_BYTES, read_ahead


def connection() -> h11.Connection:
    made = h11.Connection(h11.SERVER)
    made.receive_data(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    made.next_event()
    made.next_event()
    return made


def sender(*pieces: bytes) -> Callable[[int], Awaitable[bytes]]:
    left = list(pieces)

    async def receive(size: int) -> bytes:
        await trio.lowlevel.checkpoint()
        if not left:
            await trio.sleep_forever()
        return left.pop(0)

    return receive


async def test_what_comes_is_kept_until_the_answer_is_there(autojump_clock) -> None:
    reading = connection()
    assert await read_ahead(reading, sender(b"GET /b", b" HTTP/1.1"), partial(trio.sleep, 1))
    assert reading.trailing_data[0] == b"GET /b HTTP/1.1"


async def test_who_leaves_is_noticed_at_once(autojump_clock) -> None:
    begun_s = trio.current_time()
    assert not await read_ahead(connection(), sender(b"GET", b""), partial(trio.sleep, 1))
    assert trio.current_time() == begun_s


@pytest.mark.parametrize("error", [trio.BrokenResourceError, trio.ClosedResourceError])
async def test_a_broken_connection_is_one_that_was_left(autojump_clock, error) -> None:
    async def receive(size: int) -> bytes:
        await trio.lowlevel.checkpoint()
        raise error

    assert not await read_ahead(connection(), receive, partial(trio.sleep, 1))


async def test_who_sends_too_much_is_not_listened_to(autojump_clock) -> None:
    reading = connection()
    assert await read_ahead(reading, sender(*[b"x" * AHEAD_BYTES] * 5), partial(trio.sleep, 1))
    assert len(reading.trailing_data[0]) == AHEAD_BYTES
