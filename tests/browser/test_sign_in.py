"""A service that asks who one is: the page asks for a token, and again when it has expired."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
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
    page = open_page(service.url)
    field = page.get_by_label("Access token")
    expect(field).to_be_visible()
    field.fill(token(8))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("live-mark")).to_have_text("live")
    expect(page.get_by_text("Nothing has been recorded yet")).to_be_visible()
    expect(page.get_by_text("Your sign-in has expired.")).to_be_visible(timeout=40_000)
    field.fill(token(600))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("live-mark")).to_have_text("live")
    expect(field).to_be_hidden()
