"""What gateway/websocket.py promises, on a real connection."""

from __future__ import annotations

import struct

import pytest
import trio
import trio_websocket
from quart import websocket

from gateway.connection import Limits
from gateway.talk import OPENER, text_frame

LIMIT = 64 * 1024


async def opened(served, wire, path="/echo"):
    stream = await served.connect()
    await stream.send_all(wire.handshake(path))
    answer = await wire.read_until(stream, b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101"), answer
    return stream


def close_code(data: bytes) -> int:
    """The code of the close frame that `data` ends with, or begins with."""
    assert data[0] == 0x88, data[:40]
    code: int = struct.unpack("!H", data[2:4])[0]
    return code


async def test_messages_travel_both_ways_and_pings_are_answered(serve, little_app):
    served = await serve(little_app)
    async with trio_websocket.open_websocket("127.0.0.1", served.port, "/echo", use_ssl=False) as client:
        for text in ("one", "", "ü" * 1000, "x" * LIMIT):
            if text:
                await client.send_message(text)
                assert await client.get_message() == text
        await client.send_message(b"bytes")
        assert await client.get_message() == b"bytes"
        with trio.fail_after(5):
            await client.ping(b"are you there")
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_compression_is_not_agreed_to(serve, little_app, wire):
    served = await serve(little_app)
    request = wire.handshake("/echo").replace(b"\r\n\r\n", b"\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n")
    async with await served.connect() as stream:
        await stream.send_all(request)
        answer = await wire.read_until(stream, b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"extensions" not in answer.lower()


@pytest.mark.parametrize("text", ["x" * (LIMIT + 1), "ü" * (LIMIT // 2 + 1)])
async def test_a_message_past_the_limit_is_1009(serve, little_app, wire, text):
    served = await serve(little_app)
    stream = await opened(served, wire)
    async with stream:
        await stream.send_all(wire.client_frame(text.encode()))
        assert close_code(await wire.read_all(stream)) == 1009
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_a_huge_message_is_refused_while_it_arrives_and_the_reason_can_be_read(serve, little_app, wire):
    served = await serve(little_app)
    stream = await opened(served, wire)
    async with stream:
        await stream.send_all(struct.pack("!BBQ", 0x81, 0x80 | 127, 1 << 30) + bytes(4))
        await stream.send_all(b"x" * (2 << 20))  # of the gigabyte announced
        answer = await stream.receive_some()
        assert close_code(answer) == 1009
    await served.settle()


async def test_fragments_are_counted_together(serve, little_app, wire):
    served = await serve(little_app)
    stream = await opened(served, wire)
    piece = bytes([0x01]) + wire.client_frame(b"x" * 40_000)[1:]
    more = bytes([0x00]) + wire.client_frame(b"x" * 40_000)[1:]
    async with stream:
        await stream.send_all(piece + more)
        assert close_code(await stream.receive_some()) == 1009
    await served.settle()


@pytest.mark.parametrize(
    ("junk", "code"),
    [
        (b"\xff\xff\xff\xff", 1002),  # reserved bits
        (b"\x81\x05hello", 1002),  # not masked
        (b"\x81\x82\0\0\0\0\xff\xff", 1007),  # not UTF-8
    ],
)
async def test_broken_frames_end_the_socket_with_a_reason(serve, little_app, wire, junk, code):
    served = await serve(little_app)
    stream = await opened(served, wire)
    async with stream:
        await stream.send_all(junk + b"more junk" * 20)
        assert close_code(await wire.read_all(stream)) == code
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_data_before_the_answer_to_the_handshake_ends_the_handler_too(serve, little_app, wire):
    served = await serve(little_app)
    async with await served.connect() as stream:
        await stream.send_all(wire.handshake("/late") + wire.client_frame(b"too early"))
        assert b"101" not in await wire.read_all(stream)
    await served.settle()
    if little_app.entered.is_set():
        assert little_app.ended.is_set()
    assert served.server.statistics().failed == 0


async def test_the_closing_handshake_ends_the_connection_at_once(serve, little_app, wire):
    """Not only when the client closes its side: some leave that to the server."""
    served = await serve(little_app, limits=Limits(linger_s=60))
    ours_first, theirs_first = await opened(served, wire), await opened(served, wire)
    async with ours_first, theirs_first:
        await ours_first.send_all(wire.client_frame(b"x" * (LIMIT + 1)))
        assert close_code(await wire.read_all(ours_first)) == 1009
        await ours_first.send_all(wire.client_frame(struct.pack("!H", 1009), opcode=8))
        await theirs_first.send_all(wire.client_frame(struct.pack("!H", 1000), opcode=8))
        assert close_code(await wire.read_all(theirs_first)) == 1000
        await served.settle()


async def test_data_after_the_closing_handshake_is_ignored(serve, little_app, wire):
    served = await serve(little_app)
    stream = await opened(served, wire)
    async with stream:
        close = wire.client_frame(struct.pack("!H", 1000), opcode=8)
        await stream.send_all(close + wire.client_frame(b"late") * 3)
        assert close_code(await wire.read_all(stream)) == 1000
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_a_handler_that_sends_to_nobody_holds_up_nobody(serve, little_app, wire):
    served = await serve(little_app)
    stream = await opened(served, wire, "/flood")
    await little_app.entered.wait()
    await stream.aclose()
    with trio.fail_after(5):
        await little_app.ended.wait()
        assert b"200" in await served.get("/fast")
    await served.settle()


class Parrot:
    """A Talk that repeats what it hears."""

    def __init__(self) -> None:
        self.send, self.receive = trio.open_memory_channel(100)
        self.ends = []
        self.wire = None

    async def run(self, wire):
        self.wire = wire
        async for message in self.receive:
            if message == "fail":
                raise RuntimeError("as it was told")
            if message == "close":
                await wire.close(4000, "as asked")
                return
            await wire.write(text_frame(str(message).encode()))

    async def hear(self, message):
        await self.send.send(message)

    def end(self, code, reason=""):
        self.ends.append((code, reason))
        self.send.send_nowait("close") if code else self.send.close()


@pytest.fixture
def parrot(little_app):
    parrot = Parrot()

    @little_app.websocket("/parrot")
    async def talk():
        await websocket.scope["state"][OPENER](parrot)
        little_app.ended.set()

    return parrot


async def test_an_application_hands_its_socket_to_a_talk(serve, little_app, wire, parrot):
    served = await serve(little_app)
    async with trio_websocket.open_websocket("127.0.0.1", served.port, "/parrot", use_ssl=False) as client:
        with trio.fail_after(5):
            await little_app.ended.wait()  # the application's part, while the socket lives on
        for text in ("one", "ü" * 1000, "x" * LIMIT):
            await client.send_message(text)
            assert await client.get_message() == text
        await client.send_message(b"bytes")
        assert await client.get_message() == "b'bytes'"
        with trio.fail_after(5):
            await client.ping(b"are you there")
    await served.settle()
    assert parrot.ends == [(None, "")]
    await parrot.wire.write(text_frame(b"nobody hears this"))
    assert served.server.statistics().failed == 0


async def test_a_talk_that_fails_is_1011_and_touches_no_other(serve, little_app, wire, parrot, caplog):
    served = await serve(little_app)
    stream = await opened(served, wire, "/parrot")
    async with stream:
        await stream.send_all(wire.client_frame(b"fail"))
        assert close_code(await stream.receive_some()) == 1011
        await stream.send_all(wire.client_frame(struct.pack("!H", 1011), opcode=8))
        await wire.read_all(stream)
    assert "a conversation failed" in caplog.text
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_a_talk_says_good_bye_and_nothing_after_it(serve, little_app, wire, parrot):
    served = await serve(little_app)
    stream = await opened(served, wire, "/parrot")
    async with stream:
        await stream.send_all(wire.client_frame(b"close"))
        answer = await stream.receive_some()
        assert close_code(answer) == 4000
        await parrot.wire.write(text_frame(b"too late"))
        await stream.send_all(wire.client_frame(struct.pack("!H", 4000), opcode=8))
        assert await wire.read_all(stream) == b""
    await served.settle()


async def test_the_stop_is_said_to_each_talk(serve, little_app, wire, parrot):
    served = await serve(little_app)
    stream = await opened(served, wire, "/parrot")
    async with stream:
        served.server.stop()
        assert close_code(await stream.receive_some()) == 4000
    assert parrot.ends[0] == (1001, "the service is stopping")
