"""The buttons over REST: what the rules advise, of what the core has, while the core can be asked."""

from __future__ import annotations

import json
from typing import Any

from quart.testing import QuartClient

from tests.fakes.misbehaving_core import MisbehavingCore

PATH = "/api/analytics/actions/recommendations"


async def buttons(client: QuartClient) -> Any:
    response = await client.get(PATH)
    assert response.status_code == 200
    return json.loads(await response.get_data())


async def test_green_and_amber_ones_and_never_a_red(client: QuartClient, core: MisbehavingCore) -> None:
    answer = await buttons(client)
    assert answer["core"] == "reachable"
    assert [(each["recommendation_id"], each["risk"]) for each in answer["recommendations"]] == [
        ("leak.0.light_1", "green"),
        ("leak.1.water_pump", "amber"),
    ]


async def test_what_is_done_is_offered_no_more(client: QuartClient, core: MisbehavingCore) -> None:
    core.states["light_1"] = False
    found = (await buttons(client))["recommendations"]
    assert [each["entity_id"] for each in found] == ["water_pump"]


async def test_without_a_core(client: QuartClient, steward: Any) -> None:
    answer = await buttons(client)
    assert (answer["core"], answer["total"]) == ("none", 0)
    assert "CORE_URL" in answer["reason"]


async def test_a_core_that_cannot_be_asked(client: QuartClient, core: MisbehavingCore) -> None:
    core.reads_fail = True
    answer = await buttons(client)
    assert (answer["core"], answer["total"]) == ("unreachable", 0)
    assert answer["reason"]
