"""CoachIQ's core over REST, as the stand-in of the demo and a misbehaving one answer."""

from __future__ import annotations

import pytest
import trio

from actors.core import NoAnswerError, NotSentError
from gateway.core_rest import CoreRest
from tests.fakes.misbehaving_core import MisbehavingCore


@pytest.fixture
async def core(nursery: trio.Nursery) -> MisbehavingCore:
    core = MisbehavingCore(states={"light 1/x": True})
    await nursery.start(core.run)
    yield core
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("path", ["", "/", "/ws"])
@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_reading_and_commanding(core, nursery, scheme, path) -> None:
    core.states = {"light_1": True}
    rest = CoreRest(f"{scheme}://127.0.0.1:{core.port}{path}", "secret")
    found = await rest.entities()
    assert [(each.entity_id, each.name, each.kind) for each in found] == [("light_1", "light 1", "light")]
    assert (await rest.entity("light_1")).state == {"state": "on"}
    assert await rest.entity("nothing") is None
    answer = await rest.control("light_1", {"command": "set", "state": False}, trio.current_time() + 5)
    assert (answer.http_status, answer.status) == (200, "success")
    assert core.states == {"light_1": False}
    nursery.cancel_scope.cancel()


async def test_all_pages_of_a_large_coach_are_read(core) -> None:
    core.states = {f"light_{number}": True for number in range(230)}
    found = await CoreRest(core.url).entities()
    assert [each.entity_id for each in found] == list(core.states)


async def test_why_the_core_did_not_do_it(core) -> None:
    core.states = {"light_1": True}
    core.misbehave = lambda: "aborts for safety"
    answer = await CoreRest(core.url).control("light_1", {"command": "set", "state": False}, trio.current_time() + 5)
    assert (answer.status, answer.message) == ("safety_abort", "light_1: safety_abort")


async def test_trouble(core) -> None:
    core.reads_fail = True
    rest = CoreRest(core.url)
    with pytest.raises(NoAnswerError):
        await rest.entities()
    core.misbehave = lambda: "500 after the effect"
    core.states = {"light_1": True}
    answer = await rest.control("light_1", {"command": "set", "state": False}, trio.current_time() + 5)
    assert (answer.http_status, answer.status, answer.message) == (500, None, "broken")
    core.misbehave = lambda: "closes without a word"
    with pytest.raises(NoAnswerError, match=r"^the core closed the connection"):
        await rest.control("light_1", {"command": "set", "state": False}, trio.current_time() + 5)
    with pytest.raises(NotSentError):
        await CoreRest("http://127.0.0.1:9").entities()
