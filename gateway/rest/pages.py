"""The dashboard: its pages and the files they are made of, as the build left them.

Promises: every page's address can be opened, reloaded and shared; what carries a hash in its name is cached for ever,
everything else is asked for again; nothing outside the build's manifest is served. Without a build `/` leads to the
documentation.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import trio
from quart import Response, request

from ..answers import Answer, problems
from ..backend import Backend
from ..problems import Problem
from ..routes import Handler, Route
from ..site import ASSETS, INDEX, PAGES, ROOT_FILES, Site, load_site

FOREVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"


@cache
def _site() -> Site | None:
    return load_site()


async def get_page(backend: Backend, **path: str) -> Response:
    site = _site()
    if site is None:
        # Relative, so that it also works below a proxy's prefix.
        up = "../" * (request.path.count("/") - 1)
        await trio.lowlevel.checkpoint()
        return Response(b"", 302, {"Location": f"{up}docs"}, content_type="text/plain; charset=utf-8")
    return await _file(site, INDEX)


async def get_page_file(backend: Backend, name: str | None = None) -> Response:
    name = request.path.removeprefix("/") if name is None else f"assets/{name}"
    site = _site()
    if site is None or name not in site.files:
        raise Problem(404, f"There is nothing at {request.path}")
    return await _file(site, name)


async def _file(site: Site, name: str) -> Response:
    entry = site.files[name]
    path, encoding = site.choose(name, lambda coding: request.accept_encodings[coding] > 0)
    response = Response(await trio.Path(path).read_bytes(), content_type=entry.media_type)
    if encoding is not None:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOREVER if entry.immutable else ASK_AGAIN
    response.set_etag(f"{entry.etag}-{encoding or 'plain'}")
    await response.make_conditional(request)
    return response


def _route(path: str, handler: Handler, name: str) -> Route:
    """Served, not described: what a page is made of is nobody's interface."""
    return Route(
        method="GET",
        path=path,
        handler=handler,
        summary="",
        description="",
        tag="",
        answers=dict,
        described=False,
        endpoint=name,
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/",
        handler=get_page,
        summary="The dashboard",
        description="The web page. Its other addresses (/trends, /correlations, ...) answer the same document.",
        tag="Documentation",
        answers=lambda: {200: Answer("The page", media_type="text/html"), 304: Answer("Not changed", media_type=""),
                 302: Answer("Built without a dashboard: to /docs", media_type="", headers={"Location": "docs"}),
                 **problems(500)},
    ),
    *(_route(path, get_page, f"get_page_{number}") for number, path in enumerate(PAGES[1:], 1)),
    *(_route(path, get_page_file, f"get_page_file_{number}") for number, path in enumerate(ROOT_FILES, 1)),
    _route(ASSETS, get_page_file, "get_page_asset"),
)  # fmt: skip
