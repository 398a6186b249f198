"""Errors as Influx clients read them: the members `code`, `message` (2.x) and `error` (1.x) of a problem document."""

from __future__ import annotations

from typing import Any, Final

PATHS: Final = frozenset({"/write", "/api/v2/write", "/ping"})
_CODES: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    413: "request too large",
    415: "invalid",
    422: "unprocessable entity",
    429: "too many requests",
    503: "unavailable",
}


def influx_members(path: str, status: int, message: str) -> dict[str, Any]:
    """What a problem at `path` says in addition; nothing anywhere else."""
    if path not in PATHS:
        return {}
    code = _CODES.get(status, "invalid" if status < 500 else "internal error")
    return {"code": code, "message": message, "error": message}
