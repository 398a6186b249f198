"""The web application: one table of routes around a backend it does not own.

Promises: every answer carries the security headers; every error is a problem document; with the feature flag
analytics_dashboard off, gated routes answer 404. The app holds no state of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio
from quart import Response, request
from quart_trio import QuartTrio

from .backend import Backend
from .fast_path import FastPath
from .live import register_live
from .problems import Problem, register_problems
from .rest import (
    aggregation,
    catalogue,
    docs,
    features,
    historical,
    insights,
    metrics,
    probes,
    series,
    status,
    trends,
)
from .routes import Route, read_query
from .server import harden

DASHBOARD: Final = "analytics_dashboard"

_API: Final[tuple[Route, ...]] = (
    *metrics.ROUTES,
    *trends.ROUTES,
    *insights.ROUTES,
    *historical.ROUTES,
    *aggregation.ROUTES,
    *catalogue.ROUTES,
    *series.ROUTES,
    *status.ROUTES,
    *features.ROUTES,
    *probes.ROUTES,
)
ROUTES: Final[tuple[Route, ...]] = (*_API, *docs.docs_routes(_API))

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def create_app(backend: Backend) -> QuartTrio:
    """The application around `backend`, WebSocket included."""
    app = QuartTrio(__name__, static_folder=None)
    harden(app)
    app.url_map.merge_slashes = False  # a metric's name may hold //
    register_problems(app)
    for route in ROUTES:
        app.add_url_rule(route.path, route.name, _view(backend, route), methods=[route.method])

    @app.after_request
    async def add_headers(response: Response) -> Response:
        headers = response.headers
        for name, value in SECURITY_HEADERS.items():
            headers[name] = value
        headers.setdefault("Cache-Control", "no-store")
        await trio.lowlevel.checkpoint()
        return response

    register_live(app, backend)
    return app


def create_shortcut(backend: Backend) -> FastPath:
    """What of the application's routes is answered past it."""
    extra = SECURITY_HEADERS | {"Cache-Control": "no-store"}
    return FastPath(backend, gate=lambda: backend.flags.enabled(DASHBOARD), extra_fields=extra)


def _view(backend: Backend, route: Route) -> Callable[..., Awaitable[Response]]:
    """What Quart calls: the gate, the query, the handler."""
    defaults = None if route.query is None else route.query()

    async def view(**path: Any) -> Response:
        if route.gated and not backend.flags.enabled(DASHBOARD):
            raise Problem(404, "Analytics dashboard disabled")
        if route.query is None:
            answer = route.handler(backend, **path)
        else:
            query = read_query(route.query, request.args) if request.query_string else defaults
            answer = route.handler(backend, query, **path)
        if isinstance(answer, Response):  # a handler that waits for nothing
            await trio.lowlevel.checkpoint()
            return answer
        return await answer

    return view
