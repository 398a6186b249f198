"""The dashboard in headless Chromium: `python tests/bench/bench_dashboard.py [--days 30]`. Prints, judges nothing.

Largest contentful paint and the page's own marks (`cards-ready`, `zoom-start`, `charts-drawn`); from a frame's arrival
to the picture that shows it; share of time the main thread was busy; memory of the page; size of the JavaScript of the
first view; beside four others that are open, and five that load at one moment, with and without their drawing.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import select
import statistics
import subprocess
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


def zoom(browser: Browser, url: str) -> None:
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
        print(f"zoom, 30 days x 4 metrics, to the new picture: {', '.join(f'{each:.0f}' for each in took)} ms")


def live(browser: Browser, service: ServiceProcess, seconds: float) -> None:
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

    with opened(browser, service.url) as page:
        page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            page.wait_for_timeout(3_000)
            before, began = counters(session), time.monotonic()
            page.wait_for_timeout(seconds * 1000)
            after, took = counters(session), time.monotonic() - began
        finally:
            stop.set()
            feeder.join()
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


@contextmanager
def four_others(path: str, url: str) -> Iterator[None]:
    """Browsers of their own that have the page open and show what arrives."""
    command = [sys.executable, __file__, "--stay", url, "--chromium", path]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    try:
        yield
    finally:
        for process in processes:
            process.communicate()


def at_one_moment(path: str, url: str) -> None:
    """One browser, then five of their own process each: started, warm, and then told to load at one moment. Beside it
    what Chromium itself needs for a page with nothing on it: all of them share the cores of this machine."""
    for what, asked in (("all cards with data", url), ("a page with nothing on it", f"{url}/icon.svg")):
        one, five = (load_together(path, asked, browsers) for browsers in (1, 5))
        print(
            f"one browser: {what} {one[0]:.0f} ms; five at one moment {', '.join(f'{each:.0f}' for each in five)} ms:"
            f" the slowest {five[-1] / one[0]:.1f} times"
        )


def load_together(path: str, url: str, browsers: int) -> list[float]:
    """The milliseconds of each, the slowest last."""
    command = [sys.executable, __file__, "--one", url, "--chromium", path]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(browsers)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()  # it is warm
    time.sleep(1)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    return sorted(json.loads(process.communicate()[0]) for process in processes)


def loaded(browser: Browser, url: str) -> float:
    """Milliseconds to all cards with data, or to all of a page that has none."""
    if not url.endswith(".svg"):
        return first_view(browser, url)[1]
    with opened(browser, url) as page:
        took: float = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        return took


def served(browser: Browser, url: str) -> None:
    """What the service has to do with five that load at one moment, each on a machine of its own: plain clients that
    ask for what a first view asks for, one request after the other, and draw nothing."""
    asked: list[tuple[str, dict[str, str]]] = []
    with opened(browser, "about:blank") as page:
        page.on("request", lambda request: asked.append((request.url.removeprefix(url), request.all_headers())))
        page.goto(url)
        page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
    asked = [(path, headers) for path, headers in asked if path.startswith("/") and "upgrade" not in headers]
    host = url.removeprefix("http://")

    def load(took: list[float], ready: threading.Barrier) -> None:
        connection = http.client.HTTPConnection(host)
        connection.connect()
        ready.wait()
        began = time.perf_counter()
        for path, headers in asked:
            connection.request("GET", path, headers={"accept-encoding": headers.get("accept-encoding", "")})
            connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1000)
        connection.close()

    def together(clients: int) -> float:
        took: list[float] = []
        ready = threading.Barrier(clients)
        threads = [threading.Thread(target=load, args=(took, ready)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return max(took)

    one, all_five = (statistics.median(together(clients) for _ in range(9)) for clients in (1, 5))
    print(
        f"what a first view asks for, {len(asked)} requests one after the other: by one client {one:.0f} ms,"
        f" by five at one moment {all_five:.0f} ms (the slowest)"
    )


def main() -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser()
    parser.add_argument("--days", default="30")
    parser.add_argument("--seconds", type=float, default=30, help="of live values")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--stay", help=argparse.SUPPRESS)
    parser.add_argument("--chromium", default=find_chromium(), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.chromium is None:
        print("no Chromium on this machine", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=list(FLAGS))
        if asked.one:
            loaded(browser, asked.one)
            print("warm", flush=True)
            sys.stdin.readline()
            print(json.dumps(loaded(browser, asked.one)))
            return 0
        if asked.stay:
            with opened(browser, asked.stay) as page:
                page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
                print("open", flush=True)
                while select.select([sys.stdin], [], [], 0)[0] == []:
                    page.wait_for_timeout(100)  # its events are taken meanwhile
            return 0
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
            with four_others(asked.chromium, demo.url):
                best_and_worst(f"{asked.days} days, four other browsers open", browser, demo.url)
                zoom(browser, demo.url)
                live(browser, demo, asked.seconds)
            at_one_moment(asked.chromium, demo.url)
            served(browser, demo.url)
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
