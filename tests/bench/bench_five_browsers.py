"""Five browsers at once: `python tests/bench/bench_five_browsers.py [--days 30]`. Prints, judges nothing.

On devices of their own (device.py): what one sees alone, and beside four others; five that load at one moment. On the
cores of this machine, which all of them share with the service: the same, beside what Chromium needs for a page with
nothing on it. And what the service has to do with it: the requests of a first view, by clients that draw nothing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import select
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.bench import device
from tests.bench.bench_dashboard import at, best_and_worst, fed, first_view, live, opened, zoom, zooms
from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def devices_of_their_own(path: str, service: ServiceProcess, seconds: float) -> None:
    """The same browser on the same slow device: alone, beside four others, and five that load at one moment."""
    if not device.possible():
        print("five browsers on devices of their own: not measured, no control groups can be made here")
        return

    def program(*words: str) -> list[str]:
        return [sys.executable, __file__, *words, "--chromium", path, "--seconds", str(seconds)]

    def measured() -> dict[str, float]:
        with device.device(0, program("--see", service.url)) as process:
            return json.loads(process.communicate()[0])

    with fed(service):
        alone = measured()
        with ExitStack() as others:
            for number in range(1, 5):
                process = others.enter_context(device.device(number, program("--stay", service.url)))
                assert process.stdout is not None
                process.stdout.readline()
            among = measured()
    print(f"each browser on a device of its own, {device.SHARE:.0%} of a core, the service fed as above:")
    for what, took in alone.items():
        print(f"  {what}: alone {took:.0f} ms, beside four others {among[what]:.0f} ms: {among[what] / took:.2f} times")
    one, five = (statistics.median(together(program, service.url, browsers) for _ in range(3)) for browsers in (1, 5))
    print(f"  all cards, five at one moment, the slowest: {five:.0f} ms, one {one:.0f}: {five / one:.2f} times")


def together(program: Callable[..., list[str]], url: str, browsers: int) -> float:
    """The milliseconds of the slowest of so many that are told to load at one moment, each on its device."""
    with ExitStack() as stack:
        processes = [stack.enter_context(device.device(number, program("--one", url))) for number in range(browsers)]
        return told_together(processes)[-1]


def told_together(processes: list[subprocess.Popen[bytes]]) -> list[float]:
    """Programs of `--one`, told to load at one moment once all are warm."""
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    time.sleep(1)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    return sorted(json.loads(process.communicate()[0]) for process in processes)


def seen(browser: Browser, url: str, seconds: float) -> dict[str, float]:
    """What one browser sees of a service that is fed: milliseconds by what it waits for."""
    views = [first_view(browser, url) for _ in range(5)]
    paint, ready = (statistics.median(each) for each in zip(*views, strict=True))
    drags = statistics.median(zooms(browser, url))
    with opened(browser, url) as page:
        page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
        page.wait_for_timeout(3_000)
        page.evaluate("window.coachiqDelays.length = 0")
        page.wait_for_timeout(seconds * 1000)
        delays = sorted(page.evaluate("window.coachiqDelays.slice()"))
    return {
        "largest contentful paint": paint, "all cards with data": ready, "a zoom": drags,
        "frame to picture p50": at(delays, 0.5), "frame to picture p95": at(delays, 0.95),
    }  # fmt: skip


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
    return told_together(
        [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(browsers)]
    )


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
    parser.add_argument("--see", help=argparse.SUPPRESS)
    parser.add_argument("--chromium", default=find_chromium(), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.chromium is None:
        print("no Chromium on this machine", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=list(FLAGS))
        if asked.one or asked.stay or asked.see:
            one_of_them(browser, asked)
            return 0
        with (
            tempfile.TemporaryDirectory() as folder,
            ServiceProcess(["demo", "--days", asked.days], Path(folder)) as demo,
        ):
            first_view(browser, demo.url)  # warm
            devices_of_their_own(asked.chromium, demo, asked.seconds)
            best_and_worst("on shared cores, alone", browser, demo.url)
            zoom(browser, demo.url)
            live(browser, demo, asked.seconds)
            with four_others(asked.chromium, demo.url):
                best_and_worst("on shared cores, four other browsers open", browser, demo.url)
                zoom(browser, demo.url)
                live(browser, demo, asked.seconds)
            at_one_moment(asked.chromium, demo.url)
            served(browser, demo.url)
        browser.close()
    return 0


def one_of_them(browser: Browser, asked: argparse.Namespace) -> None:
    """What a program that one of the measurements started does in its browser."""
    if asked.see:
        print(json.dumps(seen(browser, asked.see, asked.seconds)))
    elif asked.one:
        loaded(browser, asked.one)
        print("warm", flush=True)
        sys.stdin.readline()
        print(json.dumps(loaded(browser, asked.one)))
    else:
        with opened(browser, asked.stay) as page:
            page.wait_for_function("performance.getEntriesByName('cards-ready').length > 0")
            print("open", flush=True)
            while select.select([sys.stdin], [], [], 0)[0] == []:
                page.wait_for_timeout(100)  # its events are taken meanwhile


if __name__ == "__main__":
    sys.exit(main())
