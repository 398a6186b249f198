"""A newcomer's way: what needs attention first, why the battery dropped last night, what is live, what is unusual."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]


def test_the_first_page_reads_like_a_sentence(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile(r"(All is well\.|attention|worth a look)"))
    expect(page.get_by_text("The battery is at")).to_be_visible()
    for name in ("Battery", "Power flow", "Tanks", "Climate"):
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("Simulated coach")).to_be_visible()
    expect(page.get_by_test_id("live-mark")).to_have_text("live")


def test_from_an_insight_to_why_and_what_to_do(demo: ServiceProcess, open_page: OpenPage) -> None:
    insight = demo.insight()  # the demo begins with a fault
    page = open_page(demo.url)
    card = page.get_by_role("article", name=insight["title"].split(":")[0])
    card.get_by_role("link", name="Why, and what to do").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(insight["title"].split(":")[0])
    expect(page.get_by_role("region", name="Evidence").get_by_test_id("trend-chart")).to_be_visible()
    expect(page.get_by_text(insight["recommendations"][0])).to_be_visible()
    expect(page.get_by_text("Confidence")).to_be_visible()
    page.reload()  # a page of its own: its address can be shared
    expect(page.get_by_text(insight["recommendations"][0])).to_be_visible()


def test_why_did_the_battery_drop_last_night_in_three_taps(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url, width=390, height=844, has_touch=True)
    page.get_by_role("link", name="House battery charge").tap()  # 1
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    page.get_by_role("button", name="Last night").tap()  # 2
    expect(page).to_have_url(re.compile("from="))
    partner = page.get_by_role("button", name=re.compile("^Add ")).first
    added = partner.get_attribute("aria-label")
    partner.tap()  # 3
    assert added is not None
    expect(page.get_by_role("region", name=added.removeprefix("Add "), exact=True)).to_be_visible()
    expect(page.get_by_test_id("trend-chart")).to_have_count(2)


def test_values_are_live(demo: ServiceProcess, open_page: OpenPage) -> None:
    demo.send("/api/analytics/metrics", {"metric_name": "tank.fresh.level", "value": 41})
    page = open_page(demo.url)
    reading = page.locator('[data-metric="tank.fresh.level"]')
    expect(reading).to_contain_text("41")
    demo.send("/api/analytics/metrics", {"metric_name": "tank.fresh.level", "value": 42})
    expect(reading).to_contain_text("42")


def test_every_page_is_reached_from_every_other(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    for name, heading in (
        ("Trends", "Trends"),
        ("Patterns", "Patterns"),
        ("Together", "What moves together"),
        ("System", "System"),
        ("Now", None),
    ):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        if heading is not None:
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")


def test_units_follow_the_reader(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings")
    page.get_by_role("radio", name="°F").check()
    page.get_by_role("navigation").get_by_role("link", name="Now").click()
    expect(page.locator('[data-metric="fridge.temperature"]')).to_contain_text("°F")
    page.reload()
    expect(page.locator('[data-metric="fridge.temperature"]')).to_contain_text("°F")
    page.goto(f"{demo.url}/patterns?m=fridge.temperature")  # sentences, too
    page.get_by_test_id("pattern-overlay").wait_for()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"\d °F"))
    expect(page.get_by_role("main")).not_to_contain_text("°C")
    page.goto(f"{demo.url}/trends?m=fridge.temperature&from=-3600&view=table")  # and tables
    expect(page.get_by_role("columnheader", name="Mean (°F)")).to_be_visible()
    fahrenheit = float(page.get_by_role("cell").first.inner_text())
    assert 32 < fahrenheit < 80


def test_the_hours_of_a_pattern_are_the_coachs_and_told_once(demo: ServiceProcess, open_page: OpenPage) -> None:
    words = []
    for zone in ("UTC", "America/Denver"):
        page = open_page(f"{demo.url}/patterns?m=solar.power", timezone_id=zone)
        told = page.get_by_text(re.compile("Solar power repeats every day"))
        expect(told).to_have_count(1)
        words.append(told.inner_text())
        expect(page.get_by_text("Times of day here are the coach’s (UTC)")).to_have_count(int(zone != "UTC"))
        repeats = page.get_by_role("region", name="What repeats")
        expect(repeats.get_by_role("link").first).to_contain_text("follows the day")
        expect(repeats).not_to_contain_text("swing")
    assert words[0] == words[1]


def test_patterns_and_what_moves_together(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/patterns?m=solar.power")
    expect(page.get_by_test_id("pattern-overlay")).to_be_visible()
    expect(page.get_by_text(re.compile("Solar power repeats every day")).first).to_be_visible()
    page.goto(f"{demo.url}/correlations")
    grid = page.get_by_role("grid", name="Correlations")
    expect(grid).to_be_visible()
    page.get_by_role("region", name="The chosen pair").get_by_role("button").first.click()
    expect(page.get_by_test_id("pair-chart")).to_be_visible()
    expect(page).to_have_url(re.compile("a=.*&b="))
