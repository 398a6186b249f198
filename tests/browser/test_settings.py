"""What a person says and sets: answers to insights, thresholds, cards, and that the service keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]


def test_an_insight_is_dismissed_and_taken_back(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    card = page.get_by_role("article").first
    title = card.get_by_role("heading").inner_text()
    card.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("article", name=title)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    card = page.get_by_role("article", name=title.split(":")[0])
    expect(card).to_be_visible()
    card.get_by_role("button", name="I have seen it").click()
    expect(card.get_by_role("button", name="Seen")).to_be_visible()


def test_a_threshold_is_set_switched_off_and_deleted(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings/thresholds")
    page.get_by_role("button", name="Choose a metric").click()
    page.get_by_role("searchbox").fill("tank.fresh")
    page.get_by_role("button", name=re.compile("tank.fresh.level")).click()
    page.get_by_label("Tell me when it is").select_option("below")
    page.get_by_label("Limit").fill("7")
    page.get_by_role("button", name="Set it").click()
    item = page.get_by_role("listitem").filter(has_text="below 7")
    expect(item).to_be_visible()
    item.get_by_label("On").click()
    expect(item.get_by_label("On")).not_to_be_checked()
    (kept,) = demo.get("/api/analytics/thresholds")["thresholds"]
    assert (kept["metric"], kept["value"], kept["enabled"]) == ("tank.fresh.level", 7, False)
    item.get_by_role("button", name=re.compile("Delete")).click()
    expect(item).to_have_count(0)


def test_cards_are_arranged_by_keyboard_and_kept(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    page.get_by_role("button", name="Arrange cards").click()
    cards = page.locator("[data-card]")
    expect(cards.first).to_have_attribute("data-card", "battery")
    page.get_by_role("button", name=re.compile("^Move Battery")).press("ArrowRight")
    expect(cards.nth(1)).to_have_attribute("data-card", "battery")
    page.get_by_role("button", name="Tanks: away").click()
    expect(page.locator("[data-card=tanks]")).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("[data-card=tanks]")).to_have_count(1)
    page.get_by_role("button", name="Battery: wider").click()
    page.get_by_role("button", name="Add a chart").click()
    page.get_by_role("searchbox").fill("solar.power")
    with page.expect_response(re.compile("/layouts/overview")) as answered:
        page.get_by_role("button", name=re.compile("solar.power")).click()
    assert answered.value.ok
    page.reload()
    expect(cards.nth(1)).to_have_attribute("data-card", "battery")
    expect(page.locator("[data-card=chart-1]").get_by_test_id("trend-chart")).to_be_visible()
    page.get_by_role("button", name="Arrange cards").click()
    page.get_by_role("button", name="As it came").click()
    expect(cards.first).to_have_attribute("data-card", "battery")


def test_units_are_kept_by_the_service(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings")
    with page.expect_response(lambda response: "preferences" in response.url and response.request.method == "PUT"):
        page.get_by_role("radio", name="psi").check()
    other = open_page(f"{demo.url}/settings")
    expect(other.get_by_role("radio", name="psi")).to_be_checked()
    assert demo.get("/api/analytics/preferences")["units"]["pressure"] == "psi"
    with other.expect_response(lambda response: "preferences" in response.url and response.request.method == "PUT"):
        other.get_by_role("radio", name="bar").check()
