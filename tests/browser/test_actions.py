"""What an insight advises, done from its card: a tap with an undo, a hold with the consequence in words; once each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.keyboard import tab_to
from tests.browser.service import ServiceProcess

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]
CONF = Path(__file__).resolve().parent.parent.parent / "conf"
FAN = "Switch on: Refrigerator fan"
PUMP = "Switch off: Fresh water pump"
COOLER = "Switch off: Air conditioner"
# The demo begins with a refrigerator that is too warm: its rule gets two more buttons here, of what may be missed.
MORE = """
      - {text: Save water, action: a, estimated_impact: none, severity: low, template: switch_off,
         entity_role: water_pump}
      - {text: Save power, action: b, estimated_impact: none, severity: low, template: switch_off,
         entity_role: air_conditioner}
"""


@pytest.fixture(scope="module")
def coach(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("actions")
    rules = (CONF / "rules.yaml").read_text(encoding="utf-8")
    before, fan, after = rules.partition("entity_role: refrigerator_fan}")
    shutil.copy(CONF / "metrics.yaml", folder)
    (folder / "rules.yaml").write_text(before + fan + MORE + after, encoding="utf-8")
    with ServiceProcess(["demo", "--days", "1"], folder, {"CONF_DIR": str(folder)}) as service:
        yield service


def actions(coach: ServiceProcess, name: str) -> list[Any]:
    found: list[Any] = coach.get("/api/analytics/actions")["actions"]
    return [each for each in found if each["entity_name"] == name]


def test_one_tap_and_back(coach: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(coach.url)
    card = page.get_by_role("article", name=re.compile("Refrigerator"))
    region = card.get_by_role("region", name=FAN)
    expect(region.get_by_text("Refrigerator fan is switched on.")).to_be_visible()
    region.get_by_role("button", name=FAN).click()
    expect(region.get_by_text(re.compile(r"Will be sent in \d s"))).to_be_visible()
    expect(card.get_by_test_id("life")).to_contain_text("acting")
    region.get_by_role("button", name="Undo").click()
    expect(region.get_by_text("Taken back; nothing was sent.")).to_be_visible()
    (action,) = actions(coach, "Refrigerator fan")
    assert action["state"] == "cancelled"


def test_double_clicks_in_two_tabs_are_one_effect(coach: ServiceProcess, open_page: OpenPage) -> None:
    pages = [open_page(coach.url), open_page(coach.url)]
    regions = [page.get_by_role("region", name=FAN) for page in pages]
    before = len(actions(coach, "Refrigerator fan"))
    for region in regions:
        expect(region.get_by_role("button", name=FAN)).to_be_visible()
    for region in regions:
        region.get_by_role("button", name=FAN).dblclick(force=True)  # whatever the other tab has done
    for region in regions:
        expect(region.get_by_text(re.compile(r"^Done at"))).to_be_visible()
        expect(region.get_by_role("button", name="Undo")).to_be_hidden()
        region.get_by_role("button", name=FAN).click(force=True)  # it is done: nothing more happens
    assert [each["state"] for each in actions(coach, "Refrigerator fan")[: before + 1]].count("succeeded") == 1
    assert len(actions(coach, "Refrigerator fan")) == before + 1


def test_what_may_be_missed_is_held(coach: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(coach.url)
    region = page.get_by_role("region", name=PUMP)
    expect(region.get_by_text("Make sure that nobody depends on it.")).to_be_visible()
    button = region.get_by_role("button", name=PUMP)
    button.click()
    expect(region.get_by_text("Keep it pressed")).to_be_visible()
    assert actions(coach, "Fresh water pump") == []
    button.hover()
    page.mouse.down()
    expect(region.get_by_text(re.compile(r"^Done at"))).to_be_visible()
    page.mouse.up()
    (action,) = actions(coach, "Fresh water pump")
    assert (action["risk"], action["state"]) == ("amber", "succeeded")


def test_held_by_keyboard_on_the_insights_own_page(coach: ServiceProcess, open_page: OpenPage) -> None:
    insight = coach.insight("efrigerator")
    page = open_page(f"{coach.url}/insights/{insight['insight_id']}")
    region = page.get_by_role("region", name=COOLER)
    button = region.get_by_role("button", name=COOLER)
    tab_to(page, button)
    page.keyboard.press("Space")
    expect(region.get_by_text("Keep it pressed")).to_be_visible()
    page.keyboard.down("Space")
    expect(region.get_by_text(re.compile(r"^Done at"))).to_be_visible()
    page.keyboard.up("Space")
    assert [each["state"] for each in actions(coach, "Air conditioner")] == ["succeeded"]


def test_the_journal_tells_every_step(coach: ServiceProcess, open_page: OpenPage) -> None:
    page = open_page(f"{coach.url}/system")
    page.get_by_role("link", name="Actions").click()
    item = page.get_by_role("listitem").filter(has_text=PUMP)
    expect(item).to_contain_text(re.compile(r"proposed .* → confirmed .* → sending .* → succeeded "))
    taken_back = page.get_by_role("listitem").filter(has_text="Taken back; nothing was sent.")
    expect(taken_back).to_contain_text(re.compile("cancelled"))
    expect(page.get_by_text(re.compile(r"The journal's \d+ entries are whole"))).to_be_visible()
