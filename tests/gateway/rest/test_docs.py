"""The description and its page: our own files, no other origin, no inline script."""

from __future__ import annotations

import json
import re

import pytest
from quart.testing import QuartClient

from gateway.app import document
from gateway.rest.docs import FOLDER, TYPES


@pytest.mark.parametrize(("path", "to"), [("/docs/", "../docs")])
async def test_ways_to_the_page(client: QuartClient, path: str, to: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.headers["Location"]) == (302, to)


async def test_the_page_and_its_parts(client: QuartClient) -> None:
    response = await client.get("/docs")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    page = (await response.get_data()).decode()
    links = re.findall(r'(?:href|src)="([^"#]+)"', page)
    assert {"docs/docs.js", "docs/docs.css", "openapi.json"} <= set(links)
    for link in links:
        assert (await client.get(f"/{link}")).status_code == 200, link
    assert (await client.get("/docs/nothing.js")).status_code == 404
    assert (await client.get("/docs/../app.py")).status_code == 404


def test_nothing_is_loaded_from_elsewhere_or_inline() -> None:
    for name in TYPES:
        text = (FOLDER / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"(?m)^\s*//.*$", "", text), name
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"\son\w+=", page)
    assert "innerHTML" not in (FOLDER / "docs.js").read_text(encoding="utf-8")


async def test_browsers_keep_what_has_not_changed(client: QuartClient) -> None:
    for path in ("/docs", "/docs/docs.js", "/openapi.json"):
        response = await client.get(path)
        assert response.headers["Cache-Control"] == "no-cache"
        again = await client.get(path, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304
        assert await again.get_data() == b""


async def test_the_document_is_served(client: QuartClient) -> None:
    served = json.loads(await (await client.get("/openapi.json")).get_data())
    assert served["openapi"] == "3.1.0"
    assert "/api/analytics/metrics/{name}/data" in served["paths"]
    assert "/docs/{name}" not in served["paths"]


async def test_the_document_describes_itself_as_all_else(client: QuartClient) -> None:
    served = await (await client.get("/openapi.json")).get_data()
    assert json.loads(served) == json.loads(document())
    paths = json.loads(served)["paths"]
    assert {"401", "403", "421"} <= set(paths["/openapi.json"]["get"]["responses"])
    assert {"403", "421"} <= set(paths["/docs"]["get"]["responses"])
