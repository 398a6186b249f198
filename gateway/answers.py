"""What a route may answer, as it declares it: a status, a sentence, a model, an example.

Owns `Answer` and the sentences of the refusals. Imports no model before one is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

from . import schemas
from .problems import PROBLEM_JSON, title


class Answer(Struct, frozen=True):
    """One status a route can answer."""

    description: str
    model: Any = None  # a Pydantic model, or None: no JSON
    media_type: str = "application/json"
    example: Any = None
    also: tuple[str, ...] = ()  # further media types with the same content, as text
    headers: Mapping[str, str] = field(default_factory=dict)  # name -> what it says


_WHY: Final = {
    400: "The body is not JSON",
    401: "No token, one that has expired, or one that is none",
    403: "The token lacks the scope this needs, or the request comes from a page of another site",
    404: "Not found, or the feature analytics_dashboard is off",
    405: "The address does not answer this method; Allow names those it does",
    408: "The body did not arrive in time",
    409: "Not possible in the present state",
    412: "It was changed meanwhile; the header ETag says how it is now",
    413: "The body is larger than the limit",
    415: "The body is of another type, or compressed",
    422: "A parameter or member is not as described; `errors` names it",
    421: "The service is not known by the name in Host",
    428: "If-Match is missing",
    429: "The number of metrics is at its cap, or this client has asked for too much: see Retry-After",
    500: "A fault of the service; its log says what",
    502: "Another server did not do its part",
    503: "Not now: try again after the seconds in Retry-After",
    507: "The disk has no room for it",
}

_HEADERS: Final = {
    401: {"WWW-Authenticate": "How to say who asks"},
    405: {"Allow": "The methods it answers"},
    429: {"Retry-After": "Seconds to wait, when that helps"},
    503: {"Retry-After": "Seconds to wait"},
}


def problems(*statuses: int, details: dict[int, str] | None = None) -> dict[int, Answer]:
    """The problem answers of a route; `details`: the sentence of an example, where there is a better one."""
    return {
        status: Answer(
            _WHY[status],
            schemas.base.ProblemDetails,
            PROBLEM_JSON,
            {
                "type": "about:blank",
                "title": title(status),
                "status": status,
                "detail": (details or {}).get(status, _WHY[status]),
                "instance": "/api/analytics",
                "errors": [],
            },
            headers=_HEADERS.get(status, {}),
        )
        for status in statuses
    }
