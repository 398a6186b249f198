"""Every route there is, and every socket, with no, bad, expired and insufficient credentials."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import trio
from quart import Response
from quart_trio import QuartTrio

from gateway.app import ROUTES
from gateway.auth.gate import Gate
from gateway.auth.guard import CHECKED_BY_THEMSELVES, DEVICE_ACTIONS, PUBLIC, register_guard
from gateway.auth.identity import SCOPES
from gateway.problems import register_problems
from gateway.routes import Route

OPEN_TO_ALL = {
    "/livez", "/readyz", "/ping", "/docs", "/docs/", "/docs/<name>", "/assets/<name>", "/sw.js", "/app.webmanifest",
    "/icon.svg", "/icon-192.png", "/icon-512.png", "/", "/trends", "/insights", "/insights/<insight_id>",
    "/correlations", "/patterns", "/system", "/system/<path:topic>", "/settings", "/settings/<topic>",
}  # fmt: skip


def path_of(rule: str) -> str:
    return re.sub(r"<[^>]*>", "x", rule)


def test_the_public_list_is_this_one() -> None:
    """Whoever lengthens it has to say so here too."""
    assert PUBLIC == OPEN_TO_ALL


def test_what_a_route_needs_when_it_says_nothing() -> None:
    common: dict[str, Any] = {
        "path": "/x", "handler": lambda backend: None, "summary": "", "description": "", "tag": "", "answers": {}
    }  # fmt: skip
    assert Route(method="GET", **common).needs == "read"
    assert {Route(method=method, **common).needs for method in ("POST", "PUT", "PATCH", "DELETE")} == {"admin"}
    assert Route(method="POST", scope="act", **common).needs == "act"


async def test_every_route_and_method_is_closed(house: Any) -> None:
    client = house.app.test_client()
    outdated = (
        {"Authorization": f"Bearer {house.signed(-10)}"},
        {"Authorization": f"Bearer {house.token('admin', expires_ms=1)}"},
    )
    bad = (
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer caq_nonsense"},
        *outdated,
        {"Authorization": f"Bearer {house.signed(type='refresh')}"},
        {"Authorization": f"Bearer {house.signed(token_type='access')}"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": house.token("admin")},
        {"Cookie": f"token={house.token('admin')}"},
    )
    walked = 0
    for rule in house.app.url_map.iter_rules():
        if rule.websocket:
            continue
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"}:
            for headers in bad:
                response = await client.open(path_of(rule.rule), method=method, headers=headers)
                is_public = rule.rule in PUBLIC and method in ("GET", "HEAD")
                where = f"{method} {rule.rule} {headers}"
                if is_public and method in rule.methods:
                    assert response.status_code in (200, 204, 302, 404), where
                    continue
                assert response.status_code == 401, where
                assert response.headers["WWW-Authenticate"].startswith("Bearer "), where
                if method != "HEAD":
                    problem = json.loads(await response.get_data())
                    assert problem["status"] == 401
                    assert ("expired" in problem["detail"]) == (headers in outdated), where
                walked += 1
    assert walked > 500


async def test_a_token_in_the_address_is_none(house: Any) -> None:
    response = await house.app.test_client().get(f"/api/analytics/status?token={house.token('admin')}")
    assert response.status_code == 401


@pytest.mark.parametrize("path", ["/nothing", "/api/analytics/nothing", "/static/x", "/docs/../api/analytics/status"])
async def test_from_outside_nobody_can_feel_around(house: Any, path: str) -> None:
    client = house.app.test_client()
    assert (await client.get(path)).status_code == 401
    headers = {"Authorization": f"Bearer {house.token('read')}"}
    assert (await client.get("/nothing", headers=headers)).status_code == 404


async def test_a_route_added_past_the_table_is_closed(house: Any) -> None:
    @house.app.get("/forgotten")
    async def forgotten() -> str:
        await trio.lowlevel.checkpoint()
        return "open"

    @house.app.websocket("/ws/forgotten")
    async def forgotten_socket() -> None:
        raise AssertionError("reached")

    client = house.app.test_client()
    assert (await client.get("/forgotten")).status_code == 401


async def test_every_route_needs_its_scope_and_no_other(house: Any) -> None:
    client = house.app.test_client()
    keys: dict[frozenset[str], str] = {
        frozenset(): house.token(),
        **{frozenset({scope}): house.token(scope) for scope in SCOPES if scope != "admin"},
        frozenset(SCOPES): house.token("ingest", "read", "act", "admin"),
    }
    roles = {"readonly": {"read"}, "user": {"read", "ingest", "act"}, "admin": set(SCOPES), "guest": {"read"}}
    keys |= {frozenset(scopes): house.signed(role=role) for role, scopes in roles.items()}
    for route in ROUTES:
        if route.path in PUBLIC:
            continue
        for scopes, key in keys.items():
            response = await client.open(
                path_of(route.path), method=route.method, headers={"Authorization": f"Bearer {key}"}
            )
            where = f"{route.method} {route.path} with {sorted(scopes)}"
            if route.needs in scopes:
                assert response.status_code not in (401, 403), where
            else:
                assert response.status_code == 403, where
                assert route.needs in json.loads(await response.get_data())["detail"], where


def test_the_scopes_of_the_contract() -> None:
    needs = {(route.method, route.path): route.needs for route in ROUTES}
    assert needs["POST", "/api/analytics/metrics"] == "ingest"
    assert needs["POST", "/api/analytics/metrics/batch"] == "ingest"
    assert needs["POST", "/api/analytics/insights/generate"] == "admin"
    assert needs["PUT", "/api/analytics/features/<flag>"] == "admin"
    assert needs["GET", "/api/analytics/status"] == "read"
    assert needs["GET", "/healthz"] == needs["GET", "/metrics"] == "read"


async def test_the_fast_path_is_closed_too(house: Any, served: Any) -> None:
    body = b'{"samples":[{"metric_name":"a","value":1}]}'
    head = "POST /api/analytics/metrics/batch HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    for authorization, status in (
        ("", 401),
        (f"authorization: Bearer {house.signed(-10)}\r\n", 401),
        (f"authorization: Bearer {house.token('read', 'act')}\r\n", 403),
        (f"authorization: Bearer {house.token('ingest')}\r\n", 503),  # let in: there is no recorder here
        (f"authorization: Token {house.token('ingest')}\r\n", 503),
    ):
        answer = await served.exchange(f"{head}{authorization}content-length: {len(body)}\r\n\r\n".encode() + body)
        assert answer.startswith(f"HTTP/1.1 {status}".encode()), authorization
    assert house.backend.memory.names() == []


async def test_a_host_and_an_origin_of_others(house: Any, served: Any) -> None:
    for lines, status in (
        ("host: evil.example", 421),
        ("host: localhost\r\norigin: https://evil.example", 403),
        ("host: rv.example.com\r\norigin: https://rv.example.com", 200),
    ):
        answer = await served.exchange(f"GET /livez HTTP/1.1\r\n{lines}\r\nconnection: close\r\n\r\n".encode())
        assert answer.startswith(f"HTTP/1.1 {status}".encode()), lines
        assert b"content-security-policy" in answer
        if status != 200:
            assert b"application/problem+json" in answer


async def test_options_has_no_content(house: Any, served: Any) -> None:
    answer = await served.exchange(
        b"OPTIONS /api/analytics/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        + f"authorization: Bearer {house.token('read')}\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 204")
    assert b"allow: GET, HEAD, OPTIONS" in answer
    assert b"\r\ncontent-type" not in answer


async def test_who_has_asked_for_too_much_waits_and_nobody_else(house: Any) -> None:
    greedy, modest = house.token("read"), house.token("read")
    house.backend.access.limits.pay("points", house.backend.access.verifier.identify(greedy).client, 1e9)
    client = house.app.test_client()
    response = await client.get("/api/analytics/status", headers={"Authorization": f"Bearer {greedy}"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    response = await client.get("/api/analytics/status", headers={"Authorization": f"Bearer {modest}"})
    assert response.status_code == 200


async def test_device_actions_are_counted_apart_from_changes(house: Any) -> None:
    seen = []

    async def act(backend: Any) -> Response:
        await trio.lowlevel.checkpoint()
        seen.append(backend)
        return Response(b"done")

    common: dict[str, Any] = {"summary": "", "description": "", "tag": "", "answers": {}}
    app = QuartTrio("acting")
    register_problems(app)
    paths = ("/api/analytics/actions", "/api/analytics/thresholds")
    routes = [Route(method="POST", path=path, handler=act, scope="act", **common) for path in paths]
    register_guard(app, house.backend.access, routes)
    for path in paths:
        app.add_url_rule(path, path, act, methods=["POST"], defaults={"backend": house.backend})
    app.asgi_app = Gate(app.asgi_app, house.backend.access)  # type: ignore[method-assign]
    headers = {"Authorization": f"Bearer {house.token('act')}"}
    client = app.test_client()
    for _ in range(320):  # a script that sets up everything leaves room for the press of a button
        assert (await client.post(paths[1], headers=headers)).status_code == 200
    seen.clear()
    statuses = [(await client.post(paths[0], headers=headers)).status_code for _ in range(320)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert 300 <= len(seen) <= 319
    assert (await client.post(paths[1], headers=headers)).status_code == 200


def test_the_routes_that_count_as_device_actions_are_there(house: Any) -> None:
    assert {rule.rule for rule in house.app.url_map.iter_rules()} >= DEVICE_ACTIONS


def test_only_the_live_socket_checks_for_itself(house: Any) -> None:
    sockets = {rule.rule for rule in house.app.url_map.iter_rules() if rule.websocket}
    assert sockets == CHECKED_BY_THEMSELVES
