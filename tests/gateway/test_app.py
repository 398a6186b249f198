"""The app as a whole: headers, methods, errors, the gate."""

from __future__ import annotations

import json

import pytest
from quart_trio import QuartTrio

from gateway.app import DASHBOARD, ROUTES, create_app
from gateway.backend import Backend
from tests.fakes.backend import make_backend


def wall_ms() -> int:
    return 1_760_000_000_000


@pytest.fixture
def backend() -> Backend:
    return make_backend(wall_ms, {DASHBOARD: {"enabled": True}, "persistence": {"enabled": False}})


@pytest.fixture
def app(backend: Backend) -> QuartTrio:
    return create_app(backend)


def test_routes_only_match(app: QuartTrio) -> None:
    adapter = app.url_map.bind("coach.local")
    assert adapter.match("/api/analytics/metrics/a//b/data", method="GET") == ("get_metric_data", {"name": "a//b"})
    with pytest.raises(NotImplementedError, match="written out"):
        adapter.build("get_metric_data", {"name": "a"})


GETS = [route.path for route in ROUTES if route.method == "GET" and "<" not in route.path]


@pytest.mark.parametrize("path", [*GETS, "/nowhere", "/api/analytics/metrics/x/data"])
async def test_security_headers_are_on_every_answer(app: QuartTrio, path: str) -> None:
    response = await app.test_client().get(path)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"].partition(",")[0] in ("no-store", "no-cache")
    if path.startswith("/api"):
        assert response.headers["Cache-Control"].partition(",")[0] == "no-store"


@pytest.mark.parametrize("path", GETS)
async def test_head_and_options(app: QuartTrio, path: str) -> None:
    client = app.test_client()
    assert (await client.head(path)).status_code == (await client.get(path)).status_code
    response = await client.options(path)
    assert response.status_code == 204
    assert {"GET", "HEAD", "OPTIONS"} <= set(response.headers["Allow"].split(", "))
    assert await response.get_data() == b""


@pytest.mark.parametrize("path", GETS)
async def test_a_content_type_on_get_does_no_harm(app: QuartTrio, path: str) -> None:
    client = app.test_client()
    response = await client.get(path, headers={"Content-Type": "application/json"})
    assert response.status_code == (await client.get(path)).status_code


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/api/analytics/metrics", 405),
        ("POST", "/api/analytics/trends", 405),
        ("GET", "/api/analytics/metrics/batch", 405),
        ("GET", "/api/analytics/trends/", 404),
        ("GET", "/api/analytics", 404),
        ("GET", "/static/app.py", 404),
    ],
)
async def test_what_is_not_there(app: QuartTrio, method: str, path: str, status: int) -> None:
    response = await app.test_client().open(path, method=method)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert isinstance(json.loads(await response.get_data())["detail"], str)


async def test_no_other_origin_is_let_in(app: QuartTrio) -> None:
    response = await app.test_client().get("/livez", headers={"Origin": "http://elsewhere.example"})
    assert not [name for name in response.headers.keys() if name.lower().startswith("access-control")]  # noqa: SIM118


async def test_the_gate(app: QuartTrio, backend: Backend) -> None:
    backend.flags.set(DASHBOARD, False)
    client = app.test_client()
    for route in ROUTES:
        path = route.path.replace("<path:name>", "a").replace("<flag>", "persistence").replace("<name>", "x")
        response = await client.open(path, method=route.method, data=b"" if route.method != "GET" else None)
        closed = response.status_code == 404 and b"Analytics dashboard disabled" in await response.get_data()
        assert closed == route.gated
        assert route.gated == ((path.startswith("/api/") or path == "/write") and "features" not in path)


async def test_an_unexpected_error_is_a_problem_and_is_logged(
    app: QuartTrio, backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(backend.board, "snapshot", fail)
    response = await app.test_client().get("/api/analytics/health")
    assert response.status_code == 500
    assert b"secret" not in await response.get_data()
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "a secret" in caplog.text


async def test_the_websocket_is_part_of_it(app: QuartTrio) -> None:
    assert any(rule.websocket and rule.rule == "/ws/analytics" for rule in app.url_map.iter_rules())
