"""The alarms tell dashboards and notifier in the tick of the sample."""

from __future__ import annotations

import numpy as np
import pytest
import trio

from actors.alarms import Alarms
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import AlertChanged, Pressure
from analytics.catalogue import Catalogue, MetricSpec
from analytics.threshold import Threshold
from storage.models import Latest, SeriesPart

NOW_MS = 1_700_000_000_000


def threshold(id_: str = "t", **members: object) -> Threshold:
    given = {"threshold_id": id_, "name": "warm", "metric": "m", "role": None, "condition": "above", "low": None}
    return Threshold(**{**given, "high": 10.0, **members})


@pytest.fixture
def notifier() -> Mailbox:
    return Mailbox("notifier", capacity=16, pressure=Pressure.DROP_OLDEST)


@pytest.fixture
def hub() -> Hub:
    return Hub(lambda: NOW_MS)


@pytest.fixture
def alarms(hub: Hub, notifier: Mailbox) -> Alarms:
    return Alarms(Catalogue([MetricSpec(pattern="m", unit="V", title="Battery")]), hub, notifier)


def see(alarms: Alarms, at_ms: int, value: float) -> None:
    alarms.observe([SeriesPart("m", np.array([NOW_MS + at_ms]), np.array([value]))], NOW_MS + at_ms)


async def test_what_dashboards_and_notifier_hear(alarms, hub, notifier, autojump_clock) -> None:
    alarms.replace([threshold(min_duration_s=1, recover_after_s=1)], NOW_MS)
    heard: list[AlertChanged] = []

    async def take(message: AlertChanged) -> None:
        heard.append(message)

    with hub.subscribe() as dashboard:
        for at_ms, value in ((0, 11), (500, 11), (1000, 12), (1500, 9), (2500, 9)):
            see(alarms, at_ms, value)
            await trio.sleep(0.5)
        notifier.close()
        await notifier.run(take)
        frames = [event.data for event in await dashboard.receive()]
    assert [message.event.after.phase for message in heard] == ["firing", "ok"]  # that it recovers is no news
    # one alert, so what waited for this client was replaced by the newest
    assert [(frame["state"], frame["message"]) for frame in frames] == [
        ("ok", "Battery is back within its limit after 2 s, at its furthest 12.00 V")
    ]


async def test_active_most_severe_first(alarms, autojump_clock) -> None:
    alarms.replace([threshold("a"), threshold("b", severity="critical"), threshold("c", high=99.0)], NOW_MS)
    see(alarms, 0, 11)
    assert [frame["threshold_id"] for frame in alarms.active()] == ["b", "a"]
    assert list(alarms.states_of("a")) == ["m"]
    assert alarms.standing() == {"threshold:a:m", "threshold:b:m"}
    alarms.replace([threshold("a")], NOW_MS)
    assert [frame["threshold_id"] for frame in alarms.active()] == ["a"]


async def test_an_alert_that_fires_says_what_stands_now(hub, notifier, autojump_clock) -> None:
    stands = {}
    alarms = Alarms(
        Catalogue([MetricSpec(pattern="m", unit="V", title="Battery")]), hub, notifier, latest=lambda: stands
    )
    alarms.replace([threshold(hysteresis=2.0)], NOW_MS)
    said = []
    for at_ms, value in ((0, 10.4), (1000, 17.0), (2000, 12.5), (3000, 9.0), (4000, 7.0)):
        see(alarms, at_ms, value)
        await trio.sleep(1)
        stands["m"] = Latest(NOW_MS + at_ms, value, 1)
        (frame,) = alarms.active()
        said.append((frame["value"], frame["message"]))
    assert said == [
        (10.4, "Battery is above 10.00 V: 10.40 V"),
        (17.0, "Battery is above 10.00 V: 17.00 V"),
        (12.5, "Battery is above 10.00 V: 12.50 V"),
        (9.0, "Battery was above 10.00 V, is not far enough back: 9.00 V"),
        (7.0, "Battery was above 10.00 V, came back to 7.00 V"),
    ]


async def test_waiting_for_states_to_store(alarms, autojump_clock) -> None:
    alarms.replace([threshold()], NOW_MS)
    with trio.move_on_after(5) as scope:
        await alarms.wait_changed()
    assert scope.cancelled_caught
    see(alarms, 0, 11)
    await alarms.wait_changed()
    alarms.watch.stored(alarms.watch.changed())
    with trio.move_on_after(5) as scope:
        await alarms.wait_changed()
    assert scope.cancelled_caught


async def test_a_threshold_that_was_just_set_is_held_against_what_stands(hub, notifier, autojump_clock) -> None:
    alarms = Alarms(Catalogue(), hub, notifier, latest=lambda: {"m": Latest(NOW_MS - 5_000, 11.0, 1)})
    alarms.look(NOW_MS)  # without thresholds nothing is done
    alarms.replace([threshold()], NOW_MS)
    with hub.subscribe() as dashboard:
        alarms.look(NOW_MS)
        assert [event.data["state"] for event in await dashboard.receive()] == ["firing"]
    assert notifier.statistics().depth == 1
