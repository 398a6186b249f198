"""What is refused before the application sees it, by a request's head alone. Pure.

A refusal is (status, detail, fields). None of them is a 5xx: that is said of faults of ours alone, so that whoever
watches them is not woken by a scanner.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import h11

MAX_FIELDS: Final = 128
_ORIGIN: Final = re.compile(rb"\Ahttps?://[^/?#]*", re.IGNORECASE)

Refusal = tuple[int, str, tuple[tuple[bytes, bytes], ...]]


def has_oversized_head(data: bytes, max_head_bytes: int) -> bool:
    """Whether the request that begins with `data` has too long a head, or too many fields: seen before it is parsed."""
    end = data.find(b"\r\n\r\n", 0, max_head_bytes)
    if end < 0:
        end = data.find(b"\n\n", 0, max_head_bytes)
    if end < 0:
        return len(data) > max_head_bytes
    return data.count(b"\n", 0, end) > MAX_FIELDS


def examined(
    request: h11.Request, max_head_bytes: int, max_body_bytes: int
) -> tuple[dict[bytes, bytes], bytes, bool, Refusal | None]:
    """(fields by name, target as a path, whether it asks for a WebSocket, why it is refused)."""
    names = {name: value.strip() for name, value in request.headers}
    upgrades = (
        names.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in {token.strip() for token in names.get(b"connection", b"").lower().split(b",")}
        and request.method == b"GET"
    )
    target = _ORIGIN.sub(b"", request.target)  # the absolute form is as good as the path in it
    if target != request.target and not target.startswith(b"/"):
        target = b"/" + target
    refusal = refusal_of(request, names, target, max_head_bytes) or (
        bad_handshake(request, names) if upgrades else None
    )
    if refusal is None and int(names.get(b"content-length", b"0")) > max_body_bytes:
        refusal = too_large(max_body_bytes)
    return names, target, upgrades, refusal


def refusal_of(request: h11.Request, names: dict[bytes, bytes], target: bytes, max_head_bytes: int) -> Refusal | None:
    if len(target) + sum(len(name) + len(value) + 4 for name, value in request.headers) > max_head_bytes:
        return 431, f"The request's head is larger than {max_head_bytes} bytes", ()
    if len(request.headers) > MAX_FIELDS:
        return 431, f"The request has more than {MAX_FIELDS} header fields", ()
    if request.http_version not in (b"1.0", b"1.1"):
        return 400, "Only HTTP/1.1 is spoken here", ()
    if b"content-length" in names and b"transfer-encoding" in names:
        return 400, "A request has Content-Length or Transfer-Encoding, not both", ()
    if b"transfer-encoding" in names and request.http_version == b"1.0":
        return 400, "HTTP/1.0 has no Transfer-Encoding", ()
    if request.method == b"CONNECT":
        return 405, "This is not a proxy", ((b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),)
    if not target.startswith(b"/"):
        return 400, "The request target is not a path", ()
    return None


def too_large(limit: int) -> Refusal:
    return 413, f"The body is larger than {limit} bytes: send it in parts", ()


def bad_handshake(request: h11.Request, names: dict[bytes, bytes]) -> Refusal | None:
    if request.http_version != b"1.1":
        return 400, "A WebSocket handshake needs HTTP/1.1", ()
    if names.get(b"sec-websocket-version") != b"13":
        return 426, "Only WebSocket version 13 is spoken here", ((b"sec-websocket-version", b"13"),)
    try:
        key = base64.b64decode(names.get(b"sec-websocket-key", b""), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 16:
        return 400, "Sec-WebSocket-Key is not 16 bytes in base64", ()
    if b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0":
        return 400, "A WebSocket handshake has no body", ()
    return None
