"""A small HTTP/1.1 client over Trio: one kept-alive connection to one server, one request at a time.

For the commands that talk to a running service. Promises: an `Answer` is whole; a connection that the
server closed while it was idle is opened anew without the caller's noticing; every other trouble is a
PeerError, after which it is unknown whether the server acted, and the client is ready for the next
request. Redirects are not followed, bodies are bounded. Cancelling a request closes the connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

import h11
import trio
from msgspec import Struct

MAX_BODY_BYTES: Final = 64 << 20
_CHUNK_BYTES: Final = 64 * 1024


class PeerError(Exception):
    """The server cannot be reached, or broke off. `str()` is a sentence for people."""


class UnreachableError(PeerError):
    """No connection came about: the server has heard nothing."""


class UrlError(ValueError):
    """No address of an HTTP server."""


class Answer(Struct, frozen=True):
    """`headers`: lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """A client of the server at `url`; its path is put before every request's. Use with `async with`."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`token`: sent as Bearer. Raises UrlError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UrlError(f"{url}: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise UrlError(f"{url}: expected something like http://127.0.0.1:8099")
        self.url = url
        self._authorization = [] if token is None else [("Authorization", f"Bearer {token}")]
        self._secure = parts.scheme == "https"
        self._host: str = parts.hostname
        self._port = port or (443 if self._secure else 80)
        self._authority = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._stream: trio.abc.Stream | None = None
        self._http = h11.Connection(h11.CLIENT)
        self._heard = False  # the server has begun to answer

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection. The client stays usable."""
        stream, self._stream = self._stream, None
        if stream is None:
            await trio.lowlevel.checkpoint()
        else:
            await trio.aclose_forcefully(stream)

    async def request(
        self, method: str, target: str, body: bytes = b"", content_type: str = "application/json"
    ) -> Answer:
        """Raises PeerError. Callers bring the deadline."""
        reused = self._stream is not None
        try:
            return await self._try(method, target, body, content_type)
        except _ClosedIdleError as error:
            if not reused:
                raise PeerError(f"{self.url}: closed the connection without an answer") from error
        try:
            return await self._try(method, target, body, content_type)
        except _ClosedIdleError as error:
            raise PeerError(f"{self.url}: closed the connection without an answer") from error

    async def _try(self, method: str, target: str, body: bytes, content_type: str) -> Answer:
        finished = self._heard = False
        try:
            if self._stream is None:
                try:
                    await self._connect()
                except OSError as error:
                    raise UnreachableError(f"{self.url}: {_reason(error)}") from error
            await self._send(method, target, body, content_type)
            answer = await self._receive()
            finished = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
            return answer
        except (OSError, ssl.SSLError) as error:
            raise PeerError(f"{self.url}: {_reason(error)}") from error
        except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
            if not self._heard:
                raise _ClosedIdleError from error
            raise PeerError(f"{self.url}: broke off the answer ({error})") from error
        finally:
            if finished:
                self._http.start_next_cycle()
            else:
                await self.aclose()

    async def _connect(self) -> None:
        stream: trio.abc.Stream
        if self._secure:
            stream = await trio.open_ssl_over_tcp_stream(
                self._host, self._port, https_compatible=True, ssl_context=ssl.create_default_context()
            )
        else:
            stream = await trio.open_tcp_stream(self._host, self._port)
        self._stream, self._http = stream, h11.Connection(h11.CLIENT)

    async def _send(self, method: str, target: str, body: bytes, content_type: str) -> None:
        headers = [("Host", self._authority), ("Accept", "application/json"), *self._authorization]
        if body:
            headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        request = h11.Request(method=method, target=self._prefix + target, headers=headers)
        data = self._http.send(request) or b""
        if body:
            data += self._http.send(h11.Data(data=body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        assert self._stream is not None  # noqa: S101  # _connect saw to it
        await self._stream.send_all(data)

    async def _receive(self) -> Answer:
        assert self._stream is not None  # noqa: S101  # as above
        status, body = 0, bytearray()
        headers: dict[str, str] = {}
        while True:
            data = await self._stream.receive_some(_CHUNK_BYTES)
            self._heard = self._heard or bool(data)
            self._http.receive_data(bytes(data))
            while (event := self._http.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    status = event.status_code
                    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
                elif isinstance(event, h11.Data):
                    body += event.data
                    if len(body) > MAX_BODY_BYTES:
                        raise PeerError(f"{self.url}: the answer is larger than {MAX_BODY_BYTES >> 20} MiB")
                elif isinstance(event, h11.EndOfMessage):
                    return Answer(status, headers, bytes(body))


class _ClosedIdleError(Exception):
    """The server closed before it said a word."""


def _reason(error: OSError) -> str:
    """One sentence of an OSError that Trio may have made of several."""
    if isinstance(error.__cause__, BaseExceptionGroup):
        first = error.__cause__.exceptions[0]
        if isinstance(first, OSError):
            error = first
    return error.strerror or str(error) or type(error).__name__
