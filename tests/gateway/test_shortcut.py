"""What a shortcut takes, on a real connection: answered past the application, or given to it as if nothing had been."""

from __future__ import annotations

import pytest
import trio

from gateway.connection import Limits
from gateway.shortcut import Answer, Head, Piece

POST = b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n"
CLOSE = b"connection: close\r\n"


class Backwards:
    """Takes POST /body and answers with the body turned round; declines what begins with "x"."""

    def __init__(self) -> None:
        self.heads: list[Head] = []
        self.entered = trio.Event()
        self.release = trio.Event()
        self.release.set()

    def takes(self, head: Head) -> bool:
        self.heads.append(head)
        return (head.method, head.target) == (b"POST", b"/body")

    async def answer(self, head: Head, body: Piece) -> Answer | None:
        self.entered.set()
        await self.release.wait()
        body = bytes(body)
        if body.startswith(b"x"):
            return None
        return Answer(200, ((b"content-type", b"text/plain"),), body[::-1])


@pytest.fixture
def backwards() -> Backwards:
    return Backwards()


async def test_one_packet_with_length_and_date(serve, little_app, backwards):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        for body, answered in ((b"abcde", b"edcba"), (b"fghij", b"jihgf")):  # the second from the head made before
            await stream.send_all(POST + b"X-Mine:  yes \r\n\r\n" + body)
            head, sent = (await stream.receive_some()).split(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert b"\r\ncontent-length: 5\r\n" in head + b"\r\n"
            assert b"\r\ndate: " in head
            assert sent == answered
    asked = backwards.heads[0]
    assert asked.fields == {b"host": b"a", b"content-length": b"5", b"x-mine": b"yes"}
    assert asked.client is not None
    assert asked.client[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "request_", [POST + CLOSE + b"\r\nxyzab", b"GET /fast HTTP/1.1\r\nhost: a\r\n" + CLOSE + b"\r\n"]
)
async def test_what_it_does_not_want_is_the_applications(serve, little_app, backwards, request_):
    served = await serve(little_app, shortcut=backwards)
    answer = await served.exchange(request_)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n5" if request_.startswith(b"POST") else b"fast")


@pytest.mark.parametrize("cuts", [(20,), (len(POST) + 1,), (len(POST) + 2,), (len(POST) + 4,), (3, 30, len(POST) + 3)])
async def test_a_request_may_come_in_pieces(serve, little_app, backwards, wire, cuts):
    served = await serve(little_app, shortcut=backwards)
    request = POST + b"\r\nabcde"
    async with await served.connect() as stream:
        for _ in range(2):
            for begin, end in zip((0, *cuts), (*cuts, len(request)), strict=True):
                await stream.send_all(request[begin:end])
                await trio.testing.wait_all_tasks_blocked(0.01)
            assert (await wire.read_until(stream, b"edcba")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("cut", [1, 20, len(POST), len(POST) + 2, len(POST) + 4, len(POST) + 7])
@pytest.mark.parametrize("leaves", [False, True])
async def test_what_is_declined_in_pieces_or_in_a_pipeline_is_read_once(serve, little_app, backwards, cut, leaves):
    """h11 holds some of the body then, and must not get it twice: the next request would begin in the middle."""
    served = await serve(little_app, shortcut=backwards)
    get = b"GET /fast HTTP/1.1\r\nhost: a\r\n"
    declined = POST + b"\r\nxyzab"
    async with await served.connect() as stream:
        await stream.send_all(declined[:cut])
        await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(declined[cut:] + declined + POST + b"\r\nabcde" + declined + get + CLOSE + b"\r\n")
        if leaves:
            await stream.send_eof()
            await served.settle()
            return
        answer = b"".join([piece async for piece in stream])
    bodies = [part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200")[1:]]
    assert bodies == [b"5", b"5", b"edcba", b"5", b"fast"]


LINES = b"POST /body HTTP/1.1\nhost: a\ncontent-length: 8\n\n[\r\n\r\n12]"


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        (LINES, [b"]21\n\r\n\r["]),
        (LINES.replace(b"\n\n", b"\n\r\n"), [b"]21\n\r\n\r["]),
        (LINES + POST + b"\r\nabcde", [b"]21\n\r\n\r[", b"edcba"]),
    ],
)
async def test_a_head_that_ends_in_another_way_is_no_other_the_second_time(
    serve, little_app, backwards, request_, answers
):
    """What is cut off as a head holds some of the body then; h11 knows where the head ends."""
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        for _ in range(3):
            await stream.send_all(request_)
            got = b""
            while got.count(b"HTTP/1.1 200") < len(answers) or not got.endswith(answers[-1]):
                with trio.fail_after(5):
                    got += await stream.receive_some()
            assert [got.count(each) for each in answers] == [1] * len(answers)


async def test_a_connection_field_that_is_repeated_is_for_h11_to_judge(serve, little_app, backwards):
    served = await serve(little_app, shortcut=backwards)
    answer = await served.exchange(POST + CLOSE + b"connection: keep-alive\r\n\r\nabcde")
    assert b"connection: close" in answer.lower()
    assert not backwards.heads


async def test_who_leaves_in_the_middle_of_a_pipelined_body_is_told_so(serve, little_app, backwards, wire):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(POST + b"\r\nabcde" + POST + b"\r\nfg")
        await stream.send_eof()
        got = await wire.read_until(stream, b"HTTP/1.1 400")
    assert got.count(b"HTTP/1.1 200") == 1


async def test_a_chunked_body_is_the_applications(serve, little_app, backwards, wire):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(b"POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n")
        await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(b"1\r\nc\r\n0\r\n\r\n")
        assert (await wire.read_until(stream, b"\r\n\r\n3")).startswith(b"HTTP/1.1 200")
    assert not backwards.heads


async def test_a_head_that_is_known_changes_nothing(serve, little_app, backwards, wire):
    """The second of two equal heads is not read again: answered, declined, in pieces, and with others between them."""
    served = await serve(little_app, shortcut=backwards)
    get = b"GET /fast HTTP/1.1\r\nhost: a\r\n\r\n"
    async with await served.connect() as stream:
        for request, end in (
            (POST + b"\r\nabcde", b"edcba"),
            (POST + b"\r\nfghij", b"jihgf"),
            (POST + b"\r\nxyzab", b"\r\n\r\n5"),  # declined
            (POST + b"\r\nklmno", b"onmlk"),
            (get, b"fast"),
            (POST + b"\r\npqrst" + get, b"fast"),
            (POST + b"\r\nuvwxy" + POST + b"\r\nABCDE", b"EDCBA"),
        ):
            await stream.send_all(request)
            assert (await wire.read_until(stream, end)).startswith(b"HTTP/1.1 200")
        await stream.send_all(POST + b"\r\nvw")
        await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(b"xyz" + POST + CLOSE + b"\r\nFGHIJ")
        assert (await wire.read_until(stream, b"JIHGF")).count(b"HTTP/1.1 200") == 2


async def test_a_head_that_is_known_may_be_no_more_than_that(serve, little_app, backwards):
    served = await serve(little_app, limits=Limits(body_s=0.2), shortcut=backwards)
    for ending, status in ((b"ab", b"HTTP/1.1 408"), (b"", b"HTTP/1.1 400")):
        async with await served.connect() as stream:
            await stream.send_all(POST + b"\r\nabcde")
            await stream.receive_some()
            await stream.send_all(POST + b"\r\n" + ending)
            if not ending:
                await stream.send_eof()
            assert (await stream.receive_some()).startswith(status)


async def test_a_shortcut_that_takes_no_more_is_asked_each_time(serve, little_app, backwards, wire, monkeypatch):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(POST + b"\r\nabcde")
        assert await wire.read_until(stream, b"edcba")
        monkeypatch.setattr(backwards, "takes", lambda head: False)
        await stream.send_all(POST + b"\r\nabcde")
        assert (await wire.read_until(stream, b"\r\n\r\n5")).startswith(b"HTTP/1.1 200")


async def test_who_asks_for_the_end_gets_it_with_the_answer(serve, little_app, backwards):
    served = await serve(little_app, shortcut=backwards)
    answer = await served.exchange(POST + CLOSE + b"\r\nabcde")
    assert answer.endswith(b"edcba")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    await served.settle()  # and the connection is over, without waiting for more


async def test_who_leaves_before_the_body_is_whole_is_told_so(serve, little_app, backwards, wire):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(POST + b"\r\nab")
        await stream.send_eof()
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400")
    assert not backwards.entered.is_set()
    await served.settle()


async def test_pipelined_requests_are_answered_in_order(serve, little_app, backwards):
    served = await serve(little_app, shortcut=backwards)
    get = b"GET /fast HTTP/1.1\r\nhost: a\r\n\r\n"
    answer = await served.exchange(POST + b"\r\nabcde" + get + POST + b"\r\nxbcde" + POST + CLOSE + b"\r\nfghij")
    bodies = [part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200")[1:]]
    assert bodies == [b"edcba", b"fast", b"5", b"jihgf"]


@pytest.mark.parametrize("framing", [b"content-length: 2000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n"])
async def test_a_body_past_the_limit_is_413(serve, little_app, backwards, framing, wire):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(b"POST /body HTTP/1.1\r\nhost: a\r\n" + framing)
        if b"chunked" in framing:
            await stream.send_all((b"10000\r\n" + b"y" * 0x10000 + b"\r\n") * 17)
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 413")
    await served.settle()
    assert not backwards.entered.is_set()


async def test_a_body_that_does_not_come_gets_408(serve, little_app, backwards, wire):
    served = await serve(little_app, limits=Limits(body_s=0.2), shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(POST + b"\r\nab")
        assert (await wire.read_all(stream)).startswith(b"HTTP/1.1 408")
    await served.settle()
    assert not backwards.entered.is_set()


async def test_a_client_that_has_gone_meanwhile_harms_nobody(serve, little_app, backwards):
    served = await serve(little_app, shortcut=backwards)
    backwards.release = trio.Event()
    async with await served.connect() as stream:
        await stream.send_all(POST + b"\r\nabcde" + POST + b"\r\nabcde")
        await backwards.entered.wait()
    backwards.release.set()
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_an_answer_under_way_is_given_at_a_stop(serve, little_app, backwards, wire):
    served = await serve(little_app, shortcut=backwards)
    backwards.release = trio.Event()
    async with await served.connect() as stream, trio.open_nursery() as nursery:
        await stream.send_all(POST + b"\r\nabcde")
        await backwards.entered.wait()
        nursery.start_soon(served.stop)
        await trio.testing.wait_all_tasks_blocked(0.01)
        backwards.release.set()
        assert (await wire.read_all(stream)).endswith(b"edcba")


async def test_an_idle_connection_may_be_closed_at_a_stop_and_one_reading_a_body_is_not_idle(
    serve, little_app, backwards
):
    served = await serve(little_app, shortcut=backwards)
    async with await served.connect() as stream:
        await stream.send_all(POST + b"\r\nab")
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert [each.idle_since for each in served.server._connections] == [None]
