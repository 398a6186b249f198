"""Actions at most once, against a core on a real socket with every misbehaviour, and across restarts at every state."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio

from actors import action_dispatcher
from actors.action_dispatcher import ActionDispatcher, RefusedError
from actors.core import Entity
from actors.hub import Hub
from actors.recommendations import Recommendation
from analytics.action_risk import TEMPLATES
from analytics.action_state import Action, WrongTurnError
from analytics.records import Insight
from gateway import core_rest
from gateway.core_rest import CoreRest
from storage.control import ControlStore
from storage.control_actions import EntityBusyError, KeyUsedError, get_action, insert_action, turn_action, verify
from tests.fakes.misbehaving_core import MISBEHAVIOURS, UNDONE, MisbehavingCore

NOW_MS = 1_700_000_000_000
INSIGHT = Insight(
    insight_id="i", key="leak:tank", title="t", description="d", category="cost", severity="high", confidence=0.5,
    impact_score=0.5, created_at_ms=NOW_MS, updated_at_ms=NOW_MS, expires_at_ms=None, recommendations=(), metric="tank",
)  # fmt: skip
REPORTED = ("succeeded",)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order of things, in less time."""
    monkeypatch.setattr(action_dispatcher, "UNDO_S", 0.0)
    monkeypatch.setattr(action_dispatcher, "TTL_S", 5.0)
    monkeypatch.setattr(action_dispatcher, "RECONCILE_S", (0.0, 0.02))
    monkeypatch.setattr(action_dispatcher, "RATE", (100_000, 60.0))
    monkeypatch.setattr(core_rest, "ANSWER_WITHIN_S", 0.3)


@dataclass
class House:
    core: MisbehavingCore
    store: ControlStore
    dispatcher: ActionDispatcher
    hub: Hub
    succeeded: list[str]

    async def press(self, key: str, entity: str = "light_1", *, confirmed: bool = False, **members: Any) -> Action:
        self.core.states.setdefault(entity, True)
        chosen = recommendation(entity, **members)
        return await self.dispatcher.propose(chosen, owner="local", key=key, confirmed=confirmed)

    async def end(self, action_id: str) -> Action:
        with trio.fail_after(10):
            while True:
                found = await self.store.read(lambda c: get_action(c, action_id))
                if found is not None and found.is_over:
                    return found
                await trio.sleep(0.005)


def recommendation(entity: str, risk: str = "green", template: str = "switch_off") -> Recommendation:
    return Recommendation(
        f"i.0.{entity}", INSIGHT, "do it", TEMPLATES[template], Entity(entity, entity, "light"), risk, "It is off."
    )


@asynccontextmanager
async def house(folder: Path, core: MisbehavingCore | None = None, *, url: str | None = None) -> AsyncIterator[House]:
    core = core or MisbehavingCore()
    store, hub = ControlStore(folder / "control.db"), Hub(lambda: NOW_MS)
    succeeded: list[str] = []
    async with trio.open_nursery() as nursery:
        if not core.port:
            await nursery.start(core.run)
        await store.open(True)
        dispatcher = ActionDispatcher(
            store=store, core=CoreRest(url or core.url), hub=hub, wall_ms=lambda: NOW_MS,
            succeeded=lambda action: succeeded.append(action.action_id),
        )  # fmt: skip
        await nursery.start(dispatcher.run)
        yield House(core, store, dispatcher, hub, succeeded)
        nursery.cancel_scope.cancel()
    await store.aclose()


async def test_a_green_one_is_done_and_told(tmp_path) -> None:
    async with house(tmp_path) as it:
        with it.hub.subscribe() as dashboard:
            action = await it.press("key-00001")
            assert action.phase == "confirmed"
            assert (await it.end(action.action_id)).phase == "succeeded"
            told = [event.data["state"] for event in await dashboard.receive()]
        assert it.core.effects[0][:2] == ("light_1", False)
        assert told[-1] == "succeeded"
        assert it.succeeded == [action.action_id]
        assert (await it.store.read(verify)).broken_at is None


@pytest.mark.parametrize("how", MISBEHAVIOURS)
async def test_each_misbehaviour(tmp_path, how) -> None:
    core = MisbehavingCore(misbehave=lambda: how)
    async with house(tmp_path, core) as it:
        done = await it.end((await it.press("key-00001")).action_id)
    assert len(core.received) == 1
    assert len(core.effects) == (how not in UNDONE)
    expected = {
        "sound": "succeeded", "answers late": "succeeded", "refuses": "rejected", "aborts for safety": "rejected"
    }.get(how, "reconciled")  # fmt: skip
    assert done.phase == expected
    if expected == "reconciled":
        assert done.facts["effect_seen"] is (how not in UNDONE)


@pytest.mark.long
async def test_a_thousand_presses_of_every_kind(tmp_path) -> None:
    """Double clicks, two tabs, replays: effects per key at most one, exactly one where success was reported."""
    dice = random.Random(7)
    names = [name for name in MISBEHAVIOURS if name != "never"]
    core = MisbehavingCore(misbehave=lambda: dice.choice(names), late_s=0.01)
    outcomes: dict[str, Action] = {}
    async with house(tmp_path, core) as it:

        async def one(number: int) -> None:
            entity, key = f"light_{number}", f"key-{number:05d}"
            try:
                action = await it.press(key, entity)
            except KeyUsedError as error:
                action = error.action
            outcomes[key] = await it.end(action.action_id)

        async def other_tab(number: int) -> None:
            try:
                await it.press(f"tab-{number:05d}", f"light_{number}")
            except EntityBusyError:
                return

        for start in range(0, 1000, 50):
            async with trio.open_nursery() as nursery:
                for number in range(start, start + 50):
                    nursery.start_soon(one, number)
                    if number % 3 == 0:
                        nursery.start_soon(one, number)  # a double click
        for number in range(0, 1000, 100):
            await one(number)  # a replay much later
        verdict = await it.store.read(verify)
    effects = Counter(entity for entity, _, _ in core.effects)
    assert len(outcomes) == 1000
    assert max(effects.values()) == 1
    assert max(Counter(core.received).values()) == 1
    for key, action in outcomes.items():
        done = effects[f"light_{int(key[4:])}"]
        assert action.phase != "succeeded" or done == 1
        assert action.phase not in ("rejected", "failed_before_send") or done == 0
        if action.phase == "reconciled" and action.facts["effect_seen"] is not None:
            assert done == action.facts["effect_seen"]
    assert {action.phase for action in outcomes.values()} >= {"succeeded", "rejected", "reconciled"}
    assert verdict.broken_at is None


async def test_two_tabs_on_one_entity(tmp_path) -> None:
    core = MisbehavingCore(misbehave=lambda: "answers late", late_s=0.2)
    async with house(tmp_path, core) as it:
        first = await it.press("key-00001")
        with pytest.raises(EntityBusyError) as caught:
            await it.press("key-00002")
        assert caught.value.action.action_id == first.action_id
        assert (await it.end(first.action_id)).phase == "succeeded"
        again = await it.end((await it.press("key-00003")).action_id)
        assert (again.phase, again.facts["reason"]) == ("rejected", "it is so already")
    assert len(core.effects) == 1


async def test_a_core_that_is_down(tmp_path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.outbound.CONNECT_WITHIN_S", 0.5)
        async with house(tmp_path, url="http://127.0.0.1:9") as it:
            done = await it.end((await it.press("key-00001")).action_id)
    assert done.phase == "failed_before_send"
    assert "can't be read" in done.facts["reason"]


async def test_taken_back_in_time(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(action_dispatcher, "UNDO_S", 0.2)
    async with house(tmp_path) as it:
        action = await it.press("key-00001")
        assert (await it.dispatcher.undo(action.action_id)).phase == "cancelled"
        await trio.sleep(0.3)
        assert it.core.received == []
        second = await it.press("key-00002")
        await it.end(second.action_id)
        with pytest.raises(WrongTurnError):
            await it.dispatcher.undo(second.action_id)


async def test_amber_waits_for_its_confirmation(tmp_path) -> None:
    async with house(tmp_path) as it:
        action = await it.press("key-00001", risk="amber")
        assert action.phase == "proposed"
        assert it.core.received == []
        await it.dispatcher.confirm(action.action_id)
        assert (await it.end(action.action_id)).phase == "succeeded"
        at_once = await it.press("key-00002", "light_2", risk="amber", confirmed=True)
        assert (await it.end(at_once.action_id)).phase == "succeeded"


async def test_nothing_is_sent_after_its_time_to_live(tmp_path, monkeypatch, mock_clock) -> None:
    """Time stands still but for the jumps, however long the journal takes to write; between them it runs as always."""
    ttl_s = action_dispatcher.TTL_S
    async with house(tmp_path) as it:
        action = await it.press("key-00001", risk="amber")
        mock_clock.jump(ttl_s)
        mock_clock.rate = 1
        assert (await it.end(action.action_id)).phase == "expired"
        with pytest.raises(RefusedError):
            await it.dispatcher.confirm(action.action_id)
        mock_clock.rate = 0
        monkeypatch.setattr(action_dispatcher, "UNDO_S", 0.001)  # not over while time stands still
        late = await it.press("key-00002")
        mock_clock.jump(ttl_s)
        mock_clock.rate = 1
        assert (await it.end(late.action_id)).phase == "expired"
        assert it.core.received == []


async def test_what_became_red_is_not_sent(tmp_path) -> None:
    """A rule, or an entity that was renamed, can't make it green."""
    core = MisbehavingCore(kinds={"light_1": "propane_valve"})
    async with house(tmp_path, core) as it:
        done = await it.end((await it.press("key-00001")).action_id)
    assert (done.phase, core.received) == ("rejected", [])


async def test_an_entity_that_is_gone(tmp_path) -> None:
    async with house(tmp_path) as it:
        action = await it.press("key-00001")
        del it.core.states["light_1"]
        assert (await it.end(action.action_id)).phase == "rejected"


async def test_a_state_that_cannot_be_read_is_reconciled_as_not_known(tmp_path) -> None:
    core = MisbehavingCore(misbehave=lambda: "timeout")
    async with house(tmp_path, core) as it:
        action = await it.press("key-00001")
        with trio.fail_after(5):
            while not core.received:
                await trio.sleep(0.001)
        core.reads_fail = True
        done = await it.end(action.action_id)
    assert done.facts["effect_seen"] in (None, True)  # a look may have come before the reads failed


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("proposed",), "expired"),
        (("proposed", "confirmed"), "expired"),
        (("proposed", "confirmed", "sending"), "reconciled"),
        (("proposed", "confirmed", "sending", "unknown"), "reconciled"),
        (("proposed", "confirmed", "sending", "succeeded"), "succeeded"),
    ],
)
async def test_a_restart_at_every_state_sends_nothing(tmp_path, path, expected) -> None:
    store = ControlStore(tmp_path / "control.db")
    await store.open(True)
    action = Action(
        "a1", "local", "key-00001", "i.0.light_1", "i", "k", "m", "switch_off", "light_1", "light", "green", "proposed",
        NOW_MS, NOW_MS, NOW_MS + 30_000,
    )  # fmt: skip
    await store.write(lambda c: insert_action(c, action))
    for phase in path[1:]:
        await store.write(lambda c, phase=phase: turn_action(c, "a1", phase, NOW_MS))
    await store.aclose()
    core = MisbehavingCore(states={"light_1": True})
    async with house(tmp_path, core) as it:
        done = await it.end("a1")
        with pytest.raises(KeyUsedError):
            await it.press("key-00001")
        assert (await it.store.read(verify)).broken_at is None
    assert done.phase == expected
    assert core.received == []


async def test_too_many_at_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(action_dispatcher, "RATE", (2, 60.0))
    async with house(tmp_path) as it:
        for number in range(2):
            await it.press(f"key-0000{number}", f"light_{number}")
        with pytest.raises(RefusedError):
            await it.press("key-00009", "light_9")


async def test_a_press_that_was_refused_does_not_count(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(action_dispatcher, "RATE", (2, 60.0))
    monkeypatch.setattr(action_dispatcher, "TTL_S", 600.0)
    async with house(tmp_path) as it:
        await it.press("key-00001", "light_1", risk="amber")  # waits to be confirmed
        for number in range(3):
            with pytest.raises(EntityBusyError):
                await it.press(f"key-busy{number}", "light_1")
        await it.press("key-00002", "light_2")
        with pytest.raises(RefusedError):
            await it.press("key-00003", "light_3")


async def test_without_a_core(tmp_path) -> None:
    async with house(tmp_path) as it:
        alone = ActionDispatcher(store=it.store, core=None, hub=it.hub, wall_ms=lambda: NOW_MS)
        with pytest.raises(RefusedError, match="CORE_URL"):
            await alone.propose(recommendation("light_1"), owner="local", key="key-00001", confirmed=True)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("proposed",), "expired"),
        (("proposed", "confirmed"), "expired"),
        (("proposed", "confirmed", "sending"), "reconciled"),
        (("proposed", "confirmed", "sending", "unknown"), "reconciled"),
    ],
)
async def test_what_is_open_in_a_restored_journal_is_ended_and_never_sent(tmp_path, path, expected) -> None:
    action = Action(
        "a1", "local", "key-00001", "i.0.light_1", "i", "k", "m", "switch_off", "light_1", "light", "green", "proposed",
        NOW_MS, NOW_MS, NOW_MS + 30_000,
    )  # fmt: skip
    core = MisbehavingCore(states={"light_1": True})
    async with house(tmp_path, core) as it:
        await it.store.write(lambda c: insert_action(c, action))
        for phase in path[1:]:
            await it.store.write(lambda c, phase=phase: turn_action(c, "a1", phase, NOW_MS))
        it.dispatcher.look_again()
        done = await it.end("a1")
        live = await it.press("key-00002", "light_2")
        it.dispatcher.look_again()  # what goes on in this process goes on
        assert (await it.end(live.action_id)).phase == "succeeded"
    assert done.phase == expected
    assert core.received == ["light_2"]


async def test_a_key_is_known_in_memory_and_through_each_switch_of_persistence(tmp_path) -> None:
    async with house(tmp_path) as it:
        await it.store.switch(False)
        action = await it.press("key-00001")
        await it.end(action.action_id)
        for persisted in (False, True, False):
            await it.store.switch(persisted)
            with pytest.raises(KeyUsedError):
                await it.press("key-00001")
            assert (await it.store.read(verify)).broken_at is None
        assert len(it.core.effects) == 1
