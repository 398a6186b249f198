"""Preferences: whole, checked, versioned."""

from __future__ import annotations

import json
from typing import Any

import pytest
from quart.testing import QuartClient

PREFERENCES = "/api/analytics/preferences"


async def ask(
    client: QuartClient, method: str, path: str, body: Any = None, if_match: str | None = None
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({} if if_match is None else {"If-Match": if_match})
    data = None if body is None else json.dumps(body)
    response = await client.open(path, method=method, data=data, headers=headers)
    answer = json.loads(await response.get_data())
    if response.status_code < 300 and "etag" in answer:
        assert response.headers["ETag"] == answer["etag"]
    return response.status_code, answer


async def test_preferences(client: QuartClient) -> None:
    status, defaults = await ask(client, "GET", PREFERENCES)
    assert (status, defaults["etag"], defaults["updated_at"]) == (200, '"0"', None)
    assert defaults["notifications"]["quiet_hours"]["enabled"] is False
    channel = {"id": "phone", "type": "webhook", "url": "https://example.org/hook"}
    body = {"theme": "night", "notifications": {"channels": [channel]}}
    status, mine = await ask(client, "PUT", PREFERENCES, body, defaults["etag"])
    assert (status, mine["theme"], mine["notifications"]["channels"][0]["min_severity"]) == (200, "night", "medium")
    assert (await ask(client, "PUT", PREFERENCES, body, defaults["etag"]))[0] == 412
    assert (await ask(client, "PUT", PREFERENCES, body))[0] == 428
    assert (await ask(client, "PUT", PREFERENCES, {}, mine["etag"]))[1]["theme"] == "auto"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"time_zone": "Mars/Olympus"}, "time zone"),
        ({"time_zone": "Europe"}, "time zone"),
        ({"time_zone": "../../etc/passwd"}, "time zone"),
        ({"theme": "pink"}, "theme"),
        ({"notifications": {"quiet_hours": {"start": "24:00"}}}, "start"),
        ({"notifications": {"channels": [{"id": "a", "type": "webhook", "url": "file:///etc/passwd"}]}}, "http"),
        ({"notifications": {"channels": [{"id": "a", "type": "email", "url": "https://x"}]}}, "mailto"),
        (
            {"notifications": {"channels": [{"id": "a", "type": "webhook", "url": "https://x"}] * 2}},
            "given twice",
        ),
        ({"notifications": {"pigeons": True}}, "pigeons"),
    ],
)
async def test_preferences_are_checked(client: QuartClient, body: Any, named: str) -> None:
    status, problem = await ask(client, "PUT", PREFERENCES, body)
    assert status == 422
    assert named in problem["detail"]
