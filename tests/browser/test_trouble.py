"""What goes wrong: no service, an empty one, hostile names, far too many metrics, a wrong clock."""

from __future__ import annotations

import csv
import gzip
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
BOAT = Path(__file__).resolve().parents[3] / "shared" / "data" / "victron_boat_10min.csv.gz"
HOSTILE = '<img src=x onerror="window.hacked=1">'


@pytest.fixture
def service(folder: Path) -> Iterator[ServiceProcess]:
    """An empty one."""
    with ServiceProcess(["serve"], folder) as service:
        yield service


def test_an_empty_service_says_what_to_do_next(service: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(service.url, width=360, height=740)
    expect(page.get_by_text("Nothing has been recorded yet")).to_be_visible()
    expect(page.get_by_text("curl -H")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for path, words in (("/correlations", "Nothing moves together yet"), ("/patterns", "Nothing repeats yet")):
        page.goto(service.url + path)
        expect(page.get_by_text(words)).to_be_visible()
    page.goto(service.url)
    service.send("/api/analytics/metrics", {"metric_name": "battery.house.soc", "value": 77})
    expect(page.locator('[data-metric="battery.house.soc"]')).to_contain_text("77")  # by itself


def test_killed_and_started_again(service: ServiceProcess, open_page: OpenPage) -> None:
    service.send("/api/analytics/metrics", {"metric_name": "battery.house.soc", "value": 77})
    page = open_page(f"{service.url}/trends?m=battery.house.soc&from=-3600")
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    expect(page.get_by_test_id("live-mark")).to_have_text("live")
    service.stop(signal.SIGKILL)
    expect(page.get_by_text("No connection to the service.")).to_be_visible()
    expect(page.get_by_text(re.compile("What you see is from"))).to_be_visible()
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    expect(page.get_by_test_id("trend-chart")).to_be_visible()  # the last known picture stays
    page.get_by_role("button", name="Zoom out").click()
    expect(page.get_by_text("This could not be loaded.")).to_be_visible()
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    service.start()
    service.send("/api/analytics/metrics", {"metric_name": "battery.house.soc", "value": 55})
    expect(page.get_by_test_id("live-mark")).to_have_text("live")
    expect(page.get_by_text("No connection to the service.")).to_be_hidden()
    expect(page.get_by_text("This could not be loaded.")).to_be_hidden()  # loaded by itself
    expect(page.get_by_test_id("readout")).to_contain_text("55 %")
    assert "m=battery.house.soc&from=-7200" in page.url
    page.get_by_role("navigation").get_by_role("link", name="Now").click()
    expect(page.locator('[data-metric="battery.house.soc"]')).to_contain_text("55")


def test_opened_while_the_service_is_down(service: ServiceProcess, open_page: OpenPage) -> None:
    service.send("/api/analytics/metrics", {"metric_name": "battery.house.soc", "value": 77})
    page = open_page(service.url, service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # from now on through the worker, which keeps what it sees
    expect(page.locator('[data-metric="battery.house.soc"]')).to_contain_text("77")
    expect(page.get_by_role("heading", name="All is well.")).to_be_visible()
    page.goto(f"{service.url}/api/analytics/metrics")  # an answer looked at in between is not kept in the page's place
    service.stop()
    page.goto(f"{service.url}/system")  # never seen before: the page is the same, its data is not there
    page.goto(service.url)
    expect(page.locator('[data-metric="battery.house.soc"]')).to_contain_text("77")
    expect(page.get_by_text("No connection to the service.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"What you see is from \d+ s ago"))).to_be_visible()


def test_names_from_outside_stay_text(service: ServiceProcess, open_page: OpenPage) -> None:
    names = [HOSTILE, "x" * 256, "a,b;c&d=e#f%2F/.../g", "‮desrever", "🔋 level"]
    samples = [{"metric_name": name, "value": number} for number, name in enumerate(names)]
    service.send("/api/analytics/metrics/batch", {"samples": samples})
    page = open_page(service.url, width=360, height=740)
    reading = page.locator("[data-metric]")
    expect(reading).to_have_count(len(names))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name=re.compile("a,b;c", re.IGNORECASE)).click()
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    page.goto(f"{service.url}/trends?m={'x' * 256}")
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(service.url)
    page.get_by_role("button", name="Arrange cards").click()
    page.get_by_role("button", name="Add a chart").click()
    page.get_by_role("searchbox").fill("x" * 256)
    page.get_by_role("button", name=re.compile("^" + "x" * 256, re.IGNORECASE)).click()
    card = page.locator("[data-card=chart-1]")
    expect(card.get_by_test_id("trend-chart")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"{service.url}/settings/first-page")
    expect(card).to_contain_text("half of the width")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(service.url)
    page.get_by_role("link", name=re.compile("onerror")).click()
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    assert page.evaluate("window.hacked") is None


def first_of_each(recording: Path) -> list[dict[str, Any]]:
    """The first sample of every metric of a recorded CSV (metric_name, timestamp, value)."""
    found: dict[str, float] = {}
    with gzip.open(recording, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["metric_name"], float(row["value"]))
    return [{"metric_name": name, "value": value} for name, value in found.items()]


def test_a_recorded_boat(service: ServiceProcess, open_page: OpenPage) -> None:
    """2,347 metrics with the names and values of a real bus."""
    if not BOAT.is_file():
        pytest.skip(f"{BOAT} is not there")
    samples = first_of_each(BOAT)
    assert len(samples) == 2347
    for begin in range(0, len(samples), 500):
        service.send("/api/analytics/metrics/batch", {"samples": samples[begin : begin + 500]})
    page = open_page(service.url)
    expect(page.locator("[data-metric]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.goto(f"{service.url}/trends")
    page.get_by_role("button", name="Choose metrics").click()
    expect(page.get_by_text("2287 more")).to_be_visible()
    name = samples[-1]["metric_name"]
    page.get_by_role("searchbox").fill(name)
    page.get_by_role("button", name=re.compile(re.escape(name))).first.click()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("trend-chart")).to_be_visible()
    page.goto(f"{service.url}/system")
    expect(page.get_by_text("the 25 largest of 2347")).to_be_visible()


def test_two_thousand_metrics(service: ServiceProcess, open_page: OpenPage) -> None:
    samples = [{"metric_name": f"boat.part{number:04d}.value", "value": number} for number in range(2347)]
    service.send("/api/analytics/metrics/batch", {"samples": samples})
    page = open_page(service.url)
    expect(page.locator("[data-metric]")).to_have_count(12)
    page.goto(f"{service.url}/trends")
    page.get_by_role("button", name="Choose metrics").click()
    expect(page.get_by_text("2287 more")).to_be_visible()
    page.get_by_role("searchbox").fill("part1999")
    page.get_by_role("button", name=re.compile("boat.part1999")).click()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("trend-chart")).to_be_visible()


@pytest.mark.parametrize("hours", [-30 * 24, 5])
def test_a_browser_whose_clock_is_wrong(service: ServiceProcess, open_page: OpenPage, hours: int) -> None:
    service.send("/api/analytics/metrics", {"metric_name": "battery.house.soc", "value": 77})
    shift = f"{{ const real = Date.now.bind(Date); Date.now = () => real() + {hours} * 3600000; }}"
    page = open_page(service.url, script=shift)
    expect(page.locator('[data-metric="battery.house.soc"]')).to_contain_text("77")
    expect(page.get_by_text("This device's clock is")).to_be_visible()
    expect(page.get_by_text("last heard")).to_be_hidden()
    page.goto(f"{service.url}/trends?m=battery.house.soc&from=-900")
    expect(page.get_by_test_id("trend-chart")).to_be_visible()


def test_an_unknown_address_leads_back(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/insights/nobody?m=solar.power&from=-3600")
    expect(page.get_by_text("There is no such insight now")).to_be_visible()
    page.get_by_role("link", name="What the values did").click()
    expect(page).to_have_url(re.compile(r"/trends\?m=solar.power&from=-3600"))


def test_a_page_that_was_not_fetched_takes_no_other_along(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/patterns")
    expect(page.get_by_role("heading", level=1, name="Patterns")).to_be_visible()
    page.route(re.compile(r"/assets/system-.*\.js"), lambda route: route.abort())
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", name="This page could not be drawn")).to_be_visible()
    pages.get_by_role("link", name="Together").click()
    expect(page.get_by_role("heading", level=1, name="What moves together")).to_be_visible()
    page.unroute_all()
    pages.get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", level=1, name="System")).to_be_visible()


def test_pages_are_fetched_ahead_and_one_that_was_not_comes_with_the_service(
    service: ServiceProcess, open_page: OpenPage
) -> None:
    service.send("/api/analytics/metrics", {"metric_name": "battery.house.soc", "value": 77})
    page = open_page(service.url)
    page.route(re.compile(r"/assets/correlations-.*\.js"), lambda route: route.abort())
    with page.expect_request(re.compile(r"/assets/settings-.*\.js")):
        pass  # nobody has asked for that page; it is fetched once all of Trends, which comes before it, is there
    service.stop()
    expect(page.get_by_text("No connection to the service.")).to_be_visible()
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Together").click()
    expect(page.get_by_role("heading", name="This page could not be drawn")).to_be_visible()
    pages.get_by_role("link", name="Trends").click()
    expect(page.get_by_role("heading", level=1, name="Trends")).to_be_visible()
    pages.get_by_role("link", name="Together").click()
    expect(page.get_by_role("heading", name="This page could not be drawn")).to_be_visible()
    page.unroute_all()
    service.start()
    expect(page.get_by_role("heading", level=1, name="What moves together")).to_be_visible()
