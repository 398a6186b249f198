"""The dashboard's addresses and files: encodings, caching, nothing beyond the manifest."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from quart.testing import QuartClient

from gateway.rest import pages
from gateway.site import Site, SiteFile


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "index.html.gz").write_bytes(gzip.compress(b"<!doctype html>"))
    (tmp_path / "sw.js").write_text("// worker")
    (tmp_path / "assets" / "a-1.js").write_text("let a = 1;")
    (tmp_path / "assets" / "secret.js").write_text("not in the manifest")
    site = Site(
        tmp_path,
        {
            "index.html": SiteFile("text/html; charset=utf-8", "i1", ("gzip",)),
            "sw.js": SiteFile("text/javascript; charset=utf-8", "s1"),
            "assets/a-1.js": SiteFile("text/javascript; charset=utf-8", "a1", (), immutable=True),
        },
    )
    monkeypatch.setattr(pages, "_site", lambda: site)
    return site


@pytest.mark.parametrize(
    "path",
    ["/", "/trends", "/insights/x%3Cy%22", "/correlations", "/patterns", "/system", "/system/actions", "/settings"],
)
async def test_every_page_can_be_opened_directly(client: QuartClient, site: Site, path: str) -> None:
    response = await client.get(path)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert await response.get_data() == b"<!doctype html>"
    assert response.headers["Cache-Control"] == "no-cache"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


async def test_compressed_for_those_who_take_it(client: QuartClient, site: Site) -> None:
    response = await client.get("/", headers={"Accept-Encoding": "br;q=0, gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(await response.get_data()) == b"<!doctype html>"
    plain = await client.get("/", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["ETag"] != response.headers["ETag"]


async def test_pages_are_asked_for_again_and_assets_never(client: QuartClient, site: Site) -> None:
    response = await client.get("/")
    again = await client.get("/", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, await again.get_data()) == (304, b"")
    asset = await client.get("/assets/a-1.js")
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (await client.get("/sw.js")).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/assets/secret.js", "/assets/..%2Findex.html", "/assets/b.js", "/icon.svg", "/index.html"]
)
async def test_nothing_beyond_the_manifest(client: QuartClient, site: Site, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_without_a_build_the_way_leads_to_the_documentation(
    client: QuartClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_site", lambda: None)
    for path, to in (("/", "docs"), ("/trends", "docs"), ("/insights/1", "../docs")):
        response = await client.get(path)
        assert (response.status_code, response.headers["Location"]) == (302, to)
    assert (await client.get("/assets/a-1.js")).status_code == 404
