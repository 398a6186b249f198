"""The stand-in core takes actions as CoachIQ's does."""

from __future__ import annotations

import pytest
import trio
from trio_websocket import open_websocket_url

from gateway.core_rest import CoreRest
from gateway.demo.stand_in_core import StandInCore
from gateway.server import open_listening_socket


async def test_it_is_switched(nursery: trio.Nursery) -> None:
    with open_listening_socket("127.0.0.1", 0) as sock:
        core = StandInCore(sock)
        await nursery.start(core.run)
        rest = CoreRest(core.url)
        assert "pump_fresh_water" in {each.entity_id for each in await rest.entities()}
        answer = await rest.control("pump_fresh_water", {"command": "set", "state": False}, trio.current_time() + 5)
        assert answer.status == "success"
        entity = await rest.entity("pump_fresh_water")
        assert entity is not None
        assert entity.state["state"] == "off"
        assert await rest.entity("nothing") is None
        core.stop()


async def test_its_link_answers_pings(nursery: trio.Nursery) -> None:
    with open_listening_socket("127.0.0.1", 0) as sock:
        core = StandInCore(sock)
        await nursery.start(core.run)
        with trio.fail_after(5):
            async with open_websocket_url(core.url.replace("http", "ws") + "/ws") as link:
                await link.send_message('{"type":"ping"}')
                assert await link.get_message() == '{"type":"pong"}'
        core.stop()


@pytest.mark.parametrize(
    ("entity", "body"),
    [("nothing", {"command": "set", "state": True}), ("light_porch", {"command": "toggle"}), ("light_porch", None)],
)
async def test_what_it_does_not_do(entity: str, body: object) -> None:
    with open_listening_socket("127.0.0.1", 0) as sock:
        assert StandInCore(sock).control(entity, body)["status"] == "failed"


@pytest.mark.parametrize(
    ("entity", "on", "mended"),
    [
        ("fan_refrigerator", True, ["fridge_warming"]),
        ("pump_fresh_water", False, ["water_leak"]),
        ("fan_roof", True, []),
    ],
)
def test_what_helps_the_coach_is_told(entity: str, on: bool, mended: list[str]) -> None:
    told: list[str] = []
    with open_listening_socket("127.0.0.1", 0) as sock:
        assert StandInCore(sock, told.append).control(entity, {"command": "set", "state": on})["status"] == "success"
    assert told == mended
