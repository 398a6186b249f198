"""Thresholds over REST: CRUD with ETag and If-Match, what is refused, and what fires."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import trio
from quart.testing import QuartClient

from analytics.catalogue import Catalogue
from gateway.backend import Backend
from storage.models import SeriesPart

PATH = "/api/analytics/thresholds"
BODY = {"metric": "fridge.temperature", "condition": "above", "value": 8.0}
NOW_MS = 1_760_000_000_000


async def ask(
    client: QuartClient, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, Any], Any]:
    data = None if body is None else json.dumps(body)
    all_headers = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    response = await client.open(path, method=method, data=data, headers=all_headers)
    return response.status_code, json.loads(await response.get_data()), response.headers


async def test_from_creation_to_deletion(client: QuartClient) -> None:
    status, made, headers = await ask(client, "POST", PATH, BODY)
    assert status == 201
    assert (made["value"], made["high"], made["low"], made["persisted"]) == (8.0, 8.0, None, False)
    assert made["name"] == "fridge.temperature above 8.0"
    where = headers["Location"]
    assert headers["ETag"] == made["etag"]
    status, read, headers = await ask(client, "GET", where)
    assert (status, read, headers["ETag"]) == (200, made, made["etag"])
    status, changed, headers = await ask(client, "PUT", where, {**BODY, "value": 9}, If_Match=made["etag"])
    assert (status, changed["value"]) == (200, 9.0)
    assert (await ask(client, "GET", PATH))[1] == {"total": 1, "thresholds": [changed], "persisted": False}
    assert (await ask(client, "DELETE", where, If_Match=headers["ETag"]))[0] == 200
    assert (await ask(client, "GET", where))[0] == 404
    assert (await ask(client, "DELETE", where))[0] == 404
    assert (await ask(client, "PUT", where, BODY, If_Match="*"))[0] == 404


async def test_another_tabs_stale_etag(client: QuartClient) -> None:
    _, made, headers = await ask(client, "POST", PATH, BODY)
    where = headers["Location"]
    _, mine, _ = await ask(client, "PUT", where, {**BODY, "value": 9}, If_Match=made["etag"])
    status, problem, headers = await ask(client, "PUT", where, {**BODY, "value": 1}, If_Match=made["etag"])
    assert (status, headers["ETag"]) == (412, mine["etag"])
    assert "changed meanwhile" in problem["detail"]
    assert (await ask(client, "DELETE", where, If_Match=made["etag"]))[0] == 412
    assert (await ask(client, "PUT", where, BODY, If_Match="W/" + mine["etag"]))[0] == 412
    assert (await ask(client, "PUT", where, BODY, If_Match="garbage"))[0] == 412
    status, problem, _ = await ask(client, "PUT", where, BODY)
    assert (status, problem["title"]) == (428, "Precondition Required")
    assert (await ask(client, "GET", where))[1]["value"] == 9
    assert (await ask(client, "PUT", where, BODY, If_Match=f'"1", {mine["etag"]}'))[0] == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "condition"),
        ({"condition": "above", "value": 1}, "exactly one of metric and role"),
        ({**BODY, "role": "tank"}, "exactly one of metric and role"),
        ({**BODY, "value": None}, "above needs one limit"),
        ({**BODY, "high": 3}, "above needs one limit"),
        ({**BODY, "condition": "below", "value": None, "high": 3}, "below needs one limit"),
        ({**BODY, "condition": "outside"}, "outside needs low and high"),
        ({**BODY, "condition": "outside", "value": None, "low": 2, "high": 1}, "leave room"),
        ({**BODY, "condition": "sideways"}, "condition"),
        ({**BODY, "hysteresis": -1}, "hysteresis"),
        ({**BODY, "min_duration_s": 1e9}, "min_duration_s"),
        ({**BODY, "severity": "awful"}, "severity"),
        ({**BODY, "colour": "red"}, "colour"),
        ({**BODY, "metric": ""}, "metric"),
        ({**BODY, "metric": "a\nb"}, "metric: character U+000A is not allowed in a name"),
        (
            {**BODY, "metric": None, "role": "nosuchrole"},
            "role: nosuchrole is no role of the metric catalogue, which knows tank_supply",
        ),
        ({**BODY, "name": "x" * 121}, "name"),
    ],
)
async def test_what_is_refused_is_named(client: QuartClient, body: Any, named: str) -> None:
    status, problem, _ = await ask(client, "POST", PATH, body)
    assert status == 422
    assert named in problem["detail"]


async def test_a_role_of_the_loaded_catalogue_is_taken(client: QuartClient) -> None:
    status, made, headers = await ask(client, "POST", PATH, {**BODY, "metric": None, "role": "tank_supply"})
    assert (status, made["role"]) == (201, "tank_supply")
    changed = {**BODY, "metric": None, "role": "nosuchrole"}
    status, problem, _ = await ask(client, "PUT", headers["Location"], changed, If_Match=made["etag"])
    assert (status, problem["errors"][0]["pointer"]) == (422, "/role")


async def test_a_threshold_whose_role_the_catalogue_has_lost_can_still_be_switched_off(client, monkeypatch) -> None:
    body = {**BODY, "metric": None, "role": "tank_supply"}
    _, made, headers = await ask(client, "POST", PATH, body)
    monkeypatch.setattr(Catalogue, "roles", ["tank"])  # another metrics.yaml since then
    where = headers["Location"]
    status, off, _ = await ask(client, "PUT", where, {**body, "enabled": False}, If_Match=made["etag"])
    assert (status, off["enabled"]) == (200, False)
    status, problem, _ = await ask(client, "PUT", where, {**body, "role": "other"}, If_Match=off["etag"])
    assert (status, problem["errors"][0]["pointer"]) == (422, "/role")


async def test_what_does_not_go_together_is_a_plain_sentence(client: QuartClient) -> None:
    _, problem, _ = await ask(client, "POST", PATH, {**BODY, "role": "b"})
    assert problem["detail"] == "exactly one of metric and role must be given"
    assert problem["errors"] == [{"pointer": "", "message": problem["detail"]}]


async def test_what_fires_is_in_alerts_trends_and_the_threshold(client: QuartClient, backend: Backend) -> None:
    _, made, _ = await ask(client, "POST", PATH, {**BODY, "severity": "high", "recover_after_s": 0})
    part = SeriesPart("fridge.temperature", np.array([NOW_MS]), np.array([9.5]))
    backend.control.alarms.observe([part], NOW_MS)
    status, answer, _ = await ask(client, "GET", "/api/analytics/alerts")
    assert (status, answer["total"]) == (200, 1)
    assert answer["alerts"][0]["threshold_id"] == made["id"]
    trends = (await ask(client, "GET", "/api/analytics/trends"))[1]
    assert trends["alerts"] == [
        {
            "type": "threshold",
            "severity": "high",
            "message": "Fridge temperature is above 8: 9.5",
            "recommendation": "",
            "metric": "fridge.temperature",
        }
    ]
    states = (await ask(client, "GET", f"{PATH}/{made['id']}"))[1]["states"]
    assert [(each["metric"], each["state"]) for each in states] == [("fridge.temperature", "firing")]
    assert (await ask(client, "DELETE", f"{PATH}/{made['id']}"))[0] == 200
    assert (await ask(client, "GET", "/api/analytics/alerts"))[1]["total"] == 0


async def test_no_more_than_the_limit(client: QuartClient, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.rest.thresholds.MAX_THRESHOLDS", 1)
    assert (await ask(client, "POST", PATH, BODY))[0] == 201
    assert (await ask(client, "POST", PATH, BODY))[0] == 409


async def test_a_store_in_trouble_is_said(client: QuartClient, backend: Backend) -> None:
    await backend.control.store.aclose()
    status, _, headers = await ask(client, "GET", PATH)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert (await ask(client, "POST", PATH, BODY))[0] == 503
    await trio.lowlevel.checkpoint()
