"""The OpenAPI 3.1 document, made from the table of routes and their Pydantic models.

Promises: every status a route can answer is in it, with an example; parameters, bodies and answers are the
models the tests hold the service against. Pure: routes in, plain values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from .problems import PROBLEM_JSON, title
from .routes import WHOLE, Answer, Route
from .schemas import ProblemDetails
from .version import VERSION

_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
_WHY: Final = {
    400: "The body is not JSON",
    401: "No token, one that has expired, or one that is none",
    403: "The token lacks the scope this needs, or the request comes from a page of another site",
    404: "Not found, or the feature analytics_dashboard is off",
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
    429: {"Retry-After": "Seconds to wait, when that helps"},
    503: {"Retry-After": "Seconds to wait"},
}

DESCRIPTION: Final = """\
Samples in, timely and trustworthy warnings out.

Times are unix seconds (float). Lists travel comma-separated in one parameter; a repeated parameter is the
same; a comma within a name is written `\\,`. Means and other computed numbers are rounded to six significant digits
(never coarser than a whole number); samples asked for as `raw` are given as they came. Answers never hold NaN or
Infinity. Unknown query parameters are ignored, unknown members of a body are refused by name. Errors are problem
documents (RFC 9457): `detail` is a sentence, `errors` names each parameter or member. Every GET answers HEAD, every
route answers OPTIONS. Live values come by WebSocket at `/ws/analytics`."""


def problems(*statuses: int, details: dict[int, str] | None = None) -> dict[int, Answer]:
    """The problem answers of a route; `details`: the sentence of an example, where there is a better one."""
    return {
        status: Answer(
            _WHY[status],
            ProblemDetails,
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


def build_document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document, of plain JSON values."""
    routes = [route for route in routes if route.described]
    names, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CoachIQ Analytics",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of this service (`coachiq-analytics token create`) or an access token of "
                    "CoachIQ's core. The scope each operation needs stands beside it: ingest, read, act or admin "
                    "(which includes the others). Without authentication (`AUTH_MODE=none`) nothing is needed.",
                }
            },
        },
    }


def _schemas(routes: Iterable[Route]) -> tuple[dict[tuple[Any, JsonSchemaMode], Any], dict[str, Any]]:
    wanted: dict[tuple[Any, JsonSchemaMode], None] = {}
    for route in routes:
        for answer in route.answers.values():
            if answer.model is not None:
                wanted[answer.model, "serialization"] = None
        for body in route.bodies:
            wanted[body, "validation"] = None
    names, definitions = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    return dict(names), _without_titles(definitions.get("$defs", {}))


def _without_titles(schemas: dict[str, Any]) -> dict[str, Any]:
    """Pydantic titles every property by its own name: noise for a reader."""
    for schema in schemas.values():
        for name, member in schema.get("properties", {}).items():
            if isinstance(member, dict) and str(member.get("title", "")).lower() == name.replace("_", " ").lower():
                del member["title"]
    return schemas


def _operation(route: Route, names: dict[tuple[Any, JsonSchemaMode], Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "parameters": [*_path_parameters(route), *_query_parameters(route.query), *_header_parameters(route)],
        "security": [] if 401 not in route.answers else [{"token": [route.needs]}],
        "responses": {str(status): _response(answer, names) for status, answer in sorted(route.answers.items())},
    }
    if route.text_body is not None:
        text = {"schema": {"type": "string"}, "example": route.text_body}
        operation["requestBody"] = {"required": True, "content": {"text/plain": text}}
    if route.bodies:
        given = [names[body, "validation"] for body in route.bodies]
        content: dict[str, Any] = {"schema": given[0] if len(given) == 1 else {"oneOf": given}}
        if route.body_examples:
            content["examples"] = {name: {"value": value} for name, value in route.body_examples.items()}
        operation["requestBody"] = {"required": route.body_required, "content": {"application/json": content}}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.path_parameters.get(name, ""),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in route.headers.items()
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    parameters = []
    for name, member in model.model_json_schema()["properties"].items():
        schema = _optional(member)
        parameter = {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description", ""),
            "schema": schema,
        }
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": bool(schema.pop(WHOLE, False))}  # a,b
        parameters.append(parameter)
    return parameters


def _optional(member: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema: one that may be left out is not one that may be null."""
    schema = {name: value for name, value in member.items() if name != "title"}
    kinds = [each for each in schema.pop("anyOf", []) if each.get("type") != "null"]
    if len(kinds) == 1:
        schema |= kinds[0]
    if schema.get("default", "") is None:
        del schema["default"]
    return schema


def _response(answer: Answer, names: dict[tuple[Any, JsonSchemaMode], Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.description}
    if answer.model is not None:
        content: dict[str, Any] = {"schema": names[answer.model, "serialization"]}
        if answer.example is not None:
            content["example"] = answer.example
        response["content"] = {answer.media_type: content}
    elif answer.media_type:
        kind = "object" if answer.media_type == "application/json" else "string"
        response["content"] = {answer.media_type: {"schema": {"type": kind}}}
    for media_type in answer.also:
        response.setdefault("content", {})[media_type] = {"schema": {"type": "string"}}
    if answer.headers:
        response["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    return response
