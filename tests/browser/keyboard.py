"""Moving about a page without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def tab_to(page: Page, target: Locator, most: int = 60) -> None:
    """Press Tab until `target` has the focus; it must come within `most` presses."""
    expect(target).to_be_visible()
    for _ in range(most):
        if target.evaluate("(element) => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(target).to_be_focused()
