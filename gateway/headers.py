"""The headers of every answer, whoever gives it: the app, the fast path, the Gate, the server itself."""

from __future__ import annotations

from typing import Final

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NO_STORE: Final = ("Cache-Control", "no-store")
RAW_HEADERS: Final = tuple(
    (name.lower().encode(), value.encode()) for name, value in (*SECURITY_HEADERS.items(), NO_STORE)
)
# Of downloads that are sent while they are read: a proxy passes them on as they come, and as they are.
UNBUFFERED: Final = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
