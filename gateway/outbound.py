"""One HTTP/1.1 request to somebody else's server, on a connection of its own, and never a second one.

Promises: says whether anything was sent (`NotSentError`: certainly not); follows no redirect; reads no more than it is
told to; connects to the very address that was checked, so that a name which resolves differently a moment later does
not lead elsewhere. Callers bring the deadline for the whole.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import h11
import trio
from msgspec import Struct

from actors.core import NoAnswerError, NotSentError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_WITHIN_S: Final = 5.0
_CHUNK_BYTES: Final = 64 * 1024
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class AddressError(NotSentError):
    """The target is not one that may be spoken to."""


class Reply(Struct, frozen=True):
    """`headers`: lower-case names. `body`: at most as much as was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def anywhere(address: IpAddress) -> bool:
    """The rule for targets that the owner of the computer has set."""
    return True


def outside(address: IpAddress, *, lan: bool = False) -> bool:
    """The rule for targets that users set: the public internet, and this network only when that is allowed. What clouds
    keep their secrets at (link-local) is never spoken to."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return outside(inner, lan=lan)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or address.is_private:
        return lan and not (isinstance(address, ipaddress.IPv4Address) and address.packed[0] == 0)
    return address.is_global


async def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    may_reach: Callable[[IpAddress], bool] = anywhere,
    max_body_bytes: int = 1 << 20,
    send_by_s: float = math.inf,
    peer: str | None = None,
) -> Reply:
    """`send_by_s` (Trio's time): without a connection by then nothing is sent. `peer`: what people call it, unless by
    the name of its host. Raises NotSentError, NoAnswerError: sentences for people."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise AddressError(f"{url[:200]} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressError("only http and https addresses are spoken to")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        request = h11.Request(
            method=method,
            target=target.encode("ascii"),
            headers=[
                ("Host", parts.netloc.rpartition("@")[2]), ("Connection", "close"),
                ("Content-Length", str(len(body))), *headers.items(),
            ],
        )  # fmt: skip
    except (UnicodeError, h11.LocalProtocolError) as error:
        raise AddressError(f"{url[:200]} is no address: {error}") from error
    stream: trio.abc.Stream | None = None
    with trio.move_on_at(min(send_by_s, trio.current_time() + CONNECT_WITHIN_S)):
        stream = await _connect(parts.hostname, port, parts.scheme == "https", may_reach)
    if stream is None:
        raise NotSentError(f"{parts.hostname} can't be reached in time")
    peer = peer or parts.hostname
    try:
        return await _converse(stream, request, body, max_body_bytes)
    except EOFError as error:
        raise NoAnswerError(f"{peer} closed the connection without a whole answer") from error
    except h11.RemoteProtocolError as error:
        raise NoAnswerError(f"{peer} sent what is no answer in HTTP") from error
    except (OSError, trio.BrokenResourceError) as error:
        raise NoAnswerError(f"{peer} broke off the connection") from error
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(1):
            await trio.aclose_forcefully(stream)


async def resolve(host: str, port: int, may_reach: Callable[[IpAddress], bool]) -> list[str]:
    """The addresses of `host` that may be spoken to. Raises AddressError: one of them may not, or there is none."""
    try:
        found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSentError(f"{host[:100]} is not known: {error}") from error
    addresses = list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))
    for text in addresses:
        if not may_reach(ipaddress.ip_address(text)):
            raise AddressError(f"{host[:100]} is at {text}, which is not spoken to from here")
    if not addresses:
        raise NotSentError(f"{host[:100]} has no address")
    return addresses


async def _connect(host: str, port: int, secure: bool, may_reach: Callable[[IpAddress], bool]) -> trio.abc.Stream:
    errors: list[str] = []
    for address in await resolve(host, port, may_reach):
        try:
            plain = await trio.open_tcp_stream(address, port)
        except OSError as error:
            errors.append(error.strerror or str(error))
            continue
        if not secure:
            return plain
        tls = trio.SSLStream(plain, ssl.create_default_context(), server_hostname=host, https_compatible=True)
        try:
            await tls.do_handshake()
        except (OSError, trio.BrokenResourceError, ssl.SSLError) as error:
            await trio.aclose_forcefully(plain)
            raise NotSentError(f"{host} can't be spoken to securely: {error.__cause__ or error}") from error
        except BaseException:
            await trio.aclose_forcefully(plain)
            raise
        return tls
    raise NotSentError(f"{host} can't be reached: {'; '.join(dict.fromkeys(errors))}")


async def _converse(stream: trio.abc.Stream, request: h11.Request, body: bytes, max_body_bytes: int) -> Reply:
    """Raises EOFError, h11.RemoteProtocolError, OSError, BrokenResourceError."""
    http = h11.Connection(h11.CLIENT)
    data = (http.send(request) or b"") + (http.send(h11.Data(data=body)) or b"" if body else b"")
    await stream.send_all(data + (http.send(h11.EndOfMessage()) or b""))
    status, headers, got = 0, {}, bytearray()
    while True:
        data = bytes(await stream.receive_some(_CHUNK_BYTES))
        http.receive_data(data)
        while (event := _next(http, ended=not data)) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                got += event.data
                if len(got) > max_body_bytes:
                    return Reply(status, headers, bytes(got[:max_body_bytes]))
            elif isinstance(event, h11.EndOfMessage):
                return Reply(status, headers, bytes(got))


def _next(http: h11.Connection, *, ended: bool) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
    try:
        return http.next_event()
    except h11.RemoteProtocolError as error:
        if ended:
            raise EOFError from error
        raise
