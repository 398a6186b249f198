"""The dashboard in the system's Chromium. Without Chromium or Playwright these tests say so, and fail under CI."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The tox environment `browser` has Playwright; the interpreters' own have not, and need not look at a page.
collect_ignore_glob = [] if importlib.util.find_spec("playwright") else ["test_*.py"]
WITHIN_MS = 15_000  # noisy machines: what is asserted is that it happens, the bench measures how soon


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WITHIN_MS)
    path = find_chromium()
    if path is None:
        message = "no Chromium on this machine: apt-get install chromium, or name it in $CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A simulated coach with a week behind it."""
    with ServiceProcess(["demo", "--days", "7"], tmp_path_factory.mktemp("demo")) as service:
        yield service


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """open_page(url, width=..., theme=..., **context): a page whose errors fail the test."""
    contexts = []
    wrong: list[str] = []

    def open_page(
        url: str, *, width: int = 1280, height: int = 800, theme: str = "dark", script: str = "", **context: Any
    ) -> Page:
        context.setdefault("service_workers", "block")
        made = browser.new_context(viewport={"width": width, "height": height}, **context)
        contexts.append(made)
        stored = f'{{"theme": "{theme}"}}'
        made.add_init_script(
            "if (!localStorage.getItem('coachiq-analytics.preferences'))"
            f" localStorage.setItem('coachiq-analytics.preferences', '{stored}')"
        )
        if script:
            made.add_init_script(script)
        page = made.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on("console", lambda message: _note(message.text, wrong))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def _note(text: str, wrong: list[str]) -> None:
    """What breaks the page's own policy never goes unseen."""
    if "Content Security Policy" in text or "Content-Security-Policy" in text:
        wrong.append(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
