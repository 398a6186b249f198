"""What gateway/connection.py promises, on a real connection. Times are real: the kernel's clock knows no mock."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
import trio.testing

from gateway.connection import Limits

GET = b"GET /fast HTTP/1.1\r\nhost: a\r\n\r\n"


async def drip(stream: trio.SocketStream, data: bytes) -> None:
    """Send a byte at a time until the server has had enough."""
    with suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(data)
            await trio.sleep(0.02)


async def test_who_says_nothing_is_let_go(serve, little_app, wire):
    served = await serve(little_app, limits=Limits(first_byte_s=0.2))
    async with await served.connect() as stream:
        assert await wire.read_all(stream) == b""
    await served.settle()


async def test_a_head_that_drips_gets_408(serve, little_app, wire):
    served = await serve(little_app, limits=Limits(head_s=0.3))
    async with await served.connect() as stream, trio.open_nursery() as nursery:
        await stream.send_all(b"GET /fast HTTP/1.1\r\nx: ")
        nursery.start_soon(drip, stream, b"y")
        answer = await wire.read_all(stream)
        assert answer.startswith(b"HTTP/1.1 408")
        nursery.cancel_scope.cancel()
    await served.settle()


async def test_a_body_that_drips_is_bounded_by_quart(serve, little_app, wire):
    little_app.config["BODY_TIMEOUT"] = 0.3
    served = await serve(little_app)
    async with await served.connect() as stream, trio.open_nursery() as nursery:
        await stream.send_all(b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n")
        nursery.start_soon(drip, stream, b"y")
        assert (await wire.read_all(stream)).startswith(b"HTTP/1.1 408")
        nursery.cancel_scope.cancel()
    await served.settle()


@pytest.mark.parametrize("path", [b"/body", b"/wait"])
async def test_a_body_that_drips_is_bounded_whatever_the_handler_does(serve, little_app, wire, path):
    served = await serve(little_app, limits=Limits(body_s=0.3))
    async with await served.connect() as stream, trio.open_nursery() as nursery:
        await stream.send_all(b"POST " + path + b" HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        nursery.start_soon(drip, stream, b"1\r\ny\r\n")
        await wire.read_all(stream)
        nursery.cancel_scope.cancel()
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_an_idle_connection_is_kept_for_a_while_each_time(serve, little_app, wire):
    """Hypercorn restarts its timer in a scope that is being cancelled, and so loses it now and then."""
    served = await serve(little_app, limits=Limits(keep_alive_s=1.5))
    streams = [await served.connect() for _ in range(20)]
    for stream in streams:
        for _ in range(2):
            await stream.send_all(GET)
            assert b"fast" in await wire.read_until(stream, b"fast")
    assert served.server.statistics().connections == 20
    for stream in streams:
        assert await wire.read_all(stream) == b""
        await stream.aclose()
    await served.settle()


async def test_a_handler_may_take_its_time(serve, little_app, wire):
    served = await serve(little_app, limits=Limits(first_byte_s=0.1, head_s=0.1, body_s=0.1, keep_alive_s=0.1))
    async with await served.connect() as stream:
        await stream.send_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n")
        await trio.sleep(0.4)
        little_app.release.set()
        assert b"waited" in await wire.read_until(stream, b"waited")


async def test_the_last_answer_can_be_read_however_much_is_still_being_sent(serve, little_app):
    """Closed over unread data, a socket resets the peer, which then loses the answer it was about to read."""
    served = await serve(little_app)
    for _ in range(5):
        async with await served.connect() as stream:
            await stream.send_all(b"junk\r\n\r\n" + b"x" * 1_000_000)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 400")
    await served.settle()


@pytest.mark.parametrize("by", ["us", "the kernel"])
@pytest.mark.parametrize("what", ["download", "websocket"])
async def test_a_client_that_stops_reading_is_cut_and_delays_nobody(serve, little_app, wire, what, by):
    send_s, user_timeout_s = (0.5, 60) if by == "us" else (60, 1)
    served = await serve(little_app, limits=Limits(send_s=send_s), user_timeout_s=user_timeout_s)
    async with await served.connect(receive_buffer=4096) as stalled:
        if what == "download":
            await stalled.send_all(b"GET /download HTTP/1.1\r\nhost: a\r\n\r\n")
        else:
            await stalled.send_all(wire.handshake("/flood"))
        await little_app.entered.wait()
        slowest = 0.0
        with trio.fail_after(15):
            while not little_app.ended.is_set():
                began = trio.current_time()
                assert b"fast" in await served.get("/fast")
                slowest = max(slowest, trio.current_time() - began)
                await trio.sleep(0.02)
        await served.settle()
    assert slowest < 0.5
    assert served.server.statistics().stalled == (by == "us")
    assert served.server.statistics().failed == 0


async def test_an_application_that_does_not_end_after_its_peer_is_cancelled(serve, little_app):
    @little_app.get("/stubborn")
    async def stubborn() -> str:
        little_app.entered.set()
        try:
            with trio.CancelScope(shield=True):  # deaf to the disconnect, as a slow thread is
                await little_app.release.wait()
        finally:
            little_app.ended.set()
        return ""

    served = await serve(little_app, limits=Limits(application_s=0.1, linger_s=0.1))
    async with await served.connect() as stream:
        await stream.send_all(b"GET /stubborn HTTP/1.1\r\nhost: a\r\n\r\n")
        await little_app.entered.wait()
    assert served.server.statistics().connections == 1
    little_app.release.set()
    await served.settle()


async def test_a_handler_that_ends_with_much_unheard_ends_its_connection(serve, little_app, wire):
    """Hypercorn waits for room in the queue of an application that has ended."""
    served = await serve(little_app, limits=Limits(application_s=60))
    async with await served.connect() as stream:
        await stream.send_all(wire.handshake("/deaf"))
        await little_app.entered.wait()
        await stream.send_all(wire.client_frame(b"unheard") * 200)
        await trio.testing.wait_all_tasks_blocked(0.01)
        little_app.release.set()
        await wire.read_all(stream)
    await served.settle()
    assert served.server.statistics().failed == 0
