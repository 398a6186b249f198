"""Preferences: whole, checked, versioned."""

from __future__ import annotations

import json
from typing import Any

import pytest
from quart.testing import QuartClient

from gateway.backend import Backend
from storage.control_documents import document
from tests.fakes.documents import ask

PREFERENCES = "/api/analytics/preferences"


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


async def test_secrets_of_channels_are_written_and_never_read(client: QuartClient, backend: Backend) -> None:
    hook = {"id": "hook", "type": "webhook", "url": "https://example.org/s3cret", "secret": "k3y-of-the-hook"}
    mail = {"id": "mail", "type": "email", "url": "mailtos://anna:s3cret@example.org"}
    push = {"id": "push", "type": "apprise", "url": "tgram://123456:s3cret/78"}
    status, shown = await ask(client, "PUT", PREFERENCES, {"notifications": {"channels": [hook, mail, push]}})
    assert status == 200
    assert "s3cret" not in json.dumps(shown)
    assert "k3y" not in json.dumps(shown)
    assert "s3cret" not in json.dumps((await ask(client, "GET", PREFERENCES))[1])
    # A page sends back what it has read, and one thing changed.
    channels = [{**each, "enabled": False} for each in shown["notifications"]["channels"]]
    back = {"notifications": {**shown["notifications"], "channels": channels}}
    status, shown = await ask(client, "PUT", PREFERENCES, back, shown["etag"])
    assert (status, [each["enabled"] for each in shown["notifications"]["channels"]]) == (200, [False] * 3)
    stored = await backend.control.store.read(lambda each: document(each, "preferences", "mine", "local"))
    kept = stored.body["notifications"]["channels"]
    assert [each["url"] for each in kept] == [hook["url"], mail["url"], push["url"]]
    assert kept[0]["secret"] == hook["secret"]
    channels[1]["url"] = "mailtos://anna:****@evil.example"
    status, problem = await ask(client, "PUT", PREFERENCES, back, shown["etag"])
    assert (status, problem["detail"]) == (422, "notifications.channels.1.url is masked: give all of it")
    assert [each["pointer"] for each in problem["errors"]] == ["/notifications/channels/1/url"]
