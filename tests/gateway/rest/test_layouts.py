"""Layouts: whole documents, checked, bounded, versioned."""

from __future__ import annotations

from typing import Any

import pytest
from quart.testing import QuartClient

from tests.fakes.documents import ask

LAYOUTS = "/api/analytics/layouts"
WIDGET = {"id": "soc", "type": "tile", "x": 0, "y": 0, "w": 3, "h": 2, "metrics": ["battery.house.soc"]}
LAYOUT = {"name": "Night", "widgets": [WIDGET]}


async def test_a_layout_from_making_to_deleting(client: QuartClient) -> None:
    status, made = await ask(client, "POST", LAYOUTS, LAYOUT)
    assert (status, made["schema_version"], made["columns"], made["persisted"]) == (201, 1, 12, False)
    where = f"{LAYOUTS}/{made['id']}"
    status, changed = await ask(client, "PUT", where, {**LAYOUT, "name": "Day"}, made["etag"])
    assert (status, changed["name"]) == (200, "Day")
    assert changed["version"] > made["version"]
    assert (await ask(client, "PUT", where, LAYOUT, made["etag"]))[0] == 412
    assert (await ask(client, "PUT", where, LAYOUT))[0] == 428
    assert (await ask(client, "GET", where))[1] == changed
    assert (await ask(client, "GET", LAYOUTS))[1]["layouts"] == [changed]
    assert (await ask(client, "DELETE", where))[0] == 200
    assert (await ask(client, "GET", where))[0] == 404


async def test_put_makes_one_of_a_chosen_id(client: QuartClient) -> None:
    assert (await ask(client, "PUT", f"{LAYOUTS}/home", LAYOUT))[0] == 200
    assert (await ask(client, "PUT", f"{LAYOUTS}/home", LAYOUT))[0] == 428
    assert (await ask(client, "PUT", f"{LAYOUTS}/H%20me", LAYOUT))[0] == 422
    assert (await ask(client, "PUT", f"{LAYOUTS}/away", LAYOUT, '"7"'))[0] == 412


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "name"),
        ({**LAYOUT, "schema_version": 2}, "schema_version"),
        ({**LAYOUT, "colour": 1}, "colour"),
        ({**LAYOUT, "widgets": [WIDGET, WIDGET]}, "given twice"),
        ({**LAYOUT, "widgets": [{**WIDGET, "x": 11}]}, "wider than the page"),
        ({**LAYOUT, "widgets": [{**WIDGET, "options": {"x": "y" * 5000}}]}, "at most 4096 bytes"),
        ({**LAYOUT, "widgets": [{**WIDGET, "id": str(n)} for n in range(101)]}, "widgets"),
        (
            {**LAYOUT, "widgets": [{**WIDGET, "id": f"w{n}", "options": {"x": "y" * 4000}} for n in range(20)]},
            "at most 65536 bytes",
        ),
    ],
)
async def test_a_layout_is_checked(client: QuartClient, body: Any, named: str) -> None:
    status, problem = await ask(client, "POST", LAYOUTS, body)
    assert status == 422
    assert named in problem["detail"]


async def test_no_more_layouts_than_the_limit(client: QuartClient) -> None:
    for number in range(50):
        assert (await ask(client, "PUT", f"{LAYOUTS}/{number}", {"name": "n"}))[0] == 200
    assert (await ask(client, "POST", LAYOUTS, LAYOUT))[0] == 409
