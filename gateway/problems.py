"""Errors as RFC 9457 problem details: one shape for every refusal and failure, whoever raised it.

Promises: `detail` is always a readable string (CoachIQ's dashboard prints it as it is), the media type is
application/problem+json, and nothing of an unexpected error leaves the process but that it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

import msgspec
import trio
from quart import Response, has_request_context, request, websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException
from werkzeug.routing.exceptions import WebsocketMismatch

from .influx_shape import influx_members

if TYPE_CHECKING:
    from pydantic import ValidationError

PROBLEM_JSON: Final = "application/problem+json"
_PATH_CHARACTERS: Final = "/:@!$&'()*+,;=~"  # RFC 3986: all others are percent-encoded in a path

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
            "instance": quote(printable(instance), safe=_PATH_CHARACTERS),
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


def invalid(
    error: ValidationError,
    members: Collection[str],
    kind: Literal["parameter", "pointer"],
    where: Callable[[tuple[int | str, ...]], str],
) -> Problem:
    """422 that names what a model refused. `where`: what a place in the model is called; a sentence of a whole model's
    validator that begins with one of its `members` is of that one."""
    errors, sentences = [], []
    for item in error.errors(include_url=False, include_context=False):
        place = item["loc"]
        message = "unknown member" if item["type"] == "extra_forbidden" else _plain(item["msg"])
        name, _, rest = message.partition(": ")
        if not place and rest and name in members:
            place, message = (name,), rest
        errors.append({kind: where(place), "message": message})
        sentences.append(": ".join(filter(None, (where(place).lstrip("/"), message))))
    return Problem(422, "; ".join(sentences), errors=errors)


def _plain(message: str) -> str:
    """Pydantic's sentence as one among ours."""
    message = message.removeprefix("Value error, ").replace("Input should be ", "must be ", 1)
    return message[:1].lower() + message[1:]


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
