"""Where a request says it comes from: Host, Origin and X-Forwarded-*, held against what the settings allow.

A page of another site that a browser in the coach shows must not reach this service: not by a name of its own that
resolves to our address (DNS rebinding: Host), not by plain cross-site requests or sockets (Origin). Pure, and cheap
for the usual request. Decision 0031 has the reasoning.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from conf.values import Network

ALWAYS: Final = ("localhost", "coachiq.local")
_PORTS: Final = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}
MAX_HOPS: Final = 16
KNOWN: Final = 256

Headers = Mapping[bytes, bytes]


class PlaceError(Exception):
    """Not from there. `status`: 403 or 421."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Place(Struct, frozen=True):
    """`client`: the address that asks, beyond trusted proxies; `forwarded`: through one."""

    client: str
    forwarded: bool = False


class Places:
    """What is allowed, asked for each request."""

    def __init__(
        self,
        hosts: Sequence[str] = (),
        origins: Sequence[str] = (),
        proxies: Sequence[Network] = (),
        *,
        own_name: str | None = None,
    ) -> None:
        own = (own_name or socket.gethostname()).lower()
        self._names = frozenset({*ALWAYS, own, f"{own.partition('.')[0]}.local", *hosts})
        self._below = tuple(host[1:] for host in hosts if host.startswith("*."))
        self._origins = frozenset(origin.removesuffix(_PORTS[urlsplit(origin).scheme]) for origin in origins)
        self._proxies = tuple(proxies)
        self._known: set[bytes] = set()  # Host headers that were found good

    def check(self, headers: Headers, peer: str) -> Place:
        """Where the request of `peer` (an address) comes from. Raises PlaceError."""
        host = headers.get(b"host", b"")
        if host not in self._known:
            self._check_host(host)
            if len(self._known) < KNOWN:
                self._known.add(host)
        trusted = bool(self._proxies) and self._is_proxy(peer)
        origin = headers.get(b"origin")
        if origin is not None:
            self._check_origin(origin.decode("latin-1").lower(), headers, trusted)
        if not trusted:
            return Place(peer)
        return self._forwarded(headers, peer)

    def _check_host(self, header: bytes) -> None:
        if header and not self._is_name_of_ours(header.decode("latin-1").lower()):
            raise PlaceError(
                421, "This service is not known by that name: add it to COACHIQ_ANALYTICS__ALLOWED_HOSTS if it is right"
            )

    def _is_name_of_ours(self, netloc: str) -> bool:
        """An address, a name without a dot (nobody can own one on the internet), or a name that was given."""
        if netloc.startswith("["):
            name, closed, port = netloc[1:].partition("]")
            return bool(closed) and _is_address(name) and (not port or (port.startswith(":") and port[1:].isdigit()))
        name, colon, port = netloc.partition(":")
        name = name.removesuffix(".")
        if (colon and not port.isdigit()) or not name or any(each in name for each in "@/\\?#%"):
            return False
        if name in self._names or _is_address(name):
            return True
        return "." not in name or name.endswith((".localhost", *self._below))

    def _check_origin(self, origin: str, headers: Headers, trusted: bool) -> None:
        scheme, _, netloc = origin.partition("://")
        default = _PORTS.get(scheme, "")
        bare = netloc.removesuffix(default)
        if f"{scheme}://{bare}" in self._origins:
            return
        ours = [headers.get(b"host", b"")]
        if trusted:
            ours.append(_first(headers.get(b"x-forwarded-host", b"")))
        if bare and any(bare == each.decode("latin-1").lower().removesuffix(default) for each in ours if each):
            return
        # A proxy that puts its own Host: the browser itself says that page and request are of one origin.
        if headers.get(b"sec-fetch-site") == b"same-origin" and bare and self._is_name_of_ours(bare):
            return
        raise PlaceError(403, "Pages of other sites may not use this service: see COACHIQ_ANALYTICS__ALLOWED_ORIGINS")

    def _forwarded(self, headers: Headers, peer: str) -> Place:
        """The nearest address that is no proxy of ours: what stands left of it, anybody may have written."""
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")[-MAX_HOPS:]
        client = peer
        for hop in reversed(hops):
            address = hop.strip().strip("[]")
            if not _is_address(address):
                break
            client = address
            if not self._is_proxy(address):
                break
        return Place(client, forwarded=True)

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._proxies)


def _first(header: bytes) -> bytes:
    return header.partition(b",")[0].strip()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
