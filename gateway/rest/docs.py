"""The description of the interface, and a page of our own files that shows it. Nothing is loaded from
elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from quart import Response, request

from ..answers import Answer, problems
from ..auth.guard import guarded
from ..backend import Backend
from ..problems import Problem
from ..routes import Handler, Route

FOLDER: Final = Path(__file__).parent.parent / "static" / "docs"
TYPES: Final = {
    "index.html": "text/html; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def get_docs_folder(backend: Backend) -> Response:
    return _moved("../docs")


async def get_docs(backend: Backend) -> Response:
    return await _file("index.html")


async def get_docs_file(backend: Backend, name: str) -> Response:
    return await _file(name)


def docs_routes(others: Sequence[Route]) -> tuple[Route, ...]:
    """The routes of this file; the document they serve describes `others` and themselves."""

    @cache
    def document() -> bytes:
        from ..openapi import build_document  # loads every model

        return msgspec.json.encode(build_document(guarded((*others, *routes))))

    async def get_openapi(backend: Backend) -> Response:
        return await _revalidated(Response(document(), content_type="application/json"))

    page = {200: Answer("The page", media_type="text/html"), 304: Answer("Not changed since", media_type="")}
    routes = (
        Route(
            method="GET",
            path="/openapi.json",
            handler=get_openapi,
            summary="This description",
            description="OpenAPI 3.1. Made from the models that the tests hold the service against.",
            tag="Documentation",
            answers=lambda: {
                200: Answer("The document", media_type="application/json"),
                304: Answer("Not changed since", media_type=""),
                **problems(500),
            },
        ),
        Route(
            method="GET",
            path="/docs",
            handler=get_docs,
            summary="This description as a page",
            description="For reading, and for trying requests against this very service.",
            tag="Documentation",
            answers=lambda: {**page, **problems(500)},
        ),
        _part("/docs/", get_docs_folder),
        _part("/docs/<name>", get_docs_file),
    )
    return routes


def _moved(to: str) -> Response:
    # Relative, as the page's own links are: so it also works below a proxy's prefix.
    return Response(b"", 302, {"Location": to}, content_type="text/plain; charset=utf-8")


@cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


async def _file(name: str) -> Response:
    if name not in TYPES:
        raise Problem(404, f"There is nothing at {request.path}")
    return await _revalidated(Response(_content(name), content_type=TYPES[name]))


async def _revalidated(response: Response) -> Response:
    """Browsers keep it and ask each time whether it has changed."""
    response.headers["Cache-Control"] = "no-cache"
    await response.add_etag()
    await response.make_conditional(request)
    return response


def _part(path: str, handler: Handler) -> Route:
    """What the page is made of: served, not described."""
    return Route(
        method="GET", path=path, handler=handler, summary="", description="", tag="", answers=dict, described=False
    )
