"""Requests to other servers: only where they may go, once, bounded, and honest about what was sent."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable

import pytest
import trio

from actors.core import NoAnswerError, NotSentError
from gateway import outbound
from gateway.outbound import AddressError, exchange, outside, resolve

Answering = Callable[[trio.SocketStream], Awaitable[None]]


@pytest.mark.parametrize(
    ("address", "public", "lan"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1::1", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.1.1", False, True),
        ("172.16.0.1", False, True),
        ("fd00::1", False, True),
        ("::1", False, True),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("::ffff:127.0.0.1", False, True),
        ("2002:7f00:1::", False, True),
        ("0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("100.64.0.1", False, False),
        ("255.255.255.255", False, False),
    ],
)
def test_where_users_targets_may_be(address: str, public: bool, lan: bool) -> None:
    parsed = ipaddress.ip_address(address)
    assert outside(parsed) is public
    if address != "255.255.255.255":
        assert outside(parsed, lan=lan or True) is lan


class Names(trio.abc.HostnameResolver):
    """A DNS in which every name is at `address`."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        await trio.lowlevel.checkpoint()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in self.addresses]

    async def getnameinfo(self, sockaddr, flags):
        raise NotImplementedError


@pytest.mark.parametrize("addresses", [("169.254.169.254",), ("93.184.216.34", "169.254.169.254"), ("10.0.0.1",)])
async def test_a_name_that_leads_where_it_may_not(addresses: tuple[str, ...]) -> None:
    trio.socket.set_custom_hostname_resolver(Names(*addresses))
    with pytest.raises(AddressError):
        await resolve("innocent.example", 443, outside)
    with pytest.raises(AddressError):
        await exchange("POST", "https://innocent.example/x", headers={}, may_reach=outside)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "http://", "http://[", "http://x:99999/", "gopher://x",
                                 "http://a/\r\nX: y", "http://a/ü"])  # fmt: skip
async def test_what_is_no_address(url: str) -> None:
    with pytest.raises(NotSentError):
        await exchange("GET", url, headers={})


@pytest.fixture
async def at(nursery: trio.Nursery) -> Callable[[Answering], Awaitable[str]]:
    async def start(answer: Answering) -> str:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def serve(stream: trio.SocketStream) -> None:
            data = b""
            while b"\r\n\r\n" not in data:
                data += await stream.receive_some()
            try:
                await answer(stream)
            except trio.BrokenResourceError:
                return

        await nursery.start(trio.serve_listeners, serve, listeners)
        return f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/hook?a=b"

    yield start
    nursery.cancel_scope.cancel()


async def test_a_redirect_is_an_answer(at) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.send_all(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")

    reply = await exchange("GET", await at(answer), headers={})
    assert (reply.status, reply.headers["location"]) == (302, "http://169.254.169.254/")


async def test_a_gigabyte_is_not_read(at) -> None:
    sent = 0

    async def answer(stream: trio.SocketStream) -> None:
        nonlocal sent
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
        for _ in range(1024):
            await stream.send_all(bytes(1 << 20))
            sent += 1

    reply = await exchange("GET", await at(answer), headers={}, max_body_bytes=1000)
    assert (reply.status, len(reply.body)) == (200, 1000)
    assert sent < 100


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "the shop closed the connection without a whole answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", "the shop closed the connection without a whole answer"),
        (b"SSH-2.0-x\r\n\r\n", "the shop sent what is no answer in HTTP"),
    ],
)
async def test_broken_off_after_it_was_sent(at, said: bytes, told: str) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.send_all(said)
        await stream.aclose()

    with pytest.raises(NoAnswerError) as failed:
        await exchange("POST", await at(answer), headers={}, body=b"{}", peer="the shop")
    assert str(failed.value) == told
    with pytest.raises(NoAnswerError, match=r"^127\.0\.0\.1 "):
        await exchange("POST", await at(answer), headers={}, body=b"{}")


async def test_nobody_there_means_nothing_was_sent() -> None:
    with pytest.raises(NotSentError):
        await exchange("POST", "http://127.0.0.1:9/", headers={})


async def test_too_late_to_send(at, monkeypatch) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        raise AssertionError("nothing may arrive")

    with pytest.raises(NotSentError, match="in time"):
        await exchange("POST", await at(answer), headers={}, send_by_s=trio.current_time() - 1)
    assert outbound.CONNECT_WITHIN_S == 5
