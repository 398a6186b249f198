"""The recorder: appends, numbers, reports and answers, all or nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest
import trio

from actors.alarms import Alarms
from actors.clock import TrustedClock
from actors.health import HealthBoard
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import Found, Pressure, QuarantinedError, Record, Recorded
from actors.progress import Progress
from actors.recorder import BACKLOG_LIMIT_SAMPLES, HOUSEKEEPING_S, Recorder
from actors.supervisor import ChildSpec, Supervisor
from analytics.catalogue import Catalogue, MetricSpec
from analytics.catalogue_text import parse_catalogue
from analytics.records import Finding, FindingKind
from analytics.streaming import Watchlist
from analytics.threshold import AlertState, Threshold
from storage.memory import MemoryTier
from storage.models import Latest, SeriesPart, Window

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
TWELVE = {"warn": [12, 14.8], "critical": [11.5, 15.2], "plausible": [5, 20]}
DOUBLE = {"usual": [20, 36], "warn": [24, 29.6], "critical": [23, 30.4], "plausible": [10, 40]}
BANK = {"metrics": [{"pattern": "bank", **TWELVE, "hold_s": 20, "bad_direction": "none", "systems": [DOUBLE]}]}


def part(name: str, *samples: tuple[int, float]) -> SeriesPart:
    """Samples as (ms after NOW_MS, value)."""
    times = np.array([NOW_MS + ms for ms, _ in samples], dtype=np.int64)
    return SeriesPart(name, times, np.array([value for _, value in samples]))


@dataclass
class House:
    """A recorder and everything around it, on a wall clock that stands still unless moved."""

    now_ms: int = NOW_MS
    memory: MemoryTier = field(default_factory=lambda: MemoryTier(retention_ms=2 * HOUR_MS, max_series=3))
    catalogue: Catalogue = field(default_factory=Catalogue)

    def __post_init__(self) -> None:
        self.mailbox: Mailbox = Mailbox("recorder", capacity=8, pressure=Pressure.BLOCK)
        self.persister: Mailbox = Mailbox("persister", capacity=1, pressure=Pressure.CONFLATE)
        self.insights: Mailbox = Mailbox("insights", capacity=8, pressure=Pressure.DROP_OLDEST)
        self.hub = Hub(lambda: self.now_ms)
        self.notifier: Mailbox = Mailbox("notifier", capacity=8, pressure=Pressure.DROP_OLDEST)
        self.alarms = Alarms(self.catalogue, self.hub, self.notifier, latest=self.latest)
        self.progress = Progress()
        self.recorder = Recorder(
            mailbox=self.mailbox,
            persister=self.persister,
            insights=self.insights,
            memory=self.memory,
            make_watchlist=lambda: Watchlist(self.catalogue),
            alarms=self.alarms,
            hub=self.hub,
            progress=self.progress,
            clock=TrustedClock(lambda: self.now_ms, lambda: self.now_ms / 1000),
        )

    def latest(self) -> dict[str, Latest]:
        return {info.name: info.latest for info in self.memory.infos() if info.latest is not None}

    async def record(self, *parts: SeriesPart) -> Recorded:
        message = Record(parts)
        await self.mailbox.put(message)
        return await message.reply.wait()

    async def next_findings(self) -> tuple[Finding, ...]:
        found: list[Finding] = []

        async def take(message: Found) -> None:
            found.extend(message.findings)

        await self.insights.handle_next(take)
        return tuple(found)


@pytest.fixture
async def house(nursery) -> House:
    house = House()
    await nursery.start(house.recorder.run)
    return house


async def test_it_answers_for_each_part_and_numbers_the_batches(house, autojump_clock):
    first = await house.record(part("a", (0, 1.0), (1, 2.0)), part("b", (0, 3.0)))
    second = await house.record(part("a", (1, 9.0), (2, 4.0)))
    assert [done.accepted for done in first.parts] == [2, 1]
    assert (second.parts[0].accepted, second.parts[0].duplicates) == (1, 1)
    assert second.seq == first.seq + 1
    assert house.memory.window("a", 0, NOW_MS + 10).values.tolist() == [1.0, 9.0, 4.0]


async def test_refused_samples_reach_neither_the_hub_nor_the_detectors(house, autojump_clock):
    with house.hub.subscribe() as subscription:
        answer = await house.record(part("a", (0, 1.0), (HOUR_MS, 99.0), (1, 2.0)))
        assert [index for index, _ in answer.parts[0].rejected] == [1]
        (event,) = await subscription.receive()
    assert event.topic == "metrics"
    assert "99" not in str(event.data)
    assert "2.0" in str(event.data)


async def test_a_metric_too_many_is_refused_and_the_rest_of_the_batch_is_kept(house, autojump_clock):
    answer = await house.record(*(part(name, (0, 1.0)) for name in "abcd"))
    assert [done.full for done in answer.parts] == [False, False, False, True]
    assert house.memory.names() == ["a", "b", "c"]


async def test_it_wakes_the_persister_once_for_many_batches_and_never_while_persistence_is_off(house, autojump_clock):
    await house.record(part("a", (0, 1.0)))
    assert house.persister.statistics().depth == 0
    house.progress.set_state("on")
    for n in range(1, 6):
        await house.record(part("a", (n, 1.0)))
    assert house.persister.statistics().depth == 1


async def test_a_limit_crossed_is_reported_in_the_same_tick(nursery, autojump_clock):
    spec = MetricSpec(pattern="fridge", warn_high=5.0, critical_high=8.0, bad_direction="above")
    house = House(catalogue=Catalogue((spec,)))
    await nursery.start(house.recorder.run)
    for n in range(5):
        await house.record(part("fridge", (n * 1000, 12.0)))
    findings = await house.next_findings()
    assert findings[0].kind is FindingKind.LIMIT
    assert findings[0].metric == "fridge"


async def test_a_bank_of_24_volts_is_never_told_to_be_too_high(nursery, autojump_clock):
    house = House(catalogue=parse_catalogue(BANK))
    await nursery.start(house.recorder.run)
    for n in range(90):
        await house.record(part("bank", (n * 1000, 26.4)))
    await trio.sleep(2 * HOUSEKEEPING_S)
    assert house.insights.statistics().depth == 0
    assert house.catalogue.spec("bank").critical_low == 23
    await house.record(*(part("bank", (n * 1000, 21.0)) for n in range(91, 121)))
    findings = await house.next_findings()
    assert findings[0].kind is FindingKind.LIMIT


async def test_a_first_value_that_is_none_does_not_make_a_bank_of_24_volts(nursery, autojump_clock):
    house = House(catalogue=parse_catalogue(BANK))
    await nursery.start(house.recorder.run)
    await house.record(part("bank", (0, 25.5)))
    assert house.catalogue.spec("bank").critical_low == 23
    for n in range(1, 5):
        await house.record(part("bank", (n * 1000, 12.9)))
    await trio.sleep(2 * HOUSEKEEPING_S)
    assert house.catalogue.spec("bank").critical_low == 11.5
    await house.record(*(part("bank", (n * 1000, 12.9)) for n in range(5, 60)))
    assert house.insights.statistics().depth == 0


async def test_a_restart_knows_the_system_again(autojump_clock):
    house = House(catalogue=parse_catalogue(BANK))
    house.memory.append(part("bank", *((n * 1000, 26.4) for n in range(90))), seq=1, now_ms=NOW_MS)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        assert house.catalogue.spec("bank").critical_low == 23
        nursery.cancel_scope.cancel()
    assert house.insights.statistics().depth == 0


async def test_what_is_said_to_be_fahrenheit_is_not_judged_as_celsius(nursery, autojump_clock):
    spec = MetricSpec(pattern="fridge", unit="°C", warn_high=5.0, bad_direction="above")
    house = House(catalogue=Catalogue((spec,)))
    await nursery.start(house.recorder.run)
    for n in range(5):
        at = part("fridge", (n * 1000, 37.4))
        await house.record(SeriesPart(at.name, at.times, at.values, '{"unit":"°F"}'))
    assert house.insights.statistics().depth == 0
    assert house.catalogue.spec("fridge").unit == "°F"


async def test_a_restart_goes_on_with_the_numbers_and_the_baselines(autojump_clock):
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        before = await house.record(part("a", (0, 1.0)))
        nursery.cancel_scope.cancel()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        after = await house.record(part("a", (1, 1.0)))
        nursery.cancel_scope.cancel()
    assert after.seq == before.seq + 1


async def test_housekeeping_drops_what_is_too_old(house, autojump_clock):
    await house.record(part("a", (0, 1.0)))
    house.now_ms += 3 * HOUR_MS
    await house.record(part("a", (3 * HOUR_MS, 2.0)))
    await trio.sleep(HOUSEKEEPING_S + 1)
    assert house.memory.window("a", 0, house.now_ms + 1).values.tolist() == [2.0]


async def test_ingest_waits_for_a_persister_that_is_behind_and_for_no_other(house, autojump_clock):
    house.progress.set_state("on")
    house.progress.recorded(BACKLOG_LIMIT_SAMPLES, seq=1)
    with trio.move_on_after(5) as waiting:
        await house.record(part("a", (0, 1.0)))
    assert waiting.cancelled_caught
    house.progress.set_state("degraded", "the disk is full")
    await house.record(part("a", (1, 1.0)))
    assert house.memory.window("a", 0, NOW_MS + 5).values.tolist() == [1.0, 1.0]


async def test_a_closed_mailbox_is_drained_and_ends_it(autojump_clock):
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        message = Record((part("a", (0, 1.0)),))
        await house.mailbox.put(message)
        house.mailbox.close()
    assert (await message.reply.wait()).seq == 1


async def test_a_restart_warms_the_detectors_with_the_present_and_not_with_what_a_clock_that_was_ahead_left(
    autojump_clock,
):
    house = House(catalogue=Catalogue((MetricSpec(pattern="fridge", warn_high=5.0, critical_high=8.0, hold_s=600.0),)))
    for now_ms, value in ((NOW_MS + 5 * 365 * 24 * HOUR_MS, 4.0), (NOW_MS, 12.0)):
        times = now_ms - 1_200_000 + 10_000 * np.arange(120, dtype=np.int64)
        house.memory.append(SeriesPart("fridge", times, np.full(120, value)), seq=1, now_ms=now_ms)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        with trio.fail_after(1):
            assert [finding.kind for finding in await house.next_findings()] == [FindingKind.LIMIT]
        nursery.cancel_scope.cancel()


async def test_what_comes_back_from_the_archive_warms_the_detectors(autojump_clock):
    spec = MetricSpec(pattern="fridge", warn_high=5.0, critical_high=8.0, hold_s=600.0)
    house = House(catalogue=Catalogue((spec,)))
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        times = NOW_MS - 1_200_000 + 10_000 * np.arange(120)
        house.memory.restore("fridge", Window(times, np.full(120, 12.0)))
        house.progress.restored()
        findings = await house.next_findings()
        assert [finding.kind for finding in findings] == [FindingKind.LIMIT]
        nursery.cancel_scope.cancel()


async def test_what_is_beyond_a_limit_when_the_service_starts_is_told_since_it_began(autojump_clock):
    house = House(catalogue=Catalogue((MetricSpec(pattern="fridge", warn_high=5.0, hold_s=600.0),)))
    times = NOW_MS - 7_190_000 + 10_000 * np.arange(720)
    house.memory.append(SeriesPart("fridge", times, np.where(np.arange(720) < 20, 4.0, 6.0)), seq=1, now_ms=NOW_MS)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        (finding,) = await house.next_findings()
        assert finding.start_ms == times[20]
        nursery.cancel_scope.cancel()


async def test_a_sample_that_crashes_a_detector_does_not_crash_every_restart(autojump_clock, monkeypatch, caplog):
    def crash(self: Watchlist, name: str, times: object, values: object) -> None:
        raise RuntimeError("sabotage")

    monkeypatch.setattr(Watchlist, "warm", crash)
    house = House()
    house.memory.append(part("a", (0, 1.0)), seq=1, now_ms=NOW_MS)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        assert (await house.record(part("a", (1, 2.0)))).seq == 2
        nursery.cancel_scope.cancel()
    assert "start cold" in caplog.text


def warm(**members) -> Threshold:
    return Threshold(
        threshold_id="t", name="warm", metric="a", role=None, condition="above", low=None, high=8.0, **members
    )


async def test_a_threshold_is_told_of_in_the_tick_of_its_sample(house, autojump_clock):
    house.alarms.replace([warm()], house.now_ms)
    with house.hub.subscribe() as heard:
        await house.record(part("a", (0, 9.0)))
        events = await heard.receive()
    assert [(event.topic, event.data.get("state")) for event in events if event.topic == "alert"] == [
        ("alert", "firing")
    ]
    assert house.alarms.active()[0]["message"] == "A is above 8: 9"


async def test_an_alert_that_recovers_ends_after_a_restart_without_another_sample(autojump_clock):
    """A tank that sends on change: until it sends again its alert would have stayed `recovering`."""
    house = House()
    house.alarms.replace([warm(recover_after_s=600)], house.now_ms)
    recovering = AlertState("recovering", NOW_MS - 60_000, side="above", value=7.0, peak=9.0, fired_ms=NOW_MS - 120_000)
    house.alarms.watch.restore({("t", "a"): recovering}, house.now_ms)
    async with trio.open_nursery() as nursery:
        await nursery.start(house.recorder.run)
        house.memory.restore("a", Window(np.array([NOW_MS - 60_000]), np.array([7.0])))
        house.progress.restored()
        for seconds in range(600):
            assert [each["state"] for each in house.alarms.active()] == ["recovering"] or seconds > 530
            house.now_ms += 1000
            await trio.sleep(1)
        assert house.alarms.active() == []
        nursery.cancel_scope.cancel()


async def test_time_alone_lets_an_alert_fire(house, autojump_clock):
    house.alarms.replace([warm(min_duration_s=5)], house.now_ms)
    with house.hub.subscribe() as heard:
        heard.set_filter(frozenset({"alert"}), None)
        await house.record(part("a", (0, 9.0)))
        assert not house.alarms.active()
        with trio.move_on_after(20):
            while True:
                house.now_ms += 500
                await trio.sleep(0.5)
        assert [event.data["state"] for event in await heard.receive()] == ["firing"]


@pytest.mark.parametrize("hangs", [1, 2, 3])
async def test_a_batch_whose_handling_hangs_is_tried_again_then_put_aside_and_the_next_one_taken(autojump_clock, hangs):
    house = House()
    real, tried_s = house.recorder._wait_for_room, []

    async def wait_for_room() -> None:
        tried_s.append(trio.current_time())
        if len(tried_s) <= hangs:
            await trio.sleep_forever()
        await real()

    house.recorder._wait_for_room = wait_for_room
    board = HealthBoard(lambda: 0)
    spec = ChildSpec(name="recorder", run=house.recorder.run, mailbox=house.mailbox, stop=house.mailbox.close)
    supervisor = Supervisor("test", (spec,), board=board, rng=random.Random(1))
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        before, after = Record((part("a", (0, 1.0)),)), Record((part("a", (1, 2.0)),))
        house.mailbox.put_nowait(before)
        house.mailbox.put_nowait(after)
        if hangs < 3:
            assert (await before.reply.wait()).parts[0].accepted == 1
        else:
            with pytest.raises(QuarantinedError, match="hung"):
                await before.reply.wait()
        assert (await after.reply.wait()).parts[0].accepted == 1
        assert (np.diff(tried_s)[:hangs] >= 30).all()
        kept = house.memory.window("a", 0, NOW_MS + 10).values.tolist()
        assert kept == ([1.0, 2.0] if hangs < 3 else [2.0])
        health = board.snapshot()["recorder"]
        assert (health.state, health.restarts) == ("running", hangs)
        assert health.last_error == "hung: 30.0 s on one message"
        assert health.mailbox is not None
        assert health.mailbox.quarantined == (hangs == 3)
        supervisor.shut_down()


async def test_waiting_for_a_disk_that_is_behind_is_no_hanging(autojump_clock):
    house = House()
    board = HealthBoard(lambda: 0)
    spec = ChildSpec(name="recorder", run=house.recorder.run, mailbox=house.mailbox, stop=house.mailbox.close)
    supervisor = Supervisor("test", (spec,), board=board)
    house.progress.set_state("on")
    house.progress.recorded(BACKLOG_LIMIT_SAMPLES, seq=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        message = Record((part("a", (0, 1.0)),))
        house.mailbox.put_nowait(message)
        await trio.sleep(300)
        assert not message.reply.is_answered
        assert board.snapshot()["recorder"].restarts == 0
        house.progress.advance(1)
        assert (await message.reply.wait()).parts[0].accepted == 1
        supervisor.shut_down()


async def test_what_senders_tell_of_metrics_that_come_and_go_is_not_kept_for_ever(nursery, autojump_clock, monkeypatch):
    monkeypatch.setattr("actors.recorder.SAID_LIMIT", 3)
    spec = MetricSpec(pattern="fridge*", unit="°C", warn_high=5.0, bad_direction="above")
    house = House(memory=MemoryTier(retention_ms=2 * HOUR_MS, max_series=8), catalogue=Catalogue((spec,)))
    await nursery.start(house.recorder.run)
    for number in range(8):
        at = part(f"fridge{number}", (0, 37.4))
        await house.record(SeriesPart(at.name, at.times, at.values, '{"unit":"°F"}'))
    assert len(house.recorder._said) <= 3
    assert {house.catalogue.spec(f"fridge{number}").unit for number in range(8)} == {"°F"}
