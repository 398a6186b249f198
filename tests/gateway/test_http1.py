"""What gateway/http1.py promises, on a real connection."""

from __future__ import annotations

import json

import pytest
import trio
import trio.testing

BODY = b"\r\n\r\n"


def problem(answer: bytes) -> dict[str, object]:
    head, body = answer.split(BODY, 1)
    assert b"content-type: application/problem+json" in head.lower()
    document = json.loads(body)
    assert isinstance(document, dict)
    assert isinstance(document["detail"], str)
    assert f" {document['status']} ".encode() in head
    return document


async def test_a_small_answer_is_one_packet_with_date_and_without_server(serve, little_app, wire):
    served = await serve(little_app)
    async with await served.connect() as stream:
        await stream.send_all(b"GET /fast HTTP/1.1\r\nhost: a\r\n\r\n")
        answer = await stream.receive_some()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"fast")
    assert b"\r\ndate: " in answer
    assert b"hypercorn" not in answer


async def test_http2_by_preface_is_refused_and_harms_nobody(serve, little_app):
    served = await serve(little_app)
    for _ in range(20):
        answer = await served.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        assert problem(answer)["status"] == 400
    async with await served.connect() as stream:  # and one that closes at once
        await stream.send_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert b"200" in await served.get("/fast")
    assert served.server.statistics().failed == 0


async def test_h2c_upgrade_is_ignored_and_the_request_answered(serve, little_app):
    served = await serve(little_app)
    for _ in range(20):
        answer = await served.exchange(
            b"GET /fast HTTP/1.1\r\nhost: a\r\nconnection: close, Upgrade, HTTP2-Settings\r\n"
            b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert answer.endswith(b"fast")
    async with await served.connect() as stream:  # with junk behind it, and gone
        await stream.send_all(b"GET /fast HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: Upgrade\r\n\r\n\0\1")
    await served.settle()
    assert b"200" in await served.get("/fast")
    assert served.server.statistics().failed == 0


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc", 400),
        (b"POST /body HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"CONNECT example.com:443 HTTP/1.1\r\nhost: a\r\n\r\n", 405),
        (b"GET fast HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"GET ?a=b HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),  # a TLS greeting
        (b"junk\r\n\r\n", 400),
        (b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431),
        (b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 2000000\r\n\r\n", 413),
        (b"POST /body HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2000000\r\n\r\n", 413),
        (b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n", 413),
    ],
)
async def test_what_is_not_a_request_is_refused_readably(serve, little_app, request_head, status):
    served = await serve(little_app)
    assert problem(await served.exchange(request_head))["status"] == status
    await served.settle()
    assert b"200" in await served.get("/fast")
    assert served.server.statistics().failed == 0


@pytest.mark.parametrize("target", [b"http://a.example/fast", b"HTTP://a:80/fast?x=http://b/c", b"/fast?u=http://b/"])
async def test_the_absolute_form_is_as_good_as_its_path(serve, little_app, target):
    served = await serve(little_app)
    answer = await served.exchange(b"GET " + target + b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200"), answer


async def test_a_body_within_the_limit_passes(serve, little_app):
    served = await serve(little_app)
    body = b"x" * 1024 * 1024
    answer = await served.exchange(
        b"POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    assert answer.endswith(BODY + b"1048576")


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_body_past_the_limit_is_413_and_the_client_can_read_that(serve, little_app, framing):
    """The whole 2 MB are under way when the answer comes: closing over them would reset the client instead."""
    served = await serve(little_app)
    head = b"POST /body HTTP/1.1\r\nhost: a\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for _ in range(5):
        async with await served.connect() as stream:
            if framing == "length":
                await stream.send_all(head + b"content-length: 2097152\r\n\r\n" + b"x" * 2097152)
            else:
                await stream.send_all(head + b"transfer-encoding: chunked\r\n\r\n" + chunk * 32 + b"0\r\n\r\n")
            answer = await stream.receive_some()
            assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_pipelined_requests_are_answered_in_order(serve, little_app):
    served = await serve(little_app)
    get = b"GET /fast HTTP/1.1\r\nhost: a\r\n"
    answer = await served.exchange((get + b"\r\n") * 9 + get + b"connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 10


async def test_pipelined_requests_and_a_disconnect_give_the_descriptors_back(serve, little_app, wire):
    served = await serve(little_app)
    before = wire.descriptors()
    for path in (b"/fast", b"/download"):
        for _ in range(50):
            async with await served.connect() as stream:
                await stream.send_all((b"GET " + path + b" HTTP/1.1\r\nhost: a\r\n\r\n") * 4)
        await served.settle()
    await trio.testing.wait_all_tasks_blocked()
    assert wire.descriptors() == before
    assert served.server.statistics().failed == 0


async def test_a_pipeline_behind_a_waiting_handler_ends_when_that_answers(serve, little_app):
    served = await serve(little_app)
    async with await served.connect() as stream:
        await stream.send_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n" * 2)
        await little_app.entered.wait()
    little_app.release.set()
    await served.settle()


@pytest.mark.parametrize("behind", [0, 1, 4, 900])
async def test_a_disconnect_cancels_the_handler_whatever_is_pipelined_behind_it(serve, little_app, wire, behind):
    served = await serve(little_app)
    before = wire.descriptors()
    async with await served.connect() as stream:
        await stream.send_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n")
        await little_app.entered.wait()
        await stream.send_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n" * behind)
    with trio.fail_after(5):
        await little_app.ended.wait()
    await served.settle()
    assert wire.descriptors() == before
    assert served.server.statistics().failed == 0


async def test_what_is_sent_while_an_answer_is_made_is_answered_after_it(serve, little_app):
    """In pieces, and more of it than is read ahead."""
    served = await serve(little_app)
    get = b"GET /fast HTTP/1.1\r\nhost: a\r\nx-padding: %s\r\n" % (b"x" * 500)
    async with await served.connect() as stream:
        await stream.send_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n")
        await little_app.entered.wait()
        await stream.send_all(get[:30])
        await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(get[30:] + b"\r\n" + (get + b"\r\n") * 298 + get + b"connection: close\r\n\r\n")
        await trio.testing.wait_all_tasks_blocked(0.01)
        little_app.release.set()
        answer = b""
        while data := await stream.receive_some():
            answer += data
    assert answer.count(b"HTTP/1.1 200") == 301
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_a_lone_disconnect_cancels_the_handler(serve, little_app):
    served = await serve(little_app)
    async with await served.connect() as stream:
        await stream.send_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n")
        await little_app.entered.wait()
    with trio.fail_after(5):
        await little_app.ended.wait()
    await served.settle()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"sec-websocket-version: 12\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", 426),
        (b"sec-websocket-version: 13\r\n", 400),
        (b"sec-websocket-version: 13\r\nsec-websocket-key: short\r\n", 400),
        (b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\ncontent-length: 3\r\n", 400),
    ],
)
async def test_a_bad_websocket_handshake_then_junk_gets_one_answer(serve, little_app, fields, status, wire):
    served = await serve(little_app)
    for _ in range(20):
        async with await served.connect() as stream:
            await stream.send_all(
                b"GET /echo HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" + fields + b"\r\n"
            )
            await stream.send_all(b"\xff\x00junk" * 20)
            answer = await wire.read_all(stream)
        assert problem(answer)["status"] == status
        assert answer.count(b"HTTP/1.1") == 1
    await served.settle()
    assert served.server.statistics().failed == 0


async def test_unknown_websocket_path_is_404(serve, little_app, wire):
    served = await serve(little_app)
    assert (await served.exchange(wire.handshake("/nowhere"))).startswith(b"HTTP/1.1 404")
