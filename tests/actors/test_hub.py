"""The hub: never waits, coalesces, tells of gaps, cuts off who stays behind."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
import trio.testing

from actors.hub import BEHIND_S, QUEUE_EVENTS, Choice, Hub, TooSlow

Clock = trio.testing.MockClock
Metrics = dict[str, dict[str, float]]


@pytest.fixture
def hub() -> Hub:
    return Hub(lambda: 1_700_000_000_123)


@pytest.fixture
async def running(hub: Hub, nursery: trio.Nursery) -> Hub:
    await nursery.start(hub.run)
    return hub


async def test_a_client_hears_what_is_published_from_then_on(hub: Hub) -> None:
    hub.publish("alert", {"n": 0})
    with hub.subscribe() as client:
        hub.publish("alert", {"n": 1})
        hub.publish("insight", {"n": 2})
        events = await client.receive()
    assert [(event.topic, event.data) for event in events] == [("alert", {"n": 1}), ("insight", {"n": 2})]
    assert events[0].time_ms == 1_700_000_000_123
    assert hub.statistics().clients == 0


async def test_receive_waits(hub: Hub) -> None:
    with hub.subscribe() as client:
        async with trio.open_nursery() as nursery:

            async def receive() -> None:
                (event,) = await client.receive()
                assert event.topic == "alert"

            nursery.start_soon(receive)
            await trio.testing.wait_all_tasks_blocked()
            hub.publish("alert", {})


async def test_an_event_is_shared_so_that_it_is_encoded_once(hub: Hub) -> None:
    with hub.subscribe() as one, hub.subscribe() as other:
        hub.publish("alert", {})
        hub.publish_metrics({"a": (1000, 1.0)})
        first, second = await one.receive(), await other.receive()
    assert first[0] is second[0]
    assert first[1] is second[1]
    first[0].encoded = "frame"
    assert second[0].encoded == "frame"


async def test_only_wanted_topics_come(hub: Hub) -> None:
    with hub.subscribe() as client:
        client.set_filter(frozenset({"alert"}), None)
        hub.publish("insight", {})
        hub.publish_metrics({"a": (1, 1.0)})
        hub.publish("alert", {})
        assert [event.topic for event in await client.receive()] == ["alert"]


async def test_only_wanted_metrics_come(running: Hub, autojump_clock: Clock) -> None:
    with running.subscribe() as picky, running.subscribe() as fussy, running.subscribe() as lucky:
        picky.set_filter(None, Choice(frozenset({"a", "z"}), but=True))
        fussy.set_filter(None, Choice(frozenset({"z"})))
        lucky.set_filter(None, Choice(frozenset({"a", "b"})))
        running.publish_metrics({"a": (1000, 1.0), "b": (2000, 2.0)})
        (event,) = await picky.receive()
        assert event.data == {"b": {"value": 2.0, "timestamp": 2.0}}
        (event,) = await lucky.receive()
        assert set(event.data) == {"a", "b"}
        with trio.move_on_after(1) as scope:
            await fussy.receive()
        assert scope.cancelled_caught


async def test_metrics_come_at_once_and_then_ten_times_a_second(running: Hub, autojump_clock: Clock) -> None:
    begin_s = trio.current_time()
    frames: list[tuple[float, float]] = []

    async def watch() -> None:
        with running.subscribe() as client:
            while True:
                for event in await client.receive():
                    data: Metrics = dict(event.data)
                    frames.append((round(trio.current_time() - begin_s, 3), data["a"]["value"]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(100):
            running.publish_metrics({"a": (number, float(number))})
            await trio.sleep(0.01)
        await trio.sleep(1)
        running.publish_metrics({"a": (1, -1.0)})
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert frames[0] == (0, 0.0)
    assert frames[-1] == (2, -1.0)
    assert frames[-2][1] == 99.0  # the trailing edge: the latest value is never held back for good
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(frames)]
    assert min(gaps) > 0.099
    assert 10 <= len(frames) <= 13


async def test_without_clients_metrics_are_not_kept(running: Hub) -> None:
    running.publish_metrics({"a": (1, 1.0)})
    with running.subscribe() as client:
        running.publish_metrics({"b": (1, 1.0)})
        (event,) = await client.receive()
    assert set(event.data) == {"b"}


async def test_metrics_of_a_client_that_lags_keep_the_latest_of_each(running: Hub, autojump_clock: Clock) -> None:
    with running.subscribe() as slow, running.subscribe() as quick:
        for number in range(5):
            running.publish_metrics({"a": (number, float(number)), f"only{number}": (0, 0.0)})
            await trio.sleep(1)
        (event,) = await slow.receive()
        assert event.data["a"]["value"] == 4.0
        assert set(event.data) == {"a", *(f"only{number}" for number in range(5))}
        await quick.receive()


async def test_overflow_drops_the_oldest_and_says_how_many(hub: Hub) -> None:
    with hub.subscribe() as client:
        for number in range(QUEUE_EVENTS + 7):
            hub.publish("alert", {"n": number})
        gap, *events = await client.receive()
        assert (gap.topic, gap.data) == ("gap", {"lost": 7})
        assert [event.data["n"] for event in events] == list(range(7, QUEUE_EVENTS + 7))
        hub.publish("alert", {})
        assert [event.topic for event in await client.receive()] == ["alert"]
    assert hub.statistics().lost == 7


async def test_a_newer_event_of_the_same_key_replaces_a_waiting_one(hub: Hub) -> None:
    with hub.subscribe() as client:
        hub.publish("status", {"n": 1}, key="persistence")
        hub.publish("status", {"n": 2}, key="actors")
        hub.publish("status", {"n": 3}, key="persistence")
        assert [event.data["n"] for event in await client.receive()] == [2, 3]


async def test_who_stays_behind_is_cut_off_and_nobody_else_notices(hub: Hub, autojump_clock: Clock) -> None:
    with hub.subscribe() as stalled, hub.subscribe() as healthy:
        for _ in range(5):
            hub.publish("alert", {})
            await healthy.receive()
            await trio.sleep(BEHIND_S / 4)
        hub.publish("alert", {})
        assert stalled.closed.is_set()
        with pytest.raises(TooSlow):
            await stalled.receive()
        hub.publish("alert", {})  # to a closed one: nothing happens
        assert len(await healthy.receive()) == 2
        assert hub.statistics().cut_off == 1
        assert hub.statistics().clients == 1


async def test_a_quiet_client_is_not_behind(hub: Hub, autojump_clock: Clock) -> None:
    with hub.subscribe() as client:
        client.set_filter(frozenset({"alert"}), None)
        for _ in range(5):
            await trio.sleep(BEHIND_S)
            hub.publish("insight", {})
        hub.publish("alert", {})
        assert len(await client.receive()) == 1


async def test_a_receiver_that_waits_is_told_when_it_leaves_nothing_behind(hub: Hub) -> None:
    client = hub.subscribe()
    with client, trio.move_on_after(0):
        await client.receive()
    hub.publish("alert", {})
    assert hub.statistics().clients == 0
    assert hub.statistics().published == 1


async def test_a_nudge_lets_a_receiver_go(hub: Hub) -> None:
    with hub.subscribe() as client:
        client.nudge()
        assert await client.receive() == []
        hub.publish("alert", {})
        client.nudge()
        assert len(await client.receive()) == 1  # both at once
        with trio.move_on_after(0) as scope:
            await client.receive()
        assert scope.cancelled_caught
