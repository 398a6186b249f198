"""Whatever goes wrong, the answer is a problem document with a readable detail."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from quart import Response, websocket
from quart_trio import QuartTrio
from werkzeug.exceptions import TooManyRequests

from gateway.problems import Problem, printable, register_problems, title


@pytest.fixture
def app() -> QuartTrio:
    app = QuartTrio("problems")
    app.config["MAX_CONTENT_LENGTH"] = 10
    register_problems(app)

    @app.get("/fine")
    async def fine() -> Response:
        await trio.lowlevel.checkpoint()
        return Response(b"fine")

    @app.get("/raise/<kind>")
    async def fail(kind: str) -> Response:
        await trio.lowlevel.checkpoint()
        if kind == "problem":
            raise Problem(409, "No", errors=[{"pointer": "/a", "message": "b"}], headers={"X": "y"}, accepted=3)
        if kind == "group":
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                raise Problem(422, "grouped")
        if kind == "many":
            raise TooManyRequests("slowly", retry_after=7)
        raise RuntimeError("a secret")

    return app


async def test_a_handshake_for_what_is_no_socket_is_404(app: QuartTrio, serve: Any, wire: Any) -> None:
    """Also where the guard refuses it: then there is no request whose path could be named."""

    @app.before_websocket
    async def refuse() -> None:
        await trio.lowlevel.checkpoint()
        if websocket.args:
            raise Problem(401, "who are you")

    served = await serve(app)
    for path, status in (("/fine", 404), ("/nothing", 404), ("/fine?a=b", 401)):
        async with await served.connect() as stream:
            await stream.send_all(wire.handshake(path))
            answer = await wire.read_until(stream, b"}")
        assert answer.startswith(b"HTTP/1.1 %d" % status)
        assert b"content-type: application/problem+json" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["instance"] == path.partition("?")[0]


async def ask(app: QuartTrio, method: str, path: str) -> tuple[Response, dict[str, Any]]:
    response = await app.test_client().open(path, method=method)
    document = json.loads(await response.get_data())
    assert response.mimetype == "application/problem+json"
    assert (document["status"], document["instance"]) == (response.status_code, path)
    assert document["title"]
    assert isinstance(document["errors"], list)
    return response, document


async def test_a_problem_is_answered_as_it_is(app: QuartTrio) -> None:
    response, document = await ask(app, "GET", "/raise/problem")
    assert response.headers["X"] == "y"
    assert document == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "No",
        "instance": "/raise/problem",
        "accepted": 3,
        "errors": [{"pointer": "/a", "message": "b"}],
    }


async def test_a_problem_out_of_a_nursery(app: QuartTrio) -> None:
    _, document = await ask(app, "GET", "/raise/group")
    assert (document["status"], document["detail"]) == (422, "grouped")


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/nowhere", 404, "There is nothing at /nowhere"),
        ("POST", "/fine", 405, "/fine does not answer POST"),
        ("GET", "/raise/many", 429, "slowly"),
        ("GET", "/raise/error", 500, "Something failed inside the service; its log says what"),
        ("GET", "/a{0}{x!r}%", 404, "There is nothing at /a{0}{x!r}%"),
    ],
)
async def test_errors_of_the_framework(app: QuartTrio, method: str, path: str, status: int, detail: str) -> None:
    response = await app.test_client().open(path.replace("%", "%25"), method=method)
    document = json.loads(await response.get_data())
    assert response.mimetype == "application/problem+json"
    assert (response.status_code, document["detail"]) == (status, detail)
    assert "secret" not in json.dumps(document)


@pytest.mark.parametrize("path", ["/no%00where", "/no%EF%BF%BDwhere", "/no%20where/%C3%A9%25%22"])
async def test_an_instance_is_a_uri_reference(app: QuartTrio, path: str) -> None:
    await ask(app, "GET", path)  # which holds the instance against the path as it was sent


async def test_headers_that_clients_need_are_kept(app: QuartTrio) -> None:
    response, _ = await ask(app, "DELETE", "/fine")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    response, _ = await ask(app, "GET", "/raise/many")
    assert response.headers["Retry-After"] == "7"


def test_titles_and_paths_are_printable() -> None:
    assert (title(404), title(799)) == ("Not Found", "Error")
    assert printable("\ud800" + "x" * 1_000) == "?" + "x" * 499
