"""/insights and /insights/generate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import trio
from quart.testing import QuartClient

from actors.messages import QuarantinedError, Sweep
from analytics.records import Action, Insight
from gateway.backend import Backend

Make = Callable[..., Insight]
PATH = "/api/analytics/insights"


async def ask(client: QuartClient, query: str = "") -> dict[str, Any]:
    response = await client.get(PATH + query)
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_none(client: QuartClient) -> None:
    answer = await ask(client)
    assert answer["insights"] == []
    assert answer["summary"] == {
        "total_count": 0,
        "avg_confidence": 0.0,
        "avg_impact": 0.0,
        "top_categories": [],
        "action_required": 0,
    }
    assert answer["severity_distribution"] == {"low": 0, "medium": 0, "high": 0, "critical": 0}


async def test_order_filters_and_counts(client: QuartClient, backend: Backend, insight: Make, now_ms: int) -> None:
    for key, members in {
        "old": {"severity": "high", "created_at_ms": now_ms - 9_000},
        "new": {"severity": "high", "created_at_ms": now_ms - 10},
        "worst": {"severity": "critical", "category": "cost"},
        "least": {"severity": "low", "confidence": 0.1},
        "gone": {"severity": "critical", "expires_at_ms": now_ms - 1},
        "over": {"severity": "critical", "status": "resolved"},
    }.items():
        backend.book.upsert_insight(insight(key, **members))
    answer = await ask(client)
    assert [each["insight_id"] for each in answer["insights"]] == ["id-worst", "id-new", "id-old", "id-least"]
    assert answer["severity_distribution"] == {"low": 1, "medium": 0, "high": 2, "critical": 1}
    assert answer["categories"]["cost"] == 1
    assert answer["summary"]["top_categories"][0] == "reliability"
    assert answer["summary"]["action_required"] == 3
    answer = await ask(client, "?limit=1&min_severity=high&categories=reliability,cost")
    assert (answer["total_insights"], len(answer["insights"])) == (3, 1)
    assert (await ask(client, "?categories=cost&categories=efficiency"))["total_insights"] == 1


async def test_recommendations_are_texts_and_actions_are_beside_them(
    client: QuartClient, backend: Backend, insight: Make
) -> None:
    backend.book.upsert_insight(insight(actions=(Action("Close it.", "close_door", "2 °C", "high"),)))
    (shown,) = (await ask(client))["insights"]
    assert shown["recommendations"] == ["Close the door."]
    assert shown["actions"][0]["action"] == "close_door"
    assert isinstance(shown["created_at"], float)


async def test_generate_is_no_insight_to_be_read(client: QuartClient) -> None:
    response = await client.get(f"{PATH}/generate")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


async def generate(client: QuartClient) -> tuple[int, dict[str, Any]]:
    response = await client.post(f"{PATH}/generate")
    return response.status_code, json.loads(await response.get_data())


async def test_generate_waits_for_the_sweep(client: QuartClient, backend: Backend, insight: Make) -> None:
    async def sweep(message: object) -> None:
        await trio.lowlevel.checkpoint()
        assert isinstance(message, Sweep)
        message.reply.set((insight("a", severity="low"), insight("b", severity="critical")))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(backend.insight_mailbox.handle_next, sweep)
        status, answer = await generate(client)
    assert status == 200
    assert answer["message"] == "The sweep is done: 2 insights"
    assert [each["insight_id"] for each in answer["insights"]] == ["id-b", "id-a"]


@pytest.mark.parametrize("trouble", ["late", "quarantined", "closed"])
async def test_generate_in_trouble(
    client: QuartClient, backend: Backend, autojump_clock: trio.testing.MockClock, trouble: str
) -> None:
    async def fail(message: object) -> None:
        await trio.lowlevel.checkpoint()
        assert isinstance(message, Sweep)
        message.reply.fail(QuarantinedError("x"))

    async with trio.open_nursery() as nursery:
        if trouble == "quarantined":
            nursery.start_soon(backend.insight_mailbox.handle_next, fail)
        if trouble == "closed":
            backend.insight_mailbox.close()
        status, answer = await generate(client)
    assert status == (500 if trouble == "quarantined" else 503)
    assert isinstance(answer["detail"], str)
