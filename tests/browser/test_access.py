"""For everybody: axe on every page and theme, the keyboard alone, 200 % zoom, the narrowest phone, reduced motion."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.keyboard import tab_to
from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
PAGES = {
    "/": "[data-metric]",
    "/trends?m=battery.house.voltage&m=fridge.temperature": "[data-testid=trend-chart] svg",
    "/trends?m=battery.house.voltage&view=table": "table",
    "/correlations": "[role=grid]",
    "/patterns?m=solar.power": "[data-testid=pattern-overlay] svg",
    "/system": "table",
    "/system/actions": "nav[aria-label=System]",
    "/settings": "[role=radiogroup]",
    "/settings/first-page": "section[aria-label='First page'] li",
    "/settings/thresholds": "form",
    "/settings/kpis": "form",
    "/settings/notifications": "form",
}
THEMES = ("dark", "light", "night")
BROKEN_WORDS = r"""() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    if (text.parentElement.closest(".sr-only, svg")) continue;
    for (const word of text.textContent.matchAll(/\p{L}{2,}/gu)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


def insight_path(demo: ServiceProcess) -> str:
    return f"/insights/{demo.insight()['insight_id']}"


def test_axe_finds_nothing_serious(demo: ServiceProcess, open_page: OpenPage) -> None:
    """Every rule on every page; what depends on colours in every theme."""
    page = open_page(demo.url, reduced_motion="reduce")  # colours that are on their way would be judged half way
    found = []
    for path, there in {**PAGES, insight_path(demo): "[data-testid=trend-chart] svg"}.items():
        page.goto(demo.url + path)
        expect(page.locator(there).first).to_be_visible()
        for theme in THEMES:
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            options = None if theme == THEMES[0] else {"runOnly": ["color-contrast"]}
            found += [
                (path, theme, each["id"], [node["html"][:200] for node in each["nodes"]][:3])
                for each in Axe().run(page, options=options).response["violations"]
                if each["impact"] in ("serious", "critical")
            ]
    assert not found


@pytest.mark.parametrize("path", list(PAGES))
def test_from_the_narrowest_phone_to_4k(demo: ServiceProcess, open_page: OpenPage, path: str) -> None:
    page = open_page(demo.url + path, width=360, height=740)  # also 720 px at 200 % zoom
    expect(page.locator(PAGES[path]).first).to_be_visible()
    for width, height in ((360, 740), (768, 1024), (1280, 800), (1920, 1080), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        # Charts follow with the next picture.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(BROKEN_WORDS) == []


def test_a_large_screen_is_used(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url, width=3840, height=2160)
    for name in ("battery", "power", "tanks"):
        expect(page.locator(f"[data-card={name}]")).to_be_visible()
    tops = page.evaluate(
        "['battery', 'power', 'tanks']"
        ".map((name) => document.querySelector(`[data-card=${name}]`).getBoundingClientRect().top)"
    )
    assert len(set(tops)) == 1


def test_the_whole_way_by_keyboard(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    expect(page.locator("[data-metric]").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#page")).to_be_focused()
    link = page.get_by_role("link", name="House battery charge")
    tab_to(page, link, most=40)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/trends"))
    area = page.get_by_role("application").first
    tab_to(page, area)
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("from="))


def test_the_heatmap_is_walked_by_arrows(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/correlations")
    cells = page.get_by_role("gridcell")
    cells.first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        expect(page.locator("[role=gridcell]:focus")).to_have_count(1)
    expect(page.locator('[role=gridcell][tabindex="0"]')).to_have_count(1)


def test_reduced_motion_is_respected(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url, reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter((each) => {"
        " const style = getComputedStyle(each);"
        " return Math.max(parseFloat(style.animationDuration), parseFloat(style.transitionDuration)) > 0.02; }).length"
    )
    assert moving == 0


def test_the_heatmap_is_read_and_used_by_touch(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/correlations", width=360, height=700, has_touch=True, is_mobile=True)
    rows = page.get_by_role("rowheader")
    expect(rows.first).to_contain_text("1")
    heads = page.get_by_role("columnheader")
    names = [head.get_attribute("aria-label") for head in heads.all()][1:]
    assert names == [row.get_attribute("aria-label") for row in rows.all()][:-1]
    assert [head.inner_text() for head in heads.all()][1:] == [str(number + 1) for number in range(len(names))]
    cell = page.locator("[role=gridcell]:not([aria-disabled=true])").first
    box = cell.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    cell.tap()
    heading = page.get_by_role("region", name="The chosen pair").get_by_role("heading").first
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
