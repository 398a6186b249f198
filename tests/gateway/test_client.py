"""The HTTP client against scripted servers on the loopback interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio

from gateway.client import HttpClient, PeerError, UrlError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name: value\r\n\r\nhi"


class Script:
    """A server that answers the n-th connection by the n-th script, and keeps what it was sent."""

    def __init__(self, listener: trio.SocketListener) -> None:
        self.port: int = listener.socket.getsockname()[1]
        self.connections: list[Callable[[trio.SocketStream], Awaitable[None]]] = []
        self.received = b""
        self.seen = 0
        self.closed = trio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, stream: trio.SocketStream) -> None:
        script = self.connections[self.seen]
        self.seen += 1
        async with stream:
            await script(stream)

    async def request(self, stream: trio.SocketStream) -> None:
        """Read one request: up to the end of its head, and its body."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += await stream.receive_some()
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += await stream.receive_some()
        self.received += head + b"\r\n\r\n" + body

    def answers(self, *answers: bytes, linger: bool = True) -> Callable[[trio.SocketStream], Awaitable[None]]:
        """One answer a request, then wait for the client to leave (or leave first)."""

        async def script(stream: trio.SocketStream) -> None:
            for answer in answers:
                await self.request(stream)
                await stream.send_all(answer)
            if linger:
                await stream.receive_some()
            self.closed.set()

        return script


@pytest.fixture
async def server(nursery) -> AsyncIterator[Script]:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    script = Script(listeners[0])
    nursery.start_soon(trio.serve_listeners, script.serve, listeners)
    with trio.fail_after(10):
        yield script
    nursery.cancel_scope.cancel()


async def test_one_connection_for_many_requests(server):
    server.connections = [server.answers(OK, OK, OK)]
    async with HttpClient(server.url) as client:
        for _ in range(3):
            answer = await client.request("POST", "/a?b=c", b'{"x": 1}')
            assert (answer.status, answer.body, answer.headers["x-name"]) == (200, b"hi", "value")
    assert server.seen == 1
    head = server.received.split(b"\r\n\r\n")[0]
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert b"Host: 127.0.0.1:%d" % server.port in head
    assert b"Content-Type: application/json" in head
    assert server.received.count(b'{"x": 1}') == 3


async def test_a_request_without_body_says_nothing_of_one(server):
    server.connections = [server.answers(OK)]
    async with HttpClient(server.url + "/prefix/") as client:
        await client.request("GET", "/livez")
    assert server.received.startswith(b"GET /prefix/livez HTTP/1.1\r\n")
    assert b"content-length" not in server.received.lower()


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, b"abcde"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 503, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"hi"),
        (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", 302, b""),
    ],
)
async def test_forms_of_answers(server, answer, status, body):
    server.connections = [server.answers(answer)]
    async with HttpClient(server.url) as client:
        got = await client.request("GET", "/")
    assert (got.status, got.body) == (status, body)


async def test_an_answer_that_ends_with_the_connection(server):
    server.connections = [server.answers(b"HTTP/1.1 200 OK\r\n\r\nall of it", linger=False), server.answers(OK)]
    async with HttpClient(server.url) as client:
        assert (await client.request("GET", "/")).body == b"all of it"
        assert (await client.request("GET", "/")).body == b"hi"


async def test_a_connection_closed_while_idle_is_opened_anew(server):
    server.connections = [server.answers(OK, linger=False), server.answers(OK)]
    async with HttpClient(server.url) as client:
        assert (await client.request("GET", "/")).status == 200
        await server.closed.wait()
        assert (await client.request("GET", "/")).status == 200
    assert server.seen == 2


async def test_a_server_that_only_ever_hangs_up(server):
    server.connections = [server.answers(OK, linger=False), server.answers(b"", linger=False)]
    async with HttpClient(server.url) as client:
        await client.request("GET", "/")
        await server.closed.wait()
        with pytest.raises(PeerError, match="without an answer"):
            await client.request("GET", "/")


async def test_connection_close_is_honoured(server):
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    server.connections = [server.answers(closing), server.answers(OK)]
    async with HttpClient(server.url) as client:
        await client.request("GET", "/")
        await client.request("GET", "/")
    assert server.seen == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "broke off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broke off"),
    ],
)
async def test_trouble_is_said_and_the_next_request_works(server, answer, message):
    server.connections = [server.answers(answer, linger=False), server.answers(OK)]
    async with HttpClient(server.url) as client:
        with pytest.raises(PeerError, match=message) as caught:
            await client.request("GET", "/")
        assert str(caught.value).startswith(server.url)
        assert (await client.request("GET", "/")).status == 200


async def test_nobody_listens():
    with trio.socket.socket() as sock:
        await sock.bind(("127.0.0.1", 0))
        async with HttpClient(f"http://127.0.0.1:{sock.getsockname()[1]}") as client:
            with pytest.raises(PeerError, match="refused"):
                await client.request("GET", "/")


async def test_an_endless_answer_is_cut(server, monkeypatch):
    monkeypatch.setattr("gateway.client.MAX_BODY_BYTES", 10)
    server.connections = [server.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901")]
    async with HttpClient(server.url) as client:
        with pytest.raises(PeerError, match="larger"):
            await client.request("GET", "/")


async def test_a_cancelled_request_closes_the_connection(server):
    async def silent(stream: trio.SocketStream) -> None:
        await server.request(stream)
        scope.cancel()
        assert await stream.receive_some() == b""
        server.closed.set()

    server.connections = [silent, server.answers(OK)]
    async with HttpClient(server.url) as client:
        with trio.CancelScope() as scope:
            await client.request("GET", "/")
        assert scope.cancelled_caught
        await server.closed.wait()
        assert (await client.request("GET", "/")).status == 200


@pytest.mark.parametrize("url", ["", "127.0.0.1:8099", "ftp://a", "http://", "http://a:x", "http://a?b", "http://a#b"])
def test_what_is_no_address(url):
    with pytest.raises(UrlError):
        HttpClient(url)


def test_addresses():
    assert HttpClient("http://[::1]:80/x/")._host == "::1"
    assert HttpClient("https://coach.local")._port == 443
