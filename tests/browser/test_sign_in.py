"""A service that asks who one is: the page asks for a token, and again when it has expired."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
SECRET = "a secret of at least thirty-two characters, as CoachIQ's core wants it"


def token(lives_s: float) -> str:
    """An access token as CoachIQ's core issues it."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"sub": "u1", "username": "driver", "role": "admin", "type": "access", "exp": time.time() + lives_s}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    digest = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.fixture
def service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceProcess]:
    monkeypatch.setenv("COACHIQ_AUTH__SECRET_KEY", SECRET)
    with ServiceProcess(["serve"], folder, {"AUTH_MODE": "jwt"}) as service:
        yield service


def test_signing_in_and_again_when_the_token_has_expired(service: ServiceProcess, open_page: OpenPage) -> None:
    chosen = urllib.request.Request(
        f"{service.url}/api/analytics/preferences",
        json.dumps({"theme": "night"}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token(600)}"},
        method="PUT",
    )
    urllib.request.urlopen(chosen, timeout=30).close()
    page = open_page(service.url)
    field = page.get_by_label("Access token")
    expect(field).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    field.fill(token(8))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("live-mark")).to_have_text("live")
    expect(page.locator("html")).to_have_attribute("data-theme", "night")  # what this person has chosen elsewhere
    expect(page.get_by_text("Nothing has been recorded yet")).to_be_visible()
    expect(page.get_by_text("Your sign-in has expired.")).to_be_visible(timeout=40_000)
    field.fill(token(600))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("live-mark")).to_have_text("live")
    expect(field).to_be_hidden()


def test_the_documentation_asks_too_and_sends_it_on(service: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{service.url}/docs")
    field = page.get_by_label("Access token")
    expect(field).to_be_focused()
    expect(page.get_by_text("asks for an access token")).to_be_visible()
    field.fill("nonsense")
    page.get_by_role("button", name="Show the description").click()
    expect(page.get_by_text("may not read here")).to_be_visible()
    field.fill(token(600))
    field.press("Enter")
    article = page.locator("article", has=page.get_by_role("heading", name="GET /api/analytics/status"))
    expect(article).to_be_visible()
    expect(field).to_have_count(0)
    article.get_by_text("Try it").click()
    article.get_by_role("button", name="Send GET").click()
    expect(article.get_by_role("status").get_by_text("200", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.locator("#source").click()
    assert json.loads(download.value.path().read_text(encoding="utf-8"))["openapi"] == "3.1.0"


def test_who_has_signed_in_on_the_page_has_in_the_documentation(service: ServiceProcess, open_page: OpenPage) -> None:
    script = f"localStorage.setItem('coachiq-analytics.token', '{token(600)}')"
    page = open_page(f"{service.url}/docs", script=script)
    expect(page.get_by_role("heading", name="GET /api/analytics/status")).to_be_visible()
    expect(page.get_by_label("Access token")).to_have_count(0)
