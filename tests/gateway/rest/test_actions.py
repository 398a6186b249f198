"""Actions over REST: from the button to the core and back, keys, refusals, and the journal."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from quart.testing import QuartClient

from gateway.backend import Backend
from tests.fakes.misbehaving_core import MisbehavingCore

PATH = "/api/analytics/actions"
GREEN, AMBER = "leak.0.light_1", "leak.1.water_pump"


async def ask(client: QuartClient, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
    data = None if body is None else json.dumps(body)
    response = await client.open(PATH + path, method=method, data=data, headers=headers)
    return response.status_code, json.loads(await response.get_data())


async def end(client: QuartClient, action_id: str) -> Any:
    with trio.fail_after(5):
        while True:
            _, action = await ask(client, "GET", f"/{action_id}")
            if action["state"] not in ("proposed", "confirmed", "sending", "unknown"):
                return action
            await trio.sleep(0.01)


async def test_pressed_and_pressed_again(client: QuartClient, core: MisbehavingCore) -> None:
    body = {"recommendation_id": GREEN}
    status, action = await ask(client, "POST", "", body, "key-00001")
    assert (status, action["state"], action["persisted"]) == (202, "confirmed", False)
    assert (await end(client, action["action_id"]))["state"] == "succeeded"
    status, again = await ask(client, "POST", "", body, "key-00001")
    assert (status, again["action_id"], again["state"]) == (200, action["action_id"], "succeeded")
    status, problem = await ask(client, "POST", "", {"recommendation_id": AMBER}, "key-00001")
    assert (status, [each["parameter"] for each in problem["errors"]]) == (422, ["Idempotency-Key"])
    assert len(core.effects) == 1
    listed = (await ask(client, "GET", ""))[1]["actions"]
    assert [each["action_id"] for each in listed] == [action["action_id"]]
    audit = (await ask(client, "GET", "/audit"))[1]
    assert (audit["verified"], audit["entries"]) == (True, 4)
    assert [each["state"] for each in audit["journal"]] == ["succeeded", "sending", "confirmed", "proposed"]


async def test_amber_is_confirmed(client: QuartClient, core: MisbehavingCore) -> None:
    _, action = await ask(client, "POST", "", {"recommendation_id": AMBER}, "key-00001")
    assert (action["state"], action["needs_confirmation"]) == ("proposed", True)
    assert "nobody depends on it" in action["consequence"]
    assert (await ask(client, "POST", "", {"recommendation_id": AMBER}, "key-00002"))[0] == 409
    assert (await ask(client, "POST", f"/{action['action_id']}/confirm"))[0] == 202
    assert (await end(client, action["action_id"]))["state"] == "succeeded"
    status, problem = await ask(client, "POST", f"/{action['action_id']}/confirm")
    assert (status, "succeeded" in problem["detail"]) == (409, True)
    assert (await ask(client, "POST", f"/{action['action_id']}/undo"))[0] == 409


async def test_taken_back(client: QuartClient, core: MisbehavingCore) -> None:
    _, action = await ask(client, "POST", "", {"recommendation_id": AMBER}, "key-00001")
    status, undone = await ask(client, "POST", f"/{action['action_id']}/undo")
    assert (status, undone["state"]) == (200, "cancelled")
    status, problem = await ask(client, "POST", f"/{action['action_id']}/undo")
    assert (status, problem["detail"]) == (409, "It was taken back already")
    status, problem = await ask(client, "POST", f"/{action['action_id']}/confirm")
    assert (status, problem["detail"]) == (409, "It was taken back: propose it anew")
    assert core.received == []


@pytest.mark.parametrize(
    ("body", "key", "status"),
    [
        ({"recommendation_id": GREEN}, None, 400),
        ({"recommendation_id": GREEN}, "short", 400),
        ({"recommendation_id": GREEN, "command": {"command": "toggle"}}, "key-00001", 422),
        ({"recommendation_id": "leak.2.propane_valve"}, "key-00001", 404),
        ({"recommendation_id": "leak.0.water_pump"}, "key-00001", 404),
        ({"recommendation_id": "nothing"}, "key-00001", 404),
        ({}, "key-00001", 422),
    ],
)
async def test_what_is_refused(
    client: QuartClient, core: MisbehavingCore, body: Any, key: str | None, status: int
) -> None:
    assert (await ask(client, "POST", "", body, key))[0] == status
    assert core.received == []


async def test_without_a_core(client: QuartClient) -> None:
    status, problem = await ask(client, "POST", "", {"recommendation_id": GREEN}, "key-00001")
    assert (status, "CORE_URL" in problem["detail"]) == (409, True)
    assert (await ask(client, "GET", "/nothing"))[0] == 404
    assert (await ask(client, "POST", "/nothing/confirm"))[0] == 404


async def test_a_core_that_cannot_be_asked(client: QuartClient, core: MisbehavingCore) -> None:
    core.reads_fail = True
    assert (await ask(client, "POST", "", {"recommendation_id": GREEN}, "key-00001"))[0] == 503


async def test_a_journal_that_cannot_be_written(client: QuartClient, core: MisbehavingCore, backend: Backend) -> None:
    await backend.control.store.aclose()
    assert (await ask(client, "POST", "", {"recommendation_id": GREEN}, "key-00001"))[0] == 503
    assert core.received == []
