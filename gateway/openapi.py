"""The OpenAPI 3.1 document, made from the table of routes and their Pydantic models.

Promises: every status a route can answer is in it, with an example; parameters, bodies and answers are the
models the tests hold the service against. Pure: routes in, plain values out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from .answers import Answer
from .routes import WHOLE, Route
from .version import VERSION

_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
DESCRIPTION: Final = """\
Samples in, timely and trustworthy warnings out.

Times are unix seconds (float). Lists travel comma-separated in one parameter; a repeated parameter is the
same; a comma within a name is written `\\,`. Means and other computed numbers are rounded to six significant digits
(never coarser than a whole number); samples asked for as `raw` are given as they came. Answers never hold NaN or
Infinity. Unknown query parameters are ignored, unknown members of a body are refused by name. Errors are problem
documents (RFC 9457): `detail` is a sentence, `errors` names each parameter or member. Every GET answers HEAD, every
route answers OPTIONS. Live values come by WebSocket at `/ws/analytics`."""


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
        for answer in route.answers().values():
            if answer.model is not None:
                wanted[answer.model, "serialization"] = None
        for body in route.bodies():
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
    answers, bodies = route.answers(), route.bodies()
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route),
            *_header_parameters(route),
        ],
        "security": [] if 401 not in answers else [{"token": [route.needs]}],
        "responses": {str(status): _response(answer, names) for status, answer in sorted(answers.items())},
    }
    if route.text_body is not None:
        text = {"schema": {"type": "string"}, "example": route.text_body}
        operation["requestBody"] = {"required": True, "content": {"text/plain": text}}
    if bodies:
        given = [names[body, "validation"] for body in bodies]
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


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    parameters = []
    for name, member in route.query().model_json_schema()["properties"].items():
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
