"""KPIs over REST, and in /aggregation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from quart.testing import QuartClient

from tests.fakes.documents import ask

PATH = "/api/analytics/kpis"
BODY = {"id": "mine", "name": "Mine", "expression": 'avg("battery.house.voltage", "1h") * 2', "unit": "V"}


@pytest.fixture
def samples(fill: Callable[..., None]) -> None:
    fill("battery.house.voltage", [12.0, 13.0])


async def test_from_definition_to_deletion(client: QuartClient, samples: None) -> None:
    status, made = await ask(client, "POST", PATH, BODY)
    assert (status, made["value"], made["unit"], made["shipped"]) == (201, 25.0, "V", False)
    assert (await ask(client, "POST", PATH, BODY))[0] == 409
    aggregation = (await ask(client, "GET", "/api/analytics/aggregation"))[1]
    assert aggregation["kpis"]["mine"] == 25.0
    change = {**BODY, "target_high": 20.0}
    del change["id"]
    assert (await ask(client, "PUT", f"{PATH}/mine", change))[0] == 428
    status, changed = await ask(client, "PUT", f"{PATH}/mine", change, made["etag"])
    assert (status, changed["target_met"]) == (200, False)
    assert (await ask(client, "PUT", f"{PATH}/mine", change, made["etag"]))[0] == 412
    assert (await ask(client, "GET", f"{PATH}/mine"))[1] == changed
    assert changed in (await ask(client, "GET", PATH))[1]["kpis"]
    assert (await ask(client, "DELETE", f"{PATH}/mine"))[0] == 200
    assert (await ask(client, "GET", f"{PATH}/mine"))[0] == 404


async def test_a_shipped_one_is_replaced_and_comes_back(client: QuartClient, samples: None) -> None:
    where = f"{PATH}/generator_hours_week"
    shipped = (await ask(client, "GET", where))[1]
    assert (shipped["shipped"], shipped["etag"], shipped["unit"]) == (True, None, "h")
    change = {"name": "Mine", "expression": BODY["expression"]}
    assert (await ask(client, "PUT", where, change))[0] == 201
    assert (await ask(client, "GET", where))[1]["name"] == "Mine"
    assert "comes" not in (await ask(client, "DELETE", where))[1]["message"]
    assert (await ask(client, "GET", where))[1]["shipped"] is True
    assert (await ask(client, "DELETE", where))[0] == 404


async def test_an_expression_is_tried(client: QuartClient, samples: None) -> None:
    status, answer = await ask(client, "POST", f"{PATH}/check", {"expression": BODY["expression"]})
    assert status == 200
    assert answer == {"unit": "V", "value": 25.0, "metrics": ["battery.house.voltage"], "missing": []}


async def test_what_an_expression_names_and_nobody_has_recorded(client: QuartClient, samples: None) -> None:
    expression = 'avg("battery.house.voltag", "24h") * share_above("role:tank_supply", 5, "24h")'
    status, answer = await ask(client, "POST", f"{PATH}/check", {"expression": expression})
    assert (status, answer["value"]) == (200, None)
    assert answer["missing"] == ["battery.house.voltag", "role:tank_supply"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**BODY, "expression": "().__class__"}, "/expression"),
        ({**BODY, "expression": "9**9**9"}, "/expression"),
        ({**BODY, "expression": "x" * 10_240}, "/expression"),
        ({**BODY, "unit": "A"}, "/unit"),
        ({**BODY, "id": "Not this"}, "/id"),
        ({**BODY, "colour": "red"}, "/colour"),
        ({"id": "a"}, "/name"),
    ],
)
async def test_what_is_refused_is_named(client: QuartClient, body: Any, named: str) -> None:
    status, problem = await ask(client, "POST", PATH, body)
    assert status == 422
    assert named in [each["pointer"] for each in problem["errors"]]
