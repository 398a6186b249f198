"""Screenshots of every page into docs/screenshots: `python tests/browser/screenshots.py` (from the root, a demo is
started for it)."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.browser.chromium import FLAGS, find_chromium
from tests.browser.service import ServiceProcess

FOLDER = Path("docs/screenshots")
SHOTS = (
    ("now-dark", "/", 1440, 1000, "dark", "[data-testid=spark]"),
    ("now-phone", "/", 390, 844, "light", "[data-testid=spark]"),
    ("now-night", "/", 1024, 768, "night", "[data-testid=spark]"),
    ("insight", None, 1440, 900, "dark", "[data-testid=trend-chart] svg"),
    (
        "trends",
        "/trends?m=battery.house.soc&m=battery.house.current&m=solar.power&from=-259200",
        1440,
        1100,
        "dark",
        "[data-testid=trend-chart] svg",
    ),
    ("correlations", "/correlations", 1440, 900, "light", "[role=grid]"),
    ("patterns", "/patterns?m=solar.power", 1440, 900, "dark", "[data-testid=pattern-overlay] svg"),
    ("system", "/system", 1440, 900, "light", "table"),
    ("settings", "/settings", 1440, 900, "dark", "[role=radiogroup]"),
    ("settings-first-page", "/settings/first-page", 1440, 900, "dark", "section[aria-label='First page'] li"),
    ("settings-thresholds", "/settings/thresholds", 1440, 900, "light", "form"),
    ("settings-figures", "/settings/kpis", 1440, 900, "light", "form"),
    ("settings-notifications", "/settings/notifications", 1440, 900, "dark", "form"),
    ("actions", "/system/actions", 1440, 500, "light", "main li"),
)


def warm_refrigerator(demo: ServiceProcess) -> None:
    """Too warm for a quarter of an hour, as the simulated one is on some days only: its insight has a button then."""
    now = time.time()
    samples = [
        {"metric_name": "fridge.temperature", "value": 9.0, "timestamp": now - second} for second in range(900, 0, -7)
    ]
    demo.send("/api/analytics/metrics/batch", {"samples": samples})


def main() -> int:
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        print("no Chromium on this machine", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        ServiceProcess(["demo", "--days", "30"], Path(folder)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        insight = f"/insights/{demo.insight()['insight_id']}"  # waited for: every picture of the first page has it
        for name, address, width, height, theme, there in SHOTS:
            context = browser.new_context(viewport={"width": width, "height": height}, service_workers="block")
            stored = f'{{"theme": "{theme}"}}'
            context.add_init_script(f"localStorage.setItem('coachiq-analytics.preferences', '{stored}')")
            page = context.new_page()
            if name == "actions":  # something that was done
                warm_refrigerator(demo)
                page.goto(demo.url)
                page.get_by_role("button", name="Switch on").first.click(timeout=60_000)
                page.wait_for_timeout(3_000)
            page.goto(demo.url + (insight if address is None else address))
            page.locator(there).first.wait_for(timeout=60_000)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{name}.png")
            context.close()
            print(FOLDER / f"{name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
