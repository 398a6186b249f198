"""What gateway/server.py promises, on a real loopback socket."""

# flake8: noqa: ASYNC112

from __future__ import annotations

import errno
import json
import logging
import random
import socket

import pytest
import trio
import trio.testing

from gateway import http1
from gateway.connection import Limits
from gateway.server import Server, open_listening_socket

GET = b"GET /fast HTTP/1.1\r\nhost: a\r\n\r\n"
WAIT = b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n"


# -- the socket


def test_accepted_sockets_inherit_the_options():
    with open_listening_socket("127.0.0.1", 0, user_timeout_s=7.5) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        with socket.create_connection(listener.getsockname()):
            listener.setblocking(True)
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7500
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize(("host", "reaches"), [("::1", ["::1"]), ("::", ["::1", "127.0.0.1"]), ("localhost", [])])
def test_names_and_ipv6(host, reaches):
    try:
        listener = open_listening_socket(host, 0)
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            pytest.skip("this machine has no IPv6 loopback")
        raise
    with listener:
        for address in reaches:
            with socket.create_connection((address, listener.getsockname()[1])):
                pass


def test_a_port_in_use_is_an_error_and_leaves_nothing_open(wire):
    with open_listening_socket("127.0.0.1", 0) as listener:
        before = wire.descriptors()
        with pytest.raises(OSError, match="in use") as caught:
            open_listening_socket(*listener.getsockname())
        assert caught.value.errno == errno.EADDRINUSE
        assert wire.descriptors() == before


# -- the life of a server


async def test_started_means_accepting_and_the_lifespan_is_observed(serve, little_app):
    served = await serve(little_app)
    assert little_app.served == [1, 0]
    assert (await served.get("/fast")).endswith(b"fast")
    assert await served.stop() < 1
    assert little_app.served == [1, 1]


async def test_the_socket_outlives_a_restart_and_who_connects_meanwhile_is_served(little_app, wire):
    with open_listening_socket("127.0.0.1", 0) as listener:
        server = Server(little_app, listener)
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                await nursery.start(server.run)
                server.stop()
        waiting = await trio.open_tcp_stream(*listener.getsockname())
        async with waiting, trio.open_nursery() as nursery:
            await waiting.send_all(GET)
            await nursery.start(server.run)
            assert b"fast" in await wire.read_until(waiting, b"fast")
            server.stop()
    assert little_app.served == [3, 3]


async def test_a_cancelled_server_leaves_nothing_behind(little_app, wire, serve):
    before = wire.descriptors()
    with open_listening_socket("127.0.0.1", 0) as listener:
        async with trio.open_nursery() as nursery:
            await nursery.start(Server(little_app, listener).run)
            async with await trio.open_tcp_stream(*listener.getsockname()) as stream:
                await stream.send_all(WAIT)
                await little_app.entered.wait()
                nursery.cancel_scope.cancel()
    assert little_app.ended.is_set()
    assert little_app.served == [1, 1]
    assert wire.descriptors() == before


async def test_a_failing_start_of_the_application_fails_the_server(little_app):
    @little_app.before_serving
    async def fail() -> None:
        raise RuntimeError("no database")

    fails = pytest.RaisesGroup(pytest.RaisesExc(Exception, match="no database"), flatten_subgroups=True)
    with open_listening_socket("127.0.0.1", 0) as listener, fails:
        async with trio.open_nursery() as nursery:
            await nursery.start(Server(little_app, listener).run)


async def test_stop_before_run_and_twice_is_harmless(little_app, serve):
    with open_listening_socket("127.0.0.1", 0) as listener:
        server = Server(little_app, listener)
        server.stop()
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            server.stop()
            server.stop()


# -- one connection's failure


async def test_a_failing_connection_takes_down_only_itself(serve, little_app, wire, monkeypatch, caplog):
    examined = http1.examined

    def broken(request, *limits):
        if request.target == b"/boom":
            raise RuntimeError("a bug in the protocol")
        return examined(request, *limits)

    monkeypatch.setattr(http1, "examined", broken)
    served = await serve(little_app)
    async with await served.connect() as other:
        await other.send_all(WAIT)
        await little_app.entered.wait()
        with caplog.at_level(logging.ERROR, logger="gateway.server"):
            assert b"200" not in await served.get("/boom")
            await served.settle(1)
        little_app.release.set()
        assert b"waited" in await wire.read_until(other, b"waited")
    assert served.server.statistics().failed == 1
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_a_failing_handler_is_500_and_no_failure_of_the_connection(serve, little_app, caplog):
    @little_app.get("/bug")
    async def bug() -> str:
        raise RuntimeError("a bug in the application")

    served = await serve(little_app)
    with caplog.at_level(logging.CRITICAL):
        assert (await served.get("/bug")).startswith(b"HTTP/1.1 500")
    assert served.server.statistics().failed == 0


HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
PIECES = (
    GET,
    WAIT,
    b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
    b"POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /body HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
    b"GET /fast HTTP/1.0\r\n\r\n",
    b"HEAD /fast HTTP/1.1\r\nhost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /fast HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: Upgrade\r\n\r\n",
    b"GET /echo HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n",
    HANDSHAKE,
    HANDSHAKE.replace(b"/echo", b"/flood"),
    b"\x81\x85\0\0\0\0hello",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\xff\xff",
    b"junk",
    b"\r\n",
    b"GET /download HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET //[ HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /%ff%00 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET /fast HTTP/1.1\r\nhost: \xff\r\n\r\n",
)


async def test_three_hundred_mixed_conversations_harm_nobody(serve, little_app, wire, caplog):
    """Requests, frames and junk in any order, cut anywhere. The seed is fixed: a failure can be had again."""
    caplog.set_level(logging.CRITICAL, logger="hypercorn")
    choose = random.Random(20)
    served = await serve(little_app, limits=Limits(linger_s=0.05, first_byte_s=1))
    little_app.release.set()
    before = wire.descriptors()

    async def talk() -> None:
        async with await served.connect() as stream:
            data = b"".join(choose.choices(PIECES, k=choose.randint(1, 5)))
            data = data[: choose.randint(1, len(data))] if choose.random() < 0.3 else data
            try:
                for piece in (data[:40], data[40:]):
                    if piece:
                        await stream.send_all(piece)
                    await trio.lowlevel.checkpoint()
                if choose.random() < 0.5:
                    with trio.move_on_after(0.02):
                        while await stream.receive_some():
                            pass
            except trio.BrokenResourceError:
                pass  # it may well be reset

    for _ in range(30):
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(talk)
        assert (await served.get("/fast")).endswith(b"fast")
    await served.settle()
    assert served.server.statistics().failed == 0, caplog.text
    assert wire.descriptors() == before


# -- too many


async def test_past_the_cap_an_idle_connection_makes_room(serve, little_app, wire):
    served = await serve(little_app, limits=Limits(max_connections=2))
    async with await served.connect() as oldest, await served.connect() as newer:
        for stream in (oldest, newer):
            await stream.send_all(GET)
            await wire.read_until(stream, b"fast")
        assert (await served.get("/fast")).endswith(b"fast")
        assert await wire.read_all(oldest) == b""
        await newer.send_all(GET)
        await wire.read_until(newer, b"fast")


async def test_past_the_cap_a_request_that_drips_makes_room(serve, little_app, wire, monkeypatch):
    monkeypatch.setattr("gateway.server.PROMPT_S", 0.0)
    served = await serve(little_app, limits=Limits(max_connections=2))
    async with await served.connect() as dripping, await served.connect() as busy:
        await dripping.send_all(b"GET /fast HTTP/1.1\r\nhost:")
        await busy.send_all(WAIT)
        await little_app.entered.wait()
        assert (await served.get("/fast")).endswith(b"fast")
        assert b"200" not in await wire.read_all(dripping)
        little_app.release.set()
        await wire.read_until(busy, b"waited")
    assert served.server.statistics().refused == 0


async def test_two_hundred_connections_a_second(serve, little_app, wire):
    """By the clock, whether the ones before are done or not; three seconds of it."""
    served = await serve(little_app, limits=Limits(max_connections=64))
    before = wire.descriptors()
    answered = 0

    async def visit() -> None:
        nonlocal answered
        was_answered = (await served.get("/fast")).endswith(b"fast")
        answered += was_answered

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(600):
            nursery.start_soon(visit)
            await trio.sleep_until(begun + number / 200)
    assert answered + served.server.statistics().refused >= 600
    assert answered > 500
    await served.settle()
    assert served.server.statistics().failed == 0
    assert wire.descriptors() == before


async def test_past_the_cap_of_busy_connections_it_is_503(serve, little_app, wire):
    served = await serve(little_app, limits=Limits(max_connections=1))
    async with await served.connect() as busy:
        await busy.send_all(WAIT)
        await little_app.entered.wait()
        answer = await served.get("/fast")
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: " in answer
        problem = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert problem["detail"] == "Too many connections: try again later"
        assert {"instance", "errors", "type", "title", "status"} <= problem.keys()
        assert b"content-security-policy: " in answer
        little_app.release.set()
        await wire.read_until(busy, b"waited")
    await served.settle()
    assert (await served.get("/fast")).endswith(b"fast")
    assert served.server.statistics().refused == 1


async def test_out_of_descriptors_is_waited_out(serve, little_app, monkeypatch, caplog):
    accept = socket.socket.accept
    failures = [OSError(errno.EMFILE, "Too many open files")]

    def failing(sock):
        connection, address = accept(sock)
        if failures:
            connection.close()
            raise failures.pop()
        return connection, address

    monkeypatch.setattr(socket.socket, "accept", failing)
    served = await serve(little_app)
    assert b"200" not in await served.get("/fast")
    assert (await served.get("/fast")).endswith(b"fast")
    assert "cannot accept" in caplog.text


# -- the stop


async def test_stop_ends_idle_connections_at_once_and_lets_answers_finish(serve, little_app, wire):
    served = await serve(little_app)
    async with await served.connect() as idle, await served.connect() as busy:
        await idle.send_all(GET)
        await wire.read_until(idle, b"fast")
        await busy.send_all(WAIT)
        await little_app.entered.wait()
        served.server.stop()
        assert await wire.read_all(idle) == b""
        await idle.aclose()
        little_app.release.set()
        assert (await wire.read_all(busy)).endswith(b"waited")
        await busy.aclose()
        assert await served.stop() < 1


@pytest.mark.parametrize("path", ["/wait", "/download", "/flood", "/echo", "/late", "half a head"])
async def test_stop_ends_in_time_whatever_the_client_does(serve, little_app, wire, path):
    """In production the last means come after `drain_s` = 2 s; here after 0.3 s."""
    served = await serve(little_app, limits=Limits(drain_s=0.3))
    async with await served.connect(receive_buffer=4096) as stalled:
        if path in ("/wait", "/download"):
            await stalled.send_all(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        elif path == "half a head":
            await stalled.send_all(b"GET / HT")
        else:
            await stalled.send_all(wire.handshake(path))
        if path in ("/wait", "/download", "/flood", "/late"):
            await little_app.entered.wait()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert await served.stop() < 1
        assert served.server.statistics().connections == 0


def test_stopping_in_production_leaves_room_in_the_supervisors_five_seconds():
    assert Limits().drain_s + 1 <= 3.5  # and a second for the application's own end
