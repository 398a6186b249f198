"""Replaying: order, pace, the shift to now, and the account."""

from __future__ import annotations

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from gateway.client import Answer
from gateway.recording import Row
from gateway.replay import MAX_ROWS, batches, encode, replay, shift
from gateway.sender import Account

NOW_MS = 1_795_521_600_000


class FakeService:
    """Keeps samples as the service does: equal metric and time is a duplicate."""

    url = "http://coach"

    def __init__(self, busy: int = 0) -> None:
        self.bodies: list[tuple[float, list[dict[str, float]]]] = []
        self.kept: dict[tuple[str, float], float] = {}
        self.busy = busy

    async def request(self, method: str, target: str, body: bytes = b"") -> Answer:
        await trio.lowlevel.checkpoint()
        if self.busy:
            self.busy -= 1
            return Answer(503, {"retry-after": "1"}, b"{}")
        samples = msgspec.json.decode(body)["samples"]
        self.bodies.append((trio.current_time(), samples))
        duplicates = 0
        for sample in samples:
            key = (sample["metric_name"], sample["timestamp"])
            duplicates += key in self.kept
            self.kept[key] = sample["value"]
        counts = {"accepted": len(samples) - duplicates, "duplicates": duplicates, "rejected": 0, "errors": []}
        return Answer(200, {}, msgspec.json.encode(counts))


def recorded(*times_ms: int) -> list[Row]:
    return [Row(f"m{index % 3}", time_ms, float(index)) for index, time_ms in enumerate(times_ms)]


async def run(rows, service=None, **options):
    service, account = service or FakeService(), Account()
    await replay(rows, service, account, now_ms=NOW_MS, **options)  # type: ignore[arg-type]
    return service, account


async def test_samples_go_at_their_own_pace_in_bodies_of_a_tenth_of_a_second(autojump_clock):
    rows = recorded(0, 40, 99, 100, 250, 1000)
    service, account = await run(rows)
    begun = service.bodies[0][0]
    assert [len(samples) for _, samples in service.bodies] == [3, 1, 1, 1]
    assert [round(at - begun, 3) for at, _ in service.bodies] == [0, 0.001, 0.151, 0.901]
    assert account.accepted == account.samples == 6


async def test_times_are_brought_to_now_and_keep_their_distances(autojump_clock):
    service, _ = await run(recorded(5_000, 5_100, 9_000))
    stamps = [sample["timestamp"] for _, samples in service.bodies for sample in samples]
    assert stamps == [NOW_MS / 1000, NOW_MS / 1000 + 0.1, NOW_MS / 1000 + 4]


@pytest.mark.parametrize("speed", [0, 0.5, 1, 10])
async def test_no_sample_lies_in_the_future_when_it_is_sent(autojump_clock, speed):
    begun = trio.current_time()
    service, _ = await run(recorded(*range(0, 20_000, 70)), speed=speed)
    for at, samples in service.bodies:
        assert all(sample["timestamp"] <= NOW_MS / 1000 + (at - begun) + 0.001 for sample in samples)


async def test_times_can_be_kept(autojump_clock):
    service, _ = await run(recorded(5_000, 5_100), keep_times=True)
    assert [sample["timestamp"] for _, samples in service.bodies for sample in samples] == [5.0, 5.1]


async def test_speed_and_as_fast_as_it_goes(autojump_clock):
    rows = recorded(*range(0, 10_000, 10))
    for speed, seconds in ((1, 9.99), (10, 0.999), (0, 0)):
        begun = trio.current_time()
        _, account = await run(rows, speed=speed)
        assert trio.current_time() - begun == pytest.approx(seconds, abs=0.01)
        assert account.accepted == 1000


async def test_order_is_by_time_and_then_as_recorded(autojump_clock):
    rows = [Row("b", 200, 1.0), Row("a", 100, 2.0), Row("a", 100, 3.0), Row("a", 0, 4.0)]
    service, account = await run(rows, speed=0)
    assert [sample["value"] for _, samples in service.bodies for sample in samples] == [4.0, 2.0, 3.0, 1.0]
    assert (account.accepted, account.duplicates) == (3, 1)
    assert 3.0 in service.kept.values()  # the last one wins, as in the file
    assert 2.0 not in service.kept.values()


async def test_a_busy_service_gets_everything_all_the_same(autojump_clock):
    service, account = await run(recorded(*range(0, 1000, 10)), FakeService(busy=3), speed=0)
    assert account.accepted == len(service.kept) == 100
    assert account.repeated == 3


async def test_an_empty_recording():
    service, account = await run([])
    assert (service.bodies, account.samples) == ([], 0)


async def test_progress(autojump_clock):
    seen: list[float] = []
    await run(recorded(*range(0, 1000, 10)), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


@given(st.lists(st.integers(0, 10_000), max_size=300).map(sorted), st.sampled_from([0, 0.3, 1, 50]))
def test_batches_are_the_rows_in_windows(times, speed):
    rows = recorded(*times)
    found = list(batches(rows, speed))
    assert [row for batch in found for row in batch] == rows
    assert all(0 < len(batch) <= MAX_ROWS for batch in found)
    if speed:
        assert all(batch[-1].time_ms - batch[0].time_ms < 100 * speed for batch in found)


def test_a_body_is_bounded():
    assert [len(batch) for batch in batches(recorded(*[0] * 4500), 1)] == [2000, 2000, 500]


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.sampled_from([0, 0.5, 1, 3, 1000]))
def test_the_shift_puts_the_last_sample_at_the_end_of_the_replay(first_ms, span_ms, speed):
    moved = first_ms + span_ms + shift(first_ms, first_ms + span_ms, speed, NOW_MS)
    end = NOW_MS + (span_ms / speed if speed else 0)
    assert moved <= end
    if speed >= 1 or not speed:
        assert moved > end - 2


def test_a_body_of_the_batch_route():
    assert msgspec.json.decode(encode([Row("a", 1500, 2.0)], 250)) == {
        "samples": [{"metric_name": "a", "timestamp": 1.75, "value": 2.0}]
    }
