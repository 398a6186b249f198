"""The dashboard in headless Chromium: `python tests/bench/bench_dashboard.py [--days 30]`. Prints, judges nothing.

Largest contentful paint and the page's own marks (`cards-ready`, `zoom-start`, `charts-drawn`); from a frame's arrival
to the picture that shows it; share of time the main thread was busy; memory of the page; size of the JavaScript of the
first view. More than one browser: bench_five_browsers.py.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OBSERVE = """
window.bench = {lcp: 0};
new PerformanceObserver((list) => { for (const each of list.getEntries()) window.bench.lcp = each.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});
"""
METRICS = 60
FRAMES_A_SECOND = 10


@contextmanager
def opened(browser: Browser, url: str, slowdown: float = 1) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, service_workers="block", bypass_csp=True)
    context.add_init_script(OBSERVE)
    page = context.new_page()
    page.set_default_timeout(60_000)
    if slowdown > 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.goto(url)
    yield page
    context.close()


def first_view(browser: Browser, url: str, slowdown: float = 1) -> tuple[float, float]:
    """Milliseconds to the largest contentful paint, and to all cards with data."""
    with opened(browser, url, slowdown) as page:
        page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
        ready = page.evaluate("performance.getEntriesByName('cards-ready')[0].startTime")
        return page.evaluate("window.bench.lcp"), ready


def best_and_worst(name: str, browser: Browser, url: str, slowdown: float = 1, times: int = 5) -> None:
    found = [first_view(browser, url, slowdown) for _ in range(times)]
    paint, ready = (statistics.median(each) for each in zip(*found, strict=True))
    print(f"{name}: largest contentful paint {paint:.0f} ms, all cards with data {ready:.0f} ms (median of {times})")


def zooms(browser: Browser, url: str) -> list[float]:
    """Milliseconds from the end of each of five drags to the new picture: 30 days of four metrics."""
    chosen = "&".join(
        f"m={name}" for name in ("battery.house.soc", "battery.house.voltage", "solar.power", "fridge.temperature")
    )
    with opened(browser, f"{url}/trends?{chosen}&from=-2592000") as page:
        page.wait_for_function("performance.getEntriesByName('charts-drawn').length > 0")
        took = []
        for _ in range(5):
            area = page.get_by_role("application").first
            box = area.bounding_box()
            assert box is not None
            page.evaluate("performance.clearMarks()")
            page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 30)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 30, steps=3)
            page.mouse.up()
            page.wait_for_function("performance.getEntriesByName('charts-drawn').length > 0")
            took.append(
                page.evaluate(
                    "performance.getEntriesByName('charts-drawn')[0].startTime"
                    " - performance.getEntriesByName('zoom-start').at(-1).startTime"
                )
            )
        return took


def zoom(browser: Browser, url: str) -> None:
    took = zooms(browser, url)
    print(f"zoom, 30 days x 4 metrics, to the new picture: {', '.join(f'{each:.0f}' for each in took)} ms")


@contextmanager
def fed(service: ServiceProcess) -> Iterator[None]:
    """METRICS metrics at FRAMES_A_SECOND frames a second."""
    stop = threading.Event()

    def feed() -> None:
        count = 0
        while not stop.wait(1 / FRAMES_A_SECOND):
            count += 1
            names = ["battery.house.voltage", "battery.house.soc", "tank.fresh.level", "climate.front.temperature"]
            names += [f"bench.metric{number}" for number in range(METRICS - len(names))]
            service.send(
                "/api/analytics/metrics/batch",
                {"samples": [{"metric_name": name, "value": 10 + count % 50} for name in names]},
            )

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        stop.set()
        feeder.join()


def live(browser: Browser, service: ServiceProcess, seconds: float) -> None:
    with opened(browser, service.url) as page:
        page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        with fed(service):
            page.wait_for_timeout(3_000)
            before, began = counters(session), time.monotonic()
            page.wait_for_timeout(seconds * 1000)
            after, took = counters(session), time.monotonic() - began
        delays = sorted(page.evaluate("window.coachiqDelays.slice()"))
        busy = (after["TaskDuration"] - before["TaskDuration"]) / took
        print(
            f"frame to picture, {METRICS} metrics at {FRAMES_A_SECOND} frames/s: p50 {at(delays, 0.5):.0f} ms,"
            f" p95 {at(delays, 0.95):.0f} ms of {len(delays)}; main thread {busy:.0%} busy"
        )
        heap, later = (each["JSHeapUsedSize"] / 1e6 for each in (before, after))
        print(f"memory of the page: {heap:.1f} MB, {took:.0f} s later {later:.1f} MB")


def counters(session: Any) -> dict[str, float]:
    session.send("HeapProfiler.collectGarbage")
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def script_size(browser: Browser, url: str) -> None:
    with opened(browser, url) as page:
        page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
        names = page.evaluate(
            "performance.getEntriesByType('resource').map((each) => each.name).filter((name) => name.endsWith('.js'))"
        )
        sizes = [len(gzip.compress(page.request.get(name).body(), 9)) for name in names]
        print(f"JavaScript of the first view: {sum(sizes) / 1000:.0f} kB gzip in {len(sizes)} files")


def main() -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser()
    parser.add_argument("--days", default="30")
    parser.add_argument("--seconds", type=float, default=30, help="of live values")
    asked = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium on this machine", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        with (
            tempfile.TemporaryDirectory() as folder,
            ServiceProcess(["demo", "--days", asked.days], Path(folder)) as demo,
        ):
            first_view(browser, demo.url)  # warm
            script_size(browser, demo.url)
            best_and_worst(f"{asked.days} days", browser, demo.url)
            best_and_worst(f"{asked.days} days, 4x slower", browser, demo.url, slowdown=4, times=3)
            zoom(browser, demo.url)
            live(browser, demo, asked.seconds)
        with tempfile.TemporaryDirectory() as folder, ServiceProcess(["serve"], Path(folder)) as bare:
            names = ("battery.house.voltage", "battery.house.soc", "tank.fresh.level", "climate.front.temperature")
            for second in range(50):
                samples = [
                    {"metric_name": name, "value": 12 + second % 7, "timestamp": time.time() - second} for name in names
                ]
                bare.send("/api/analytics/metrics/batch", {"samples": samples})
            best_and_worst("memory only", browser, bare.url)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
