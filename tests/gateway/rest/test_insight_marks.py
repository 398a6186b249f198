"""Acknowledge, snooze, dismiss, undo, not useful: by their routes and by PATCH, stored and told to dashboards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from quart.testing import QuartClient

from analytics.records import Insight
from gateway.backend import Backend
from storage.control_marks import load_marks

PATH = "/api/analytics/insights"
ID = "id-limit:fridge.temperature"


@pytest.fixture
def there(backend: Backend, insight: Callable[..., Insight]) -> Insight:
    backend.book.upsert_insight(insight())
    return insight()


async def ask(client: QuartClient, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body)
    response = await client.open(PATH + path, method=method, data=data, headers={"Content-Type": "application/json"})
    return response.status_code, json.loads(await response.get_data())


async def shown(client: QuartClient, query: str = "") -> int:
    return (await ask(client, "GET", query))[1]["total_insights"]


async def test_dismiss_and_undo(client: QuartClient, backend: Backend, there: Insight) -> None:
    with backend.hub.subscribe() as dashboard:
        status, answer = await ask(client, "POST", f"/{ID}/dismiss")
        events = await dashboard.receive()
    assert (status, answer["insight"]["status"], answer["persisted"]) == (200, "dismissed", False)
    assert [(event.topic, event.data["status"]) for event in events] == [("insight_update", "dismissed")]
    assert await shown(client) == 0
    assert await shown(client, "?status=dismissed") == 1
    assert await shown(client, "?status=all") == 1
    trends = json.loads(await (await client.get("/api/analytics/trends")).get_data())
    assert trends["alerts"] == trends["insights"] == []
    assert (await backend.control.store.read(load_marks))[there.key].said == "dismissed"
    assert (await ask(client, "POST", f"/{ID}/undo", {}))[0] == 200
    assert await shown(client) == 1
    status, problem = await ask(client, "POST", f"/{ID}/undo")
    assert (status, "nothing to undo" in problem["detail"]) == (409, True)


@pytest.mark.parametrize("verb", ["dismiss", "acknowledge", "not_useful"])
async def test_a_double_click_is_taken_back_by_one_undo(client: QuartClient, there: Insight, verb: str) -> None:
    for _ in range(2):
        assert (await ask(client, "POST", f"/{ID}/{verb}"))[0] == 200
    status, answer = await ask(client, "POST", f"/{ID}/undo")
    assert (status, answer["insight"]["status"], answer["insight"]["not_useful"]) == (200, "new", 0)
    assert (await ask(client, "POST", f"/{ID}/undo"))[0] == 409


async def test_new_is_new_whatever_was_said(client: QuartClient, there: Insight) -> None:
    for verb in ("acknowledge", "dismiss", "undo"):
        await ask(client, "POST", f"/{ID}/{verb}")
    assert (await ask(client, "GET", f"/{ID}"))[1]["status"] == "acknowledged"
    status, answer = await ask(client, "PATCH", f"/{ID}", {"status": "new"})
    assert (status, answer["insight"]["status"]) == (200, "new")
    assert (await ask(client, "PATCH", f"/{ID}", {"status": "new"}))[0] == 409


async def test_acknowledged_stays_in_the_list(client: QuartClient, there: Insight) -> None:
    assert (await ask(client, "PATCH", f"/{ID}", {"status": "acknowledged"}))[0] == 200
    status, one = await ask(client, "GET", f"/{ID}")
    assert (status, one["status"], one["marked_by"]) == (200, "acknowledged", "local")
    assert await shown(client) == 1


async def test_snoozed_for_so_long(client: QuartClient, there: Insight, now_ms: int) -> None:
    _, answer = await ask(client, "POST", f"/{ID}/snooze")
    assert answer["insight"]["snoozed_until"] == now_ms / 1000 + 3600
    _, answer = await ask(client, "PATCH", f"/{ID}", {"status": "snoozed", "duration_s": 600})
    assert answer["insight"]["snoozed_until"] == now_ms / 1000 + 600
    _, answer = await ask(client, "POST", f"/{ID}/snooze", {"until": now_ms / 1000 + 5})
    assert answer["insight"]["snoozed_until"] == now_ms / 1000 + 5
    assert await shown(client) == 0


async def test_not_useful_ranks_lower_next_time(
    client: QuartClient, backend: Backend, insight: Callable[..., Insight], there: Insight, now_ms: int
) -> None:
    assert (await ask(client, "POST", f"/{ID}/not_useful"))[1]["insight"]["not_useful"] == 1
    backend.book.resolve(there.key, now_ms)
    backend.book.upsert_insight(insight(insight_id="later"))
    backend.book.upsert_insight(insight("other"))
    listed = (await ask(client, "GET", ""))[1]["insights"]
    assert [(each["insight_id"], each["impact_score"]) for each in listed] == [("id-other", 0.8), ("later", 0.4)]


async def test_a_time_that_does_not_fit_is_named(client: QuartClient, there: Insight) -> None:
    _, problem = await ask(client, "POST", f"/{ID}/snooze", {"until": 1.0})
    assert problem["errors"] == [{"pointer": "/until", "message": "lies in the past"}]
    _, problem = await ask(client, "POST", f"/{ID}/dismiss", {"duration_s": 600})
    assert problem["errors"] == [{"pointer": "/duration_s", "message": "only a snooze has an end"}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/nothing/dismiss", None, 404),
        ("GET", "/nothing", None, 404),
        ("PATCH", f"/{ID}", {"status": "resolved"}, 422),
        ("PATCH", f"/{ID}", {"status": "acknowledged", "duration_s": 600}, 422),
        ("POST", f"/{ID}/snooze", {"duration_s": 600, "until": 1.8e9}, 422),
        ("POST", f"/{ID}/snooze", {"until": 1.0}, 422),
        ("POST", f"/{ID}/snooze", {"until": 1.7976931348623157e308}, 422),
        ("PATCH", f"/{ID}", {"status": "snoozed", "until": -1.7976931348623157e308}, 422),
        ("POST", f"/{ID}/snooze", {"duration_s": 1}, 422),
        ("POST", f"/{ID}/snooze", {"colour": "red"}, 422),
        ("POST", f"/{ID}/snooze", [], 422),
    ],
)
async def test_what_is_refused(
    client: QuartClient, there: Insight, method: str, path: str, body: Any, status: int
) -> None:
    assert (await ask(client, method, path, body))[0] == status
