"""What a person says and sets: answers to insights, thresholds, cards, and that the service keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.service import ServiceProcess, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]


def test_an_insight_is_dismissed_and_taken_back(demo: ServiceProcess, open_page: OpenPage) -> None:
    demo.insight()
    page = open_page(demo.url)
    card = page.get_by_role("article").first
    title = card.get_by_role("heading").inner_text()
    card.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("article", name=title)).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("All is well")  # it still holds
    page.get_by_text(re.compile("Put off: [0-9]")).click()
    page.get_by_role("listitem").filter(has_text=title.split(":")[0]).get_by_role("button", name="Take back").click()
    card = page.get_by_role("article", name=title.split(":")[0])
    expect(card).to_be_visible()
    card.get_by_role("button", name="I have seen it").click()
    expect(card.get_by_role("button", name="Seen")).to_be_visible()


def test_a_threshold_is_set_switched_off_and_deleted(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings/thresholds")
    expect(page).to_have_title("Thresholds, Settings · CoachIQ Analytics")
    page.get_by_role("button", name="Choose a metric").click()
    page.get_by_role("searchbox").fill("tank.fresh")
    page.get_by_role("button", name=re.compile("tank.fresh.level")).click()
    page.get_by_label("Tell me when it is").select_option("below")
    page.get_by_label("Limit").fill("7")
    page.get_by_role("button", name="Set it").click()
    item = page.get_by_role("listitem").filter(has_text="below 7 %")
    expect(item).to_be_visible()
    item.get_by_label("On").click()
    expect(item.get_by_label("On")).not_to_be_checked()
    item = page.get_by_role("listitem").filter(has_text="Fresh water")
    item.get_by_role("button", name=re.compile("Change")).click()
    expect(item.get_by_label("Limit (%)")).to_have_value("7")
    item.get_by_label("Limit (%)").fill("9")
    item.get_by_label("For at least (minutes)").fill("2")
    item.get_by_role("button", name="Save").click()
    expect(item.get_by_text("below 9 % for 2 min")).to_be_visible()
    expect(item.get_by_role("button", name=re.compile("Change"))).to_be_focused()
    (kept,) = demo.get("/api/analytics/thresholds")["thresholds"]
    assert (kept["metric"], kept["value"], kept["enabled"]) == ("tank.fresh.level", 9, False)
    item.get_by_role("button", name=re.compile("Delete")).click()
    expect(item).to_have_count(0)


def test_a_threshold_that_fires_is_on_the_first_page_until_it_is_gone(
    demo: ServiceProcess, open_page: OpenPage
) -> None:
    page = open_page(demo.url)
    headline = page.get_by_role("heading", level=1)
    expect(headline).not_to_have_text("Looking…")
    own = {"metric": "battery.house.voltage", "condition": "above", "value": 5, "severity": "critical"}
    demo.send("/api/analytics/thresholds", own)
    card = page.get_by_role("article", name="House battery voltage is above 5.00 V")
    expect(card).to_contain_text("Critical")
    demo.send("/api/analytics/metrics", {"metric_name": "battery.house.voltage", "value": 17.25})
    expect(card).to_contain_text("at its furthest 17.25 V")  # told without a frame, and long before a minute has passed
    expect(headline).to_contain_text(re.compile("needs? attention"))
    card.get_by_role("link", name="Look closer in Trends").click()
    expect(page).to_have_url(re.compile("m=battery.house.voltage"))
    page.go_back()
    card.get_by_role("link", name="Change the threshold").click()
    page.get_by_role("button", name="Delete battery.house.voltage above 5").click()
    page.get_by_role("navigation").get_by_role("link", name="Now").click()
    expect(card).to_have_count(0)


def test_a_threshold_on_a_role_names_what_fires(demo: ServiceProcess, open_page: OpenPage) -> None:
    own = {"role": "interior_temperature", "condition": "above", "value": -100, "name": "Indoors", "severity": "low"}
    demo.send("/api/analytics/thresholds", own)
    page = open_page(f"{demo.url}/settings/thresholds")
    item = page.get_by_role("listitem").filter(has_text="every interior temperature")
    for place in ("front", "rear"):
        expect(item).to_contain_text(re.compile(rf"Climate {place} temperature firing for \d+ s"))
    item.get_by_role("button", name="Delete Indoors").click()
    expect(item).to_have_count(0)


def test_what_another_tab_has_saved_is_not_overwritten(demo: ServiceProcess, open_page: OpenPage) -> None:
    demo.send(
        "/api/analytics/thresholds",
        {"metric": "battery.house.voltage", "condition": "below", "value": 12.1, "name": "Flat"},
    )
    tabs = [open_page(f"{demo.url}/settings/thresholds") for _ in range(2)]
    for tab in tabs:
        tab.get_by_role("button", name="Change Flat").click()
    one, other = tabs
    one.get_by_label("Limit (V)").first.fill("12.2")
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_text("below 12.20 V")).to_be_visible()
    other.get_by_label("Limit (V)").first.fill("11.5")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("alert")).to_contain_text("Not saved.")
    assert [each["value"] for each in demo.get("/api/analytics/thresholds")["thresholds"]] == [12.2]
    other.get_by_role("button", name="Load what is set now").click()
    expect(other.get_by_label("Limit (V)").first).to_have_value("12.2")
    other.get_by_label("Limit (V)").first.fill("11.5")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("below 11.50 V")).to_be_visible()
    other.get_by_role("button", name="Delete Flat").click()
    expect(other.get_by_text("below 11.50 V")).to_have_count(0)


def test_a_channel_is_added_tried_and_deleted(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings/notifications")
    page.get_by_label("Quiet hours").check()
    with page.expect_response(lambda response: "preferences" in response.url and response.request.method == "PUT"):
        page.get_by_label("Until").fill("06:30")
        page.get_by_label("Until").blur()
    page.get_by_label("Address").fill(f"http://127.0.0.1:{free_port()}/hook")  # nobody listens there
    page.get_by_label("Name (if you like)").fill("Phone")
    page.get_by_role("button", name="Add it").click()
    item = page.get_by_role("listitem").filter(has_text="phone")
    item.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The message did not arrive")).to_be_visible()
    kept = demo.get("/api/analytics/preferences")["notifications"]
    assert (kept["quiet_hours"]["enabled"], kept["quiet_hours"]["end"]) == (True, "06:30")
    assert [each["id"] for each in kept["channels"]] == ["phone"]
    for category in ("performance", "cost"):
        with page.expect_response(lambda response: "preferences" in response.url and response.request.method == "PUT"):
            item.get_by_label(category).uncheck()
    kept = demo.get("/api/analytics/preferences")["notifications"]
    assert kept["channels"][0]["categories"] == ["reliability", "efficiency"]
    expect(page.get_by_role("region", name="Delivery record")).to_contain_text("No message has been made for you yet")
    item.get_by_role("button", name="Delete phone").click()
    expect(page.get_by_text("No channel yet")).to_be_visible()


def test_a_theme_chosen_on_the_page_of_notifications_does_not_make_it_old(
    demo: ServiceProcess, open_page: OpenPage
) -> None:
    page = open_page(f"{demo.url}/settings/notifications")
    digest = page.get_by_label("Gather what can wait")
    expect(digest).not_to_be_checked()
    for is_wanted in (True, False):
        with page.expect_response(lambda response: "preferences" in response.url and response.request.method == "PUT"):
            page.get_by_role("button", name=re.compile("[tT]heme")).click()
        with page.expect_response(lambda response: "preferences" in response.url and response.request.method == "PUT"):
            digest.click()
        expect(digest).to_be_checked(checked=is_wanted)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_figure_is_added_changed_and_deleted(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings/kpis")
    form = page.get_by_role("form", name="A new figure")
    form.get_by_label("Name").fill("Coldest night")
    form.get_by_label("Expression").fill('min("exterior.temperature"')
    form.get_by_role("button", name="Try it").click()
    expect(form.locator("[aria-live]")).not_to_be_empty()  # the service's own words on what is wrong
    form.get_by_label("Expression").fill('min("exterior.temperatur", "night")')
    form.get_by_role("button", name="Try it").click()
    expect(form.get_by_text("nothing has been recorded under “exterior.temperatur” yet")).to_be_visible()
    form.get_by_label("Expression").fill('min("exterior.temperature", "night")')
    form.get_by_role("button", name="Try it").click()
    expect(form.get_by_text("Now: ")).to_be_visible()
    form.get_by_role("button", name="Add it").click()
    item = page.get_by_role("listitem").filter(has_text="Coldest night")
    item.get_by_role("button", name="Change Coldest night").click()
    item.get_by_label("Should be at least").fill("99")
    item.get_by_role("button", name="Save").click()
    expect(item).to_contain_text("it is not")
    expect(item.get_by_role("button", name="Change Coldest night")).to_be_focused()
    item.get_by_role("button", name="Delete Coldest night").click()
    expect(item).to_have_count(0)


def test_figures_and_channels_may_be_called_anything_more_than_once(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings/kpis", width=360, height=740)
    shipped = page.get_by_role("region", name="Figures").get_by_role("listitem")
    words = shipped.first.locator("p").first
    expect(words).to_be_visible()
    assert words.evaluate("element => element.offsetHeight") < 60  # a line or two, not a letter a line
    form = page.get_by_role("form", name="A new figure")
    for name in ("温度", "水", "水"):
        form.get_by_label("Name").fill(name)
        form.get_by_label("Expression").fill('max("exterior.temperature", "24h")')
        form.get_by_role("button", name="Add it").click()
        expect(form.get_by_label("Name")).to_have_value("")
    for each in ("温度", "水", "水"):
        count = page.get_by_role("button", name=f"Delete {each}").count()
        page.get_by_role("button", name=f"Delete {each}").first.click()
        expect(page.get_by_role("button", name=f"Delete {each}")).to_have_count(count - 1)
    page.goto(f"{demo.url}/settings/notifications")
    form = page.get_by_role("form", name="A new channel")
    for name in ("Phone", "Phone", "123"):
        form.get_by_label("Name (if you like)").fill(name)
        form.get_by_label("Address").fill("https://example.org/hook")
        form.get_by_role("button", name="Add it").click()
        expect(form.get_by_label("Address")).to_have_value("")
    channels = page.get_by_role("region", name="Channels").get_by_role("button", name=re.compile("^Delete"))
    assert [each.get_attribute("aria-label") for each in channels.all()] == [
        "Delete phone", "Delete phone2", "Delete webhook",
    ]  # fmt: skip
    for left in (2, 1, 0):
        channels.first.click()
        expect(channels).to_have_count(left)


def test_cards_are_arranged_by_keyboard_and_kept(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    page.get_by_role("button", name="Arrange cards").click()
    cards = page.locator("[data-card]")
    expect(cards.first).to_have_attribute("data-card", "battery")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):  # faster than the service stores it
        page.get_by_role("button", name=re.compile("^Move Battery")).press(key)
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
    expect(page.get_by_role("toolbar", name="Solar power", exact=True)).to_be_visible()
    page.get_by_role("button", name="As it came").click()
    expect(cards.first).to_have_attribute("data-card", "battery")


def test_the_first_page_is_arranged_in_the_settings_too(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/settings/first-page")
    cards = page.locator("[data-card]")
    page.get_by_role("button", name="Battery: later").click()
    expect(cards.nth(1)).to_have_attribute("data-card", "battery")
    page.get_by_role("button", name="Battery: wider").click()
    expect(cards.nth(1)).to_contain_text("half of the width")
    page.get_by_role("button", name="Tanks: away").click()
    expect(page.locator("[data-card=tanks]")).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).click()
    with page.expect_response(re.compile("/layouts/overview")) as answered:
        page.get_by_role("button", name="Climate: away").click()
    assert answered.value.ok
    page.get_by_role("navigation").get_by_role("link", name="Now").click()
    expect(page.locator("[data-card=tanks]")).to_have_count(1)
    expect(page.locator("[data-card=climate]")).to_have_count(0)
    expect(cards.nth(1)).to_have_attribute("data-card", "battery")
    page.goto(f"{demo.url}/settings/first-page")
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
