"""Who may call which route. Denied by default.

`PUBLIC` is the whole list of what needs no credential. Everything else needs an identity, and of it the scope that
its Route declares (`Route.needs`); what is no route at all, or one that was added past the table, needs an identity
too, so that nobody can feel around from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

import trio
from msgspec.structs import replace
from quart import Response, request, websocket
from quart_trio import QuartTrio

from ..answers import Answer, problems
from ..problems import Problem
from ..routes import Route
from ..site import ASSETS, PAGES, ROOT_FILES
from .access import Access, identity_of
from .identity import AuthError, Scope
from .limits import Kind

PUBLIC: Final = frozenset(
    {
        "/livez",
        "/readyz",  # says no more than ready or not
        "/ping",  # Influx clients ask it before they have a token
        # The page, its parts, and the documentation: files of ours, the same for everybody.
        *PAGES,
        *ROOT_FILES,
        ASSETS,
        "/docs",
        "/docs/",
        "/docs/<name>",
    }
)
CHECKED_BY_THEMSELVES: Final = frozenset({"/ws/analytics"})  # sockets: a token may come in the first frame
# What may move something in the coach. Taking it back is none of them.
DEVICE_ACTIONS: Final = frozenset({"/api/analytics/actions", "/api/analytics/actions/<action_id>/confirm"})
CHALLENGE: Final = 'Bearer realm="coachiq-analytics"'


def guarded(routes: Iterable[Route]) -> tuple[Route, ...]:
    """`routes`, each with what it may answer when somebody may not."""
    return tuple(
        replace(route, answers=partial(_with_refusals, route)) if route.described else route for route in routes
    )


def _with_refusals(route: Route) -> dict[int, Answer]:
    refusals = problems(403, 421) if route.path in PUBLIC else problems(401, 403, 421, 429)
    return {**refusals, **route.answers()}


def register_guard(app: QuartTrio, access: Access, routes: Iterable[Route]) -> None:
    """Check every request and socket of `app` before it is handled."""
    needs: dict[tuple[str, str], Scope] = {}
    for route in routes:
        needs[route.path, route.method] = route.needs
        if route.method == "GET":
            needs[route.path, "HEAD"] = route.needs

    @app.before_request
    async def check() -> Response | None:
        await trio.lowlevel.checkpoint()
        rule = request.url_rule
        if rule is not None and rule.rule in PUBLIC and request.method in ("GET", "HEAD"):
            return None
        needed = None if rule is None else needs.get((rule.rule, request.method))
        check_scope(request.scope, needed)
        if needed == "act" and rule is not None:
            kind: Kind = "actions" if rule.rule in DEVICE_ACTIONS else "changes"
            access.check_amount(request.scope, kind)
            access.pay(request.scope, kind, 1)
        elif needed == "read":
            access.check_amount(request.scope, "points")
        if request.method == "OPTIONS" and rule is not None:
            same = (each.methods or () for each in app.url_map.iter_rules() if each.rule == rule.rule)
            response = Response(b"", 204, {"Allow": ", ".join(sorted({method for some in same for method in some}))})
            del response.headers["Content-Type"]
            return response
        return None

    @app.before_websocket
    async def check_socket() -> None:
        await trio.lowlevel.checkpoint()
        rule = websocket.url_rule
        if rule is None or rule.rule not in CHECKED_BY_THEMSELVES:
            check_scope(websocket.scope, None)


def check_scope(scope: Mapping[str, Any], needed: Scope | None) -> None:
    """Whether the identity in the ASGI `scope` has the scope `needed`. Raises Problem 401, 403."""
    try:
        identity = identity_of(scope)
    except AuthError as error:
        raise unauthorized(error) from error
    if needed is not None and not identity.may(needed):
        raise forbidden(needed)


def unauthorized(error: AuthError) -> Problem:
    challenge = CHALLENGE
    if not error.missing:
        challenge += ', error="invalid_token"'
    return Problem(401, str(error), headers={"WWW-Authenticate": challenge})


def forbidden(needed: Scope) -> Problem:
    return Problem(403, f"This needs the scope {needed}")
