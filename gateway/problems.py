"""Errors as RFC 9457 problem details: one shape for every refusal and failure, whoever raised it.

Promises: `detail` is always a readable string (CoachIQ's dashboard prints it as it is), the media type is
application/problem+json, and nothing of an unexpected error leaves the process but that it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
import trio
from quart import Response, has_request_context, request, websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException
from werkzeug.routing.exceptions import WebsocketMismatch

from .influx_shape import influx_members

PROBLEM_JSON: Final = "application/problem+json"

DETAILS: Final = {
    404: "There is nothing at {path}",
    405: "{path} does not answer {method}",
    408: "The body did not arrive in time",
    413: "The body is larger than {limit} bytes: send it in parts",
    500: "Something failed inside the service; its log says what",
}


class Problem(Exception):
    """Answer this instead. `errors`: {"parameter" or "pointer": ..., "message": ...}; `members`: further
    ones."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})
        self.members = members

    def encoded(self, instance: str) -> bytes:
        """The document."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": title(self.status),
            "status": self.status,
            "detail": self.detail,
            "instance": printable(instance),
            **influx_members(instance, self.status, self.detail),
            **self.members,
        }
        document.setdefault("errors", self.errors)
        return msgspec.json.encode(document)

    def response(self, instance: str) -> Response:
        return Response(self.encoded(instance), self.status, self.headers, content_type=PROBLEM_JSON)


_PHRASES: Final = {
    413: "Content Too Large",
    422: "Unprocessable Content",
}  # of RFC 9110, as Python 3.13 has them


def title(status: int) -> str:
    """The registered phrase: what `title` must be for the type about:blank."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def printable(text: str) -> str:
    """`text` without what UTF-8 cannot carry, and bounded."""
    return text[:500].encode(errors="replace").decode()


def _path() -> str:
    """Of the present request, or of the socket that asks to be opened."""
    path: str = request.path if has_request_context() else websocket.path
    return path


def register_problems(app: QuartTrio) -> None:
    """Every error of `app` becomes a problem document."""

    @app.errorhandler(Problem)
    async def problem(error: Problem) -> Response:
        await trio.lowlevel.checkpoint()
        return error.response(_path())

    @app.errorhandler(HTTPException)
    async def http_error(error: HTTPException) -> Response:
        await trio.lowlevel.checkpoint()
        path = _path()
        if not has_request_context():  # a handshake for what is no WebSocket
            return Problem(404, f"There is no WebSocket at {printable(path)}").response(path)
        if isinstance(error, WebsocketMismatch):
            detail = f"{printable(path)} is a WebSocket: connect to it with ws:// or wss://"
            return Problem(426, detail, headers={"Upgrade": "websocket"}).response(path)
        status = error.code or 500
        detail = DETAILS.get(status, error.description or title(status))
        kept = [(name, value) for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")]
        return Problem(
            status,
            detail.format(
                path=printable(path),
                method=request.method,
                limit=app.config["MAX_CONTENT_LENGTH"],
            )
            if status in DETAILS
            else detail,
            headers=dict(kept),
        ).response(path)
