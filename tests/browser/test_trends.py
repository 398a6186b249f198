"""Charts: zoom by mouse and keys, the address as the whole state, table and CSV equal to the chart."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
PATH = "/trends?m=battery.house.voltage&m=solar.power&from=-172800"


def span_of(page: Page) -> float:
    query = parse_qs(urlsplit(page.url).query)
    start, end = float(query["from"][0]), query.get("to")
    return -start if start < 0 else float(end[0]) - start if end else 0.0


def until(page: Page, condition: str) -> None:
    """Playwright's own waiting for a condition is an eval, which the page's policy forbids."""
    page.evaluate(
        f"new Promise((done) => {{ const look = () => {condition} ? done() : requestAnimationFrame(look); look(); }})"
    )


def test_dragging_zooms_and_the_address_brings_it_back(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url + PATH)
    area = page.get_by_role("application", name=re.compile("House battery voltage"))
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("to="))
    assert abs(span_of(page) - 43_200) < 1_500
    expect(page.get_by_text(re.compile("12 h; one point is"))).to_be_visible()
    other = open_page(page.url)
    expect(other.get_by_text(re.compile("12 h; one point is"))).to_be_visible()
    page.get_by_role("button", name="Back").click()
    expect(page).to_have_url(re.compile("from=-172800"))
    page.go_back()
    expect(page).to_have_url(re.compile("to="))


def test_zooming_by_keyboard(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url + PATH)
    area = page.get_by_role("application", name=re.compile("House battery voltage"))
    area.focus()
    readout = page.get_by_role("region", name="House battery voltage").get_by_test_id("readout")
    area.press("ArrowLeft")
    before = readout.inner_text()
    for _ in range(5):
        area.press("ArrowLeft")
    expect(readout).not_to_have_text(before)
    # One crosshair for all charts.
    moment = re.sub(r"^\S+ V\s*", "", readout.inner_text())
    expect(page.get_by_role("region", name="Solar power").get_by_test_id("readout")).to_contain_text(moment)
    area.press("+")
    expect(page).not_to_have_url(re.compile("from=-172800"))
    assert abs(span_of(page) - 86_400) < 1_000
    area.press("0")
    expect(page).to_have_url(re.compile("from=-172800"))


def test_back_goes_one_zoom_at_a_time_and_keeps_its_place(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url + PATH)
    area = page.get_by_role("application", name=re.compile("House battery voltage"))
    back = page.get_by_role("button", name="Back")
    expect(back).to_have_attribute("aria-disabled", "true")
    top = area.bounding_box()
    area.focus()
    area.press("+")
    expect(page).not_to_have_url(re.compile("from=-172800"))
    first = page.url
    assert area.bounding_box() == top
    area.press("+")
    expect(page).not_to_have_url(first)
    back.click()
    expect(page).to_have_url(first)
    page.go_back()
    page.go_back()
    page.go_back()
    expect(page).to_have_url(re.compile("from=-172800"))
    area.press("0")  # nothing to undo here
    expect(page).to_have_url(re.compile("from=-172800"))
    start = page.get_by_role("slider", name="Start of the range")
    start.press("Shift+ArrowLeft")
    expect(page).not_to_have_url(re.compile("from=-172800"))
    assert "to=" not in page.url  # it still ends now
    back.click()
    expect(page).to_have_url(re.compile("from=-172800"))


def test_a_csv_that_could_not_be_loaded_is_told(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url + PATH)
    expect(page.get_by_test_id("trend-chart").first).to_be_visible()
    page.route(re.compile("format=csv"), lambda route: route.abort())
    page.get_by_role("button", name="CSV").click()
    expect(page.get_by_text("The service does not answer")).to_be_visible()


def test_two_fingers_zoom(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url + PATH, width=390, height=844, has_touch=True)
    box = page.get_by_role("application", name=re.compile("House battery voltage")).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    middle, y = box["x"] + box["width"] / 2, box["y"] + 60

    def touch(kind: str, apart: float) -> None:
        points = [{"x": middle - apart, "y": y, "id": 1}, {"x": middle + apart, "y": y, "id": 2}]
        event = {"type": kind, "touchPoints": points if kind != "touchEnd" else []}
        session.send("Input.dispatchTouchEvent", event)

    touch("touchStart", box["width"] / 8)
    for step in (6, 5, 4):
        touch("touchMove", box["width"] / step)
    touch("touchEnd", 0)
    expect(page).not_to_have_url(re.compile("from=-172800"))
    assert 60_000 < span_of(page) < 110_000  # twice as far apart: half of two days


def test_table_and_csv_are_the_chart_row_by_row(demo: ServiceProcess, open_page: OpenPage) -> None:
    end = int(time.time()) // 600 * 600 - 600  # what is still growing would differ from one look to the next
    page = open_page(f"{demo.url}{PATH.replace('from=-172800', f'from={end - 172_800}&to={end}')}&view=table")
    tables = page.get_by_role("table")
    expect(tables).to_have_count(2)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    with open(waiting.value.path(), newline="", encoding="utf-8") as file:  # noqa: PTH123  # a path of Playwright's
        header, *rows = list(csv.reader(file))
    assert header == ["metric_name", "timestamp", "value", "min", "max", "count"]
    assert {row[0] for row in rows} == {"battery.house.voltage", "solar.power"}
    shown = page.evaluate(
        """() => [...document.querySelectorAll("table")].flatMap((table) => [...table.querySelectorAll("tbody tr")].map(
             (row) => [row.dataset.time, ...[...row.querySelectorAll("td")].map((cell) => cell.textContent)]))"""
    )
    assert len(shown) > 200
    assert [[float(cell) for cell in row] for row in shown] == [[float(cell) for cell in row[1:]] for row in rows]


def test_a_printed_table_is_whole(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}{PATH}&view=table", width=794)
    frame = page.get_by_role("region", name=re.compile("^Values of")).first
    is_cut = "element => element.scrollHeight > element.clientHeight + 1"
    expect(frame.get_by_role("row").nth(20)).to_be_attached()
    assert frame.evaluate(is_cut)  # on the screen it scrolls
    page.emulate_media(media="print")
    assert not frame.evaluate(is_cut)
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()


def test_an_update_loses_neither_zoom_nor_scroll(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(demo.url + PATH.replace("172800", "900"), height=500)
    expect(page.get_by_test_id("trend-chart").first).to_be_visible()
    page.mouse.wheel(0, 300)
    line = "document.querySelector('.recharts-line-curve').getAttribute('d')"
    until(page, "window.scrollY > 200")
    scrolled, drawn = page.evaluate(f"[window.scrollY, {line}]")
    until(page, f"{line} !== {drawn!r}")
    assert page.evaluate("window.scrollY") == scrolled
    assert "from=-900" in page.url


def test_a_range_without_values_says_what_to_do(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/trends?m=battery.house.voltage&from=1000000000&to=1000003600")
    expect(page.get_by_text("Nothing was recorded in this range")).to_be_visible()


def test_choosing_metrics(demo: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/trends")
    expect(page.get_by_text("What do you want to look at?")).to_be_visible()
    page.get_by_role("button", name="Choose metrics").click()
    page.get_by_role("searchbox").fill("fresh wat")
    page.get_by_role("button", name=re.compile("tank.fresh.level")).click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("m=tank.fresh.level"))
    expect(page.get_by_role("region", name="Fresh water")).to_be_visible()


def test_one_chart_too_many_is_told(demo: ServiceProcess, open_page: OpenPage) -> None:
    names = [each["name"] for each in demo.get("/api/analytics/metrics?limit=13")["metrics"]]
    page = open_page(f"{demo.url}/trends?{'&'.join(f'm={name}' for name in names[:12])}")
    sections = page.get_by_role("link", name="usual day")
    expect(sections).to_have_count(12)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("searchbox").fill(names[12])
    page.get_by_role("button", name=re.compile(re.escape(names[12]))).first.click()
    expect(page.get_by_text("No more than 12 charts go on one page")).to_be_visible()
    expect(sections).to_have_count(12)
