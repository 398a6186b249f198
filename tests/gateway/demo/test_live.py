"""The live coach: real time, one sample once, and no jump after the history."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import numpy as np
import pytest
import trio

from gateway.client import Answer, PeerError
from gateway.demo import live
from gateway.demo.coach import Coach
from gateway.demo.history import write_history
from gateway.demo.live import LiveCoach
from gateway.demo.signals import SIGNALS


class FakeService:
    """Takes every batch, or what `answers` says first."""

    url = "http://coach"

    def __init__(self) -> None:
        self.samples: dict[str, dict[int, float]] = defaultdict(dict)
        self.metadata: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.answers: list[Answer | Exception] = []
        self.repeated = 0

    async def request(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Answer:
        await trio.lowlevel.checkpoint()
        assert (method, target) == ("POST", "/api/analytics/metrics/batch")
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        count = 0
        for series in msgspec.json.decode(body)["series"]:
            if "metadata" in series:
                self.metadata[series["metric_name"]].append(series["metadata"])
            for seconds, value in zip(series["timestamps"], series["values"], strict=True):
                at = round(seconds * 1000)
                self.repeated += at in self.samples[series["metric_name"]]
                self.samples[series["metric_name"]][at] = value
                count += 1
        return Answer(200, {}, msgspec.json.encode({"accepted": count, "rejected": 0, "duplicates": 0, "errors": []}))


class Clock:
    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def clock(now_ms) -> Clock:
    return Clock(now_ms)


async def test_samples_come_at_their_cadence_up_to_now(service, clock, now_ms):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    for _ in range(50):
        clock.now_ms += 200
        await coach.catch_up(service)  # type: ignore[arg-type]
    assert sorted(service.samples["battery.house.voltage"]) == list(range(now_ms + 500, now_ms + 10_001, 500))
    assert len(service.samples["inverter.load"]) == 100
    assert max(max(samples) for samples in service.samples.values()) <= clock.now_ms
    assert service.repeated == 0
    assert coach.account.accepted == coach.account.samples == sum(map(len, service.samples.values()))


async def test_the_rate_is_that_of_a_coach_in_use(service, clock, now_ms):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    clock.now_ms += 60_000
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert 15 < coach.account.samples / 60 < 100


async def test_history_and_live_join_without_a_jump(archive, service, clock, now_ms):
    coach = await write_history(archive, seed=1, days=1, now_ms=now_ms)
    live_coach = LiveCoach(coach, "http://coach", wall_ms=clock)
    clock.now_ms += 30 * 60_000
    await live_coach.catch_up(service)  # type: ignore[arg-type]
    whole = Coach(1, now_ms - 24 * 3_600_000).run(now_ms + 31 * 60_000)
    for signal in SIGNALS:
        past, present = archive.samples[signal.name], service.samples.get(signal.name, {})
        assert not past.keys() & present.keys(), signal.name
        sent = {max(past): past[max(past)]} | present
        _, values = whole.measure(signal, np.array(list(sent), dtype=np.int64))
        assert list(sent.values()) == values.tolist(), signal.name


async def test_the_first_sample_brings_the_unit_and_says_that_it_is_simulated(service, clock, now_ms):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    for _ in range(3):
        clock.now_ms += 1000
        await coach.catch_up(service)  # type: ignore[arg-type]
    assert service.metadata["battery.house.voltage"] == [{"unit": "V", "source": "simulated coach"}]


async def test_a_restart_neither_repeats_nor_leaves_out(service, clock, now_ms):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    clock.now_ms += 61_000
    service.answers = [RuntimeError("a crash in the middle")]
    with pytest.raises(RuntimeError):
        await coach.catch_up(service)  # type: ignore[arg-type]
    clock.now_ms += 200
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert service.repeated == 0
    assert sorted(service.samples["battery.house.voltage"]) == list(range(now_ms + 500, now_ms + 61_201, 500))


async def test_trouble_is_waited_out(service, clock, now_ms, autojump_clock):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    clock.now_ms += 1000
    service.answers = [PeerError("refused"), Answer(503, {"retry-after": "1"}, b"{}"), PeerError("refused")]
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert len(service.samples["battery.house.voltage"]) == 2
    assert coach.account.repeated == 3
    assert coach.account.unaccounted == 0


async def test_a_refused_batch_is_lost_and_said(service, clock, now_ms, autojump_clock, caplog):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    clock.now_ms += 1000
    service.answers = [Answer(404, {}, b'{"detail": "Analytics dashboard disabled"}')]
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert "Analytics dashboard disabled" in caplog.text
    assert coach.account.unsent > 0
    clock.now_ms += 1000
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert sorted(service.samples["battery.house.voltage"]) == [now_ms + 1500, now_ms + 2000]
    assert "battery.house.voltage" in service.metadata  # introduced by the first batch that was taken


@pytest.mark.parametrize("speed", [60.0, 0.5])
async def test_at_another_speed_stamps_are_the_wall_clocks(service, clock, now_ms, speed):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", speed=speed, wall_ms=clock)
    for _ in range(60):
        clock.now_ms += 1000
        await coach.catch_up(service)  # type: ignore[arg-type]
        assert max(max(samples) for samples in service.samples.values()) <= clock.now_ms
    times = sorted(service.samples["battery.house.voltage"])
    assert len(times) == (120 if speed == 60 else 60)  # never more than the cadence
    assert times[-1] > clock.now_ms - 1001
    truth = Coach(1, now_ms).run(now_ms + round(60_000 * speed)).columns["outside"]
    assert service.samples["exterior.temperature"][max(service.samples["exterior.temperature"])] == pytest.approx(
        truth[-1 if speed == 60 else 0], abs=0.5
    )


async def test_a_clock_that_goes_back_or_leaps(service, clock, now_ms):
    coach = LiveCoach(Coach(1, now_ms), "http://coach", wall_ms=clock)
    clock.now_ms -= 3_600_000
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert service.samples == {}
    clock.now_ms += 1000
    await coach.catch_up(service)  # type: ignore[arg-type]
    assert sorted(service.samples["battery.house.voltage"]) == [now_ms + 500, now_ms + 1000]


async def test_run_says_that_it_has_started_and_goes_on(service, clock, now_ms, autojump_clock, monkeypatch):
    class Client(FakeService):
        def __init__(self, url: str, token: str | None = None) -> None:
            pass

        async def __aenter__(self) -> FakeService:
            return service

        async def __aexit__(self, *args: object) -> None:
            await trio.lowlevel.checkpoint()

    monkeypatch.setattr(live, "HttpClient", Client)
    begun = trio.current_time()
    coach = LiveCoach(
        Coach(1, now_ms), "http://coach", wall_ms=lambda: now_ms + round((trio.current_time() - begun) * 1000)
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(coach.run)
        await trio.sleep(5.1)
        nursery.cancel_scope.cancel()
    assert len(service.samples["battery.house.voltage"]) == 10
