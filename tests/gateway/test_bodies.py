"""Bodies: JSON by its type, plain, read once."""

from __future__ import annotations

import json
from typing import Self

import pytest
from pydantic import BaseModel, ConfigDict, model_validator
from quart import Response
from quart_trio import QuartTrio

from gateway.bodies import read_body, read_model, read_nothing
from gateway.problems import register_problems


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    inner: dict[str, int] = {}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.name in ("bad", "worse"):
            raise ValueError({"bad": "inner: does not go with this name", "worse": "So it can't be"}[self.name])
        return self


@pytest.fixture
def app() -> QuartTrio:
    app = QuartTrio("bodies")
    app.config["MAX_CONTENT_LENGTH"] = 64
    register_problems(app)

    @app.post("/raw")
    async def raw() -> Response:
        return Response(await read_body())

    @app.post("/thing")
    async def thing() -> Response:
        return Response((await read_model(Thing)).name)

    @app.post("/nothing")
    async def nothing() -> Response:
        await read_nothing()
        return Response(b"done")

    return app


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/x+json", "APPLICATION/JSON", None]
)
async def test_types_that_are_taken(app: QuartTrio, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = await app.test_client().post("/raw", data=b"\x00abc", headers=headers)
    assert (response.status_code, await response.get_data()) == (200, b"\x00abc")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Content-Type": "text/plain"}, "got text/plain"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "got application/x-www-form-urlencoded"),
        ({"Content-Encoding": "gzip"}, "Compressed"),
    ],
)
async def test_types_that_are_not(app: QuartTrio, headers: dict[str, str], said: str) -> None:
    response = await app.test_client().post("/raw", data=b"{}", headers=headers)
    assert response.status_code == 415
    assert said in json.loads(await response.get_data())["detail"]


async def test_a_body_beyond_the_limit(app: QuartTrio) -> None:
    response = await app.test_client().post("/raw", data=b"x" * 65)
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b'{"name":"a"}', 200, None),
        (b'{"name":1}', 422, ["/name"]),
        (b'{"name":"a","x":1,"inner":{"y":"z"}}', 422, ["/inner/y", "/x"]),
        (b"[]", 422, [""]),
        (b"nonsense", 400, []),
        (b"", 400, []),
        (b'{"name":"\xff"}', 400, []),
    ],
)
async def test_models(app: QuartTrio, body: bytes, status: int, pointers: list[str] | None) -> None:
    response = await app.test_client().post("/thing", data=body)
    assert response.status_code == status
    if pointers is not None:
        document = json.loads(await response.get_data())
        assert [error["pointer"] for error in document["errors"]] == pointers


@pytest.mark.parametrize(
    ("body", "detail", "pointer"),
    [
        (b'{"name":"bad"}', "inner: does not go with this name", "/inner"),
        (b'{"name":"worse"}', "so it can't be", ""),
        (
            b'{"name":"a","inner":{"y":"z"}}',
            "inner/y: must be a valid integer, unable to parse string as an integer",
            "/inner/y",
        ),
    ],
)
async def test_sentences_are_plain(app: QuartTrio, body: bytes, detail: str, pointer: str) -> None:
    document = json.loads(await (await app.test_client().post("/thing", data=body)).get_data())
    assert document["detail"] == detail
    assert [error["pointer"] for error in document["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 200, ""),
        (b" \n", 200, ""),
        (b"{}", 200, ""),
        (b'{"a": 1, "b": 2}', 422, "a, b"),
        (b"[1]", 422, "The body"),
        (b"null", 422, "The body"),
        (b"{", 400, "not JSON"),
    ],
)
async def test_a_route_without_a_body(app: QuartTrio, body: bytes, status: int, said: str) -> None:
    response = await app.test_client().post("/nothing", data=body)
    assert response.status_code == status
    if said:
        assert said in json.loads(await response.get_data())["detail"]
