"""What a route declares: its place, its query, its answers. The app serves from it, the OpenAPI document
tells it.

Owns `Route` and the reading of query strings into Pydantic models. Comma-separated and repeated parameters
are the same; empty ones count as not given; unknown ones are ignored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import Struct, field
from quart import Response
from werkzeug.datastructures import MultiDict

from .answers import Answer
from .auth.identity import Scope
from .commas import split
from .problems import invalid

if TYPE_CHECKING:
    from pydantic import BaseModel

Handler = Callable[..., Response] | Callable[..., Awaitable[Response]]


class Route(Struct, frozen=True, kw_only=True):
    """`handler(backend, [query], **path parameters)`; the query is there when `query` names its model."""

    method: str
    path: str  # Quart's spelling: /metrics/<path:name>/data
    handler: Handler
    summary: str
    description: str
    tag: str
    # What names models is a function: Pydantic is loaded when a model is first needed, not to start.
    answers: Callable[[], Mapping[int, Answer]]
    query: Callable[[], type[BaseModel]] | None = None
    bodies: Callable[[], tuple[type[BaseModel], ...]] = tuple  # handlers decode bodies themselves
    text_body: str | None = None  # an example of a body of plain text
    body_required: bool = True
    body_examples: Mapping[str, Any] = field(default_factory=dict)
    path_parameters: Mapping[str, str] = field(default_factory=dict)  # name -> description
    headers: Mapping[str, str] = field(default_factory=dict)  # request headers it looks at
    described: bool = True  # in the OpenAPI document
    scope: Scope | None = None  # that a caller needs; None: read to GET, admin to anything else
    gated: bool = False  # 404 while the feature flag analytics_dashboard is off
    endpoint: str = ""  # its name, where one handler serves several paths

    @property
    def name(self) -> str:
        return self.endpoint or self.handler.__name__

    @property
    def has_models(self) -> bool:
        """Whether its handler reads something by a model."""
        return self.query is not None or self.bodies is not tuple

    @property
    def needs(self) -> Scope:
        """The scope a caller needs, unless auth/guard.py lists the path as public."""
        return self.scope or ("read" if self.method == "GET" else "admin")


def json_response(document: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """`document` of plain values, encoded once. Raises ValueError never: see `rounding.number` for NaN."""
    return Response(msgspec.json.encode(document), status, content_type=media_type)


def read_query(model: type[BaseModel], arguments: MultiDict[str, str]) -> BaseModel:
    """The query string as a model. Raises Problem 422 naming each bad parameter."""
    from pydantic import ValidationError  # loaded with the model

    given: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        texts = [text for text in arguments.getlist(info.alias or name) if text.strip()]
        if not texts:
            continue
        whole = isinstance(info.json_schema_extra, dict) and WHOLE in info.json_schema_extra
        value = texts if whole else split(*texts) if _is_list(info.annotation) else texts[-1].strip()
        given[info.alias or name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error, model.model_fields, "parameter", lambda place: str(place[0]) if place else "") from error


WHOLE: Final = "x-whole"  # of a member's schema: its parameter is repeated, never split at commas

_LISTS: Final = (list, tuple, set, frozenset)


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_list(each) for each in get_args(annotation))
    return (get_origin(annotation) or annotation) in _LISTS
