"""The web application: one table of routes around a backend it does not own.

Promises: every answer carries the security headers; every error is a problem document; with the feature flag
analytics_dashboard off, gated routes answer 404. The app holds no state of its own.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import trio
from quart import Response, request
from quart.routing import QuartRule
from quart_trio import QuartTrio
from werkzeug.routing import PathConverter

from . import schemas
from .auth.gate import Gate
from .auth.guard import guarded, register_guard
from .backend import Backend
from .fast_path import FastPath
from .headers import NO_STORE, SECURITY_HEADERS
from .live import register_live
from .problems import Problem, register_problems
from .rest import (
    actions,
    aggregation,
    backup,
    catalogue,
    charts,
    columns,
    docs,
    export,
    features,
    historical,
    influx,
    insight_marks,
    insights,
    kpis,
    layouts,
    metrics,
    notifications,
    overview,
    pages,
    preferences,
    probes,
    quarantine,
    recommendations,
    relations,
    series,
    status,
    storage,
    thresholds,
    trends,
)
from .routes import Route, read_query
from .server import harden

if TYPE_CHECKING:
    from pydantic import BaseModel

DASHBOARD: Final = "analytics_dashboard"

_API: Final[tuple[Route, ...]] = (
    *metrics.ROUTES,
    *influx.ROUTES,
    *trends.ROUTES,
    *insights.ROUTES,
    *insight_marks.ROUTES,
    *historical.ROUTES,
    *aggregation.ROUTES,
    *catalogue.ROUTES,
    *series.ROUTES,
    *columns.ROUTES,
    *export.ROUTES,
    *overview.ROUTES,
    *charts.ROUTES,
    *relations.ROUTES,
    *quarantine.ROUTES,
    *status.ROUTES,
    *storage.ROUTES,
    *backup.ROUTES,
    *features.ROUTES,
    *thresholds.ROUTES,
    *recommendations.ROUTES,
    *actions.ROUTES,
    *notifications.ROUTES,
    *kpis.ROUTES,
    *layouts.ROUTES,
    *preferences.ROUTES,
    *probes.ROUTES,
    *pages.ROUTES,
)
ROUTES: Final[tuple[Route, ...]] = guarded((*_API, *docs.docs_routes(_API)))


def document() -> str:
    """The OpenAPI document as text, for a file that people compare."""
    from .openapi import build_document  # loads every model

    return json.dumps(build_document(ROUTES), indent=1, ensure_ascii=False) + "\n"


class AnyName(PathConverter):
    """A name as it is, slashes included: werkzeug's own takes none that begins with one."""

    regex = ".+?"
    part_isolating = False


class PlainRule(QuartRule):
    """A rule that only matches. Nothing asks for the address of a route (`url_for`): the code that would build it,
    which werkzeug compiles twice for each rule, was half of the time this application took to make."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _no_address


def _no_address(rule: object, **values: object) -> tuple[str, str]:
    raise NotImplementedError("addresses of routes are written out, not built")


def create_app(backend: Backend) -> QuartTrio:
    """The application around `backend`, WebSocket included."""
    app = QuartTrio(__name__, static_folder=None)
    harden(app)
    app.url_rule_class = PlainRule
    app.url_map.converters["path"] = AnyName
    app.url_map.merge_slashes = False  # a metric's name may hold //
    register_problems(app)
    register_guard(app, backend.access, ROUTES)
    for route in ROUTES:
        app.add_url_rule(route.path, route.name, _view(backend, route), methods=[route.method])

    @app.after_request
    async def add_headers(response: Response) -> Response:
        headers = response.headers
        for name, value in SECURITY_HEADERS.items():
            headers[name] = value
        headers.setdefault(*NO_STORE)
        await trio.lowlevel.checkpoint()
        return response

    register_live(app, backend)
    app.asgi_app = Gate(app.asgi_app, backend.access)  # type: ignore[assignment]
    return app


def create_shortcut(backend: Backend) -> FastPath:
    """What of the application's routes is answered past it."""
    extra = dict([*SECURITY_HEADERS.items(), NO_STORE])
    return FastPath(backend, gate=lambda: backend.flags.enabled(DASHBOARD), extra_fields=extra, access=backend.access)


def _view(backend: Backend, route: Route) -> Callable[..., Awaitable[Response]]:
    """What Quart calls: the gate, the query, the handler."""
    defaults: BaseModel | None = None

    async def view(**path: Any) -> Response:
        if route.gated and not backend.flags.enabled(DASHBOARD):
            raise Problem(404, "Analytics dashboard disabled")
        nonlocal defaults
        if route.has_models:
            await schemas.loaded()
        if route.query is None:
            answer = route.handler(backend, **path)
        else:
            if defaults is None:
                defaults = route.query()()
            query = read_query(route.query(), request.args) if request.query_string else defaults
            answer = route.handler(backend, query, **path)
        if isinstance(answer, Response):  # a handler that waits for nothing
            await trio.lowlevel.checkpoint()
            return answer
        return await answer

    return view
