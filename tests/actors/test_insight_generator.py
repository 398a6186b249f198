"""The insight generator: findings become insights at once, the sweep finds again what was forgotten."""

from __future__ import annotations

import numpy as np
import pytest
import trio
import trio.testing
from msgspec.structs import replace

from actors.clock import TrustedClock
from actors.coach_rounds import CoachRounds
from actors.insight_generator import InsightGenerator
from actors.mailbox import Mailbox
from actors.messages import Found, Pressure, Sweep
from actors.progress import Progress
from analytics.catalogue import Catalogue, MetricSpec
from analytics.records import Finding, FindingKind, Insight
from analytics.rules import EVERYTHING, parse_rules
from conf.loader import read_mapping
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import SeriesPart

NOW_MS = 1_700_000_000_000
SPEC = MetricSpec(pattern="fridge", unit="°C", role="fridge_temperature", warn_high=5.0, critical_high=8.0, hold_s=0.0)
FINDING = Finding(
    kind=FindingKind.LIMIT,
    metric="fridge",
    at_ms=NOW_MS,
    start_ms=NOW_MS - 60_000,
    value=12.0,
    expected_low=None,
    expected_high=5.0,
    score=2.0,
    confidence=0.9,
    samples=10,
    direction="above",
    level="critical",
)


class House:
    def __init__(self, interval_s: float = 900) -> None:
        self.memory = MemoryTier(retention_ms=7_200_000)
        self.book = InsightBook()
        self.mailbox: Mailbox = Mailbox("insights", capacity=8, pressure=Pressure.DROP_OLDEST)
        self.notifier: Mailbox = Mailbox("notifier", capacity=8, pressure=Pressure.DROP_OLDEST)
        self.persister: Mailbox = Mailbox("persister", capacity=1, pressure=Pressure.CONFLATE)
        catalogue = Catalogue((SPEC,))
        self.generator = InsightGenerator(
            mailbox=self.mailbox,
            notifier=self.notifier,
            persister=self.persister,
            memory=self.memory,
            book=self.book,
            catalogue=catalogue,
            rules=parse_rules(read_mapping("rules.yaml")),
            coach=CoachRounds(
                memory=self.memory,
                history=History(self.memory, lambda: NOW_MS),
                catalogue=catalogue,
                wall=lambda times: times,
                limiter=trio.CapacityLimiter(1),
            ),
            progress=Progress(),
            clock=TrustedClock(lambda: NOW_MS),
            interval_s=interval_s,
            limiter=trio.CapacityLimiter(1),
        )

    def fill(self, *values: float, ago_ms: int = 0) -> None:
        """One sample a second, the last one now, or so long ago."""
        times = NOW_MS - ago_ms - 1000 * np.arange(len(values))[::-1]
        part = SeriesPart("fridge", times.astype(np.int64), np.array(values))
        self.memory.append(part, seq=self.memory.last_seq + 1, now_ms=NOW_MS)

    async def sweep(self) -> tuple[Insight, ...]:
        message = Sweep()
        await self.mailbox.put(message)
        with trio.fail_after(10):
            return await message.reply.wait()


def collect(into: list):
    async def take(message):
        into.append(message)

    return take


@pytest.fixture
async def house(nursery) -> House:
    house = House()
    await nursery.start(house.generator.run)
    return house


async def test_a_finding_is_an_insight_at_once_and_once(house):
    house.mailbox.put_nowait(Found((FINDING,)))
    house.mailbox.put_nowait(Found((FINDING,)))
    await house.sweep()  # a barrier: what was put before it has been handled
    (insight,) = [each for each in house.book.insights() if each.metric == "fridge"]
    assert "12" in insight.title + insight.description
    assert house.persister.statistics().depth == 1
    assert house.notifier.statistics().depth >= 2


async def test_an_ended_condition_resolves_its_insight(house):
    house.mailbox.put_nowait(Found((FINDING,)))
    over = Finding(**{name: getattr(FINDING, name) for name in FINDING.__slots__} | {"over": True})
    house.mailbox.put_nowait(Found((over,)))
    await house.sweep()
    assert house.book.open_insights(NOW_MS) == []
    assert [insight.status for insight in house.book.insights()] == ["resolved"]


@pytest.mark.parametrize("kind", [FindingKind.SILENT, FindingKind.INCIDENT])
@pytest.mark.parametrize("earlier_ms", [60_000, -86_400_000])  # its clock agrees, or was ahead of this one
async def test_what_an_earlier_process_told_of_everything_ends_once_samples_come_in(house, kind, earlier_ms):
    """Its end would have been told by who has told it: `No data is coming in`, with data coming in, for days."""
    catalogue, rules = Catalogue((SPEC,)), parse_rules(read_mapping("rules.yaml"))
    told = replace(FINDING, kind=kind, metric=EVERYTHING, at_ms=NOW_MS - earlier_ms, facts={"members": "a, b"})
    insight = rules.insight(told, catalogue.spec(EVERYTHING), NOW_MS - earlier_ms)
    assert insight is not None
    house.book.restore_insight(insight)
    await house.sweep()
    assert [each.key for each in house.book.open_insights(NOW_MS)] == [insight.key]  # nothing came in since the start
    house.fill(*[4.0] * 60)
    await house.sweep()
    assert house.book.open_insights(NOW_MS) == []
    (ended,) = [each for each in house.book.insights() if each.key == insight.key]
    assert ended.status == "resolved"


async def test_the_sweep_finds_what_nobody_reported(house):
    house.fill(*[12.0] * 60)
    found = await house.sweep()
    assert [insight.metric for insight in found] == ["fridge"]
    assert [insight.insight_id for insight in house.book.open_insights(NOW_MS)] == [found[0].insight_id]


async def test_the_sweep_tells_since_when_it_is_so(house):
    house.fill(*[4.0] * 60, *[12.0] * 4_000)
    (found,) = await house.sweep()
    assert found.evidence["start"] == pytest.approx((NOW_MS - 4_000_000) / 1000, abs=5)


async def test_the_sweep_resolves_what_no_longer_holds(house):
    house.mailbox.put_nowait(Found((FINDING,)))
    house.fill(*[3.0] * 60)
    assert await house.sweep() == ()
    assert house.book.open_insights(NOW_MS) == []


async def test_a_past_that_was_sent_later_is_neither_news_nor_an_end(house):
    house.fill(*[12.0] * 60, ago_ms=10 * 365 * 86_400_000)
    assert await house.sweep() == ()
    house.mailbox.put_nowait(Found((FINDING,)))
    house.fill(*[3.0] * 60, ago_ms=86_400_000)
    assert await house.sweep() == ()
    assert [insight.metric for insight in house.book.open_insights(NOW_MS)] == ["fridge"]


async def test_a_sweep_of_nothing_finds_nothing(house):
    assert await house.sweep() == ()


async def test_it_sweeps_by_itself(nursery):
    house = House(interval_s=0.01)
    house.fill(*[12.0] * 60)
    await nursery.start(house.generator.run)
    with trio.fail_after(10):
        while not house.book.open_insights(NOW_MS):
            await trio.sleep(0.01)


async def test_looking_again_keeps_the_earliest_known_start(house):
    early = replace(FINDING, start_ms=NOW_MS - 5 * 3_600_000)
    house.mailbox.put_nowait(Found((early,)))
    house.fill(*[12.0] * 60)  # all that memory still holds
    await house.sweep()
    (insight,) = house.book.open_insights(NOW_MS)
    assert insight.evidence["start"] == early.start_ms / 1000
    assert "5.0 h" in insight.description


async def test_samples_of_a_clock_that_was_ahead_hide_nothing_of_the_present(house):
    """Stamped five years ahead they stay in memory as the last in time, and end nothing that holds now."""
    ahead_ms = NOW_MS + 5 * 365 * 86_400_000
    stray = SeriesPart("fridge", ahead_ms + 1000 * np.arange(60, dtype=np.int64), np.full(60, 4.0))
    house.memory.append(stray, seq=house.memory.last_seq + 1, now_ms=ahead_ms)
    house.fill(*[12.0] * 60)
    house.mailbox.put_nowait(Found((FINDING,)))
    found = await house.sweep()
    assert [insight.metric for insight in found] == ["fridge"]
    assert [insight.metric for insight in house.book.open_insights(NOW_MS)] == ["fridge"]


async def test_only_the_first_telling_is_new(house):
    house.fill(*[12.0] * 60)
    await house.sweep()
    await house.sweep()
    told = []
    house.notifier.close()
    await house.notifier.run(collect(told))
    assert [message.is_new for message in told] == [True, False]


async def test_a_new_insight_says_what_else_moved(house):
    house.fill(*[3.0] * 900, *[12.0] * 900)
    times = NOW_MS - 1000 * np.arange(1800, dtype=np.int64)[::-1]
    moved = np.where(times > NOW_MS - 900_000, 9.0, 2.0)
    house.memory.append(SeriesPart("door", times, moved), seq=9, now_ms=NOW_MS)
    house.mailbox.put_nowait(Found((replace(FINDING, start_ms=NOW_MS - 900_000),)))
    await house.sweep()
    (insight,) = house.book.open_insights(NOW_MS)
    assert [each["metric"] for each in insight.evidence["co_moving"]] == ["door"]
    assert insight.evidence["coverage"] > 0.99
    assert insight.evidence["series"][0]["metric"] == "fridge"


async def test_the_coachs_past_is_read_at_the_start_and_after_each_restore(house, monkeypatch, autojump_clock):
    read: list[int] = []

    async def refill(now_ms, told):
        read.append(now_ms)

    monkeypatch.setattr(house.generator._coach, "refill", refill)
    for _ in range(2):
        house.generator._progress.restored()
        await trio.testing.wait_all_tasks_blocked()
    assert read == [NOW_MS, NOW_MS]
