"""Test messages and deliveries over REST, and a threshold that ends in a mailbox."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import trio
from quart.testing import QuartClient

from actors.notifier import Notifier
from gateway.backend import Backend
from gateway.channels import OutsideChannels
from storage.models import SeriesPart
from tests.fakes.mail_server import MailServer

# Apprise loads its plugins when it is first used, and some of them use what Python is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
API = "/api/analytics"
NOW_MS = 1_760_000_000_000


async def ask(client: QuartClient, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body)
    response = await client.open(API + path, method=method, data=data, headers={"Content-Type": "application/json"})
    return response.status_code, json.loads(await response.get_data())


@pytest.fixture
async def mail(backend: Backend, steward: Any, nursery: trio.Nursery) -> MailServer:
    server = MailServer()
    await nursery.start(server.run)
    backend.control.courier._channels = OutsideChannels(lan=True, wall_ms=backend.wall_ms)
    await nursery.start(backend.control.courier.run)
    yield server
    nursery.cancel_scope.cancel()


def preferences(port: int) -> dict[str, Any]:
    url = f"mailto://127.0.0.1:{port}?from=coach@example.org&to=anna@example.org&mode=insecure"
    return {"notifications": {"channels": [{"id": "mail", "type": "email", "url": url}]}}


async def test_a_test_message(client: QuartClient, mail: MailServer) -> None:
    assert (await ask(client, "PUT", "/preferences", preferences(mail.port)))[0] == 200
    assert (await ask(client, "POST", "/notifications/test", {"channel_id": "mail"}))[0] == 200
    assert "Test message" in mail.messages[0][1]
    mail.refuse = True
    status, problem = await ask(client, "POST", "/notifications/test", {"channel_id": "mail"})
    assert (status, problem["success"]) == (200, False)
    assert problem["message"].startswith("The message did not arrive")
    assert (await ask(client, "POST", "/notifications/test", {"channel_id": "other"}))[0] == 404
    assert (await ask(client, "POST", "/notifications/test", {"channel_id": "mail", "to": "x"}))[0] == 422


async def test_a_critical_crossing_is_in_the_mailbox_within_two_seconds(
    client: QuartClient, backend: Backend, mail: MailServer, nursery: trio.Nursery
) -> None:
    control = backend.control
    clock = backend.wall_ms() - 60_000 - round(trio.current_time() * 1000)
    control.courier._wall_ms = lambda: clock + round(trio.current_time() * 1000)
    await ask(client, "PUT", "/preferences", preferences(mail.port))
    await ask(client, "POST", "/notifications/test", {"channel_id": "mail"})  # Apprise is loaded now
    mail.messages.clear()
    mail.came = trio.Event()
    body = {"metric": "fridge.temperature", "condition": "above", "value": 8, "severity": "critical"}
    assert (await ask(client, "POST", "/thresholds", body))[0] == 201
    notifier = Notifier(
        mailbox=control.alarms._notifier, hub=backend.hub, marks=control.marks, alarms=control.alarms,
        tell=control.courier.hear, wall_ms=backend.wall_ms,
    )  # fmt: skip
    await nursery.start(notifier.run)
    begun = trio.current_time()
    control.alarms.observe([SeriesPart("fridge.temperature", np.array([NOW_MS]), np.array([9.5]))], NOW_MS)
    with trio.fail_after(10):
        await mail.came.wait()
    assert mail.messages[0][0] - begun < 2
    assert "Fridge temperature is above 8" in mail.messages[0][1]
    with trio.fail_after(5):
        while (await ask(client, "GET", "/notifications/deliveries"))[1]["deliveries"][0]["state"] != "sent":
            await trio.sleep(0.02)
