"""Request bodies: JSON, not compressed, bounded by MAX_CONTENT_LENGTH."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from quart import request

from .problems import Problem, invalid

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


async def read_body() -> bytes:
    """The raw body. Raises Problem 415; 408 and 413 come from the server's limits.

    A page of another site can make a browser send text or a form here without asking first, but not JSON: so
    a type that says it is something else is refused. No type at all is taken for JSON.
    """
    kind = request.mimetype
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, f"Expected Content-Type: application/json, got {kind}")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Compressed bodies are not taken here: send it plain")
    return await request.get_data(cache=False, as_text=False, parse_form_data=False)


async def read_nothing() -> None:
    """For a route that takes no body: none, or an empty object. Raises Problem 400, 415, 422."""
    body = await read_body()
    if not body.strip():
        return
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}") from error
    if document != {}:
        names = list(document) if isinstance(document, dict) else [""]
        errors = [{"pointer": f"/{name}" if name else "", "message": "unknown member"} for name in names[:20]]
        raise Problem(422, f"{', '.join(names[:20]) or 'The body'}: nothing is expected here", errors=errors)


async def read_model(model: type[Model], *, empty: Model | None = None) -> Model:
    """A small JSON body as a model; no body at all is `empty`, if there is one. Raises Problem 400, 415, 422."""
    from pydantic import ValidationError  # loaded with the model

    body = await read_body()
    if empty is not None and not body.strip():
        return empty
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}") from error
    if not isinstance(document, dict):
        kind = "an array" if isinstance(document, list) else "something else"
        message = f"expected an object, got {kind}"
        raise Problem(422, f"The body: {message}", errors=[{"pointer": "", "message": message}])
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise invalid(
            error, model.model_fields, "pointer", lambda place: "".join(f"/{part}" for part in place)
        ) from error
