"""The behaviour every archive must show: the lines of storage/archive.py, one test each.

A test module derives its class from `ArchiveSuite` and brings the fixture `archive`.
"""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
import trio
from msgspec.structs import replace

from analytics.records import Action, Insight, Pattern
from storage.archive import Archive, ArchiveError, PoisonError
from storage.models import SeriesPart

DAY_MS = 86_400_000
NOW_MS = 1_790_000_000_123


def part(name: str, times: list[int], values: list[float], metadata: str | None = None) -> SeriesPart:
    return SeriesPart(name, np.array(times, dtype=np.int64), np.array(values, dtype=np.float64), metadata)


def an_insight(key: str = "limit:fridge.temperature", at_ms: int = NOW_MS) -> Insight:
    return Insight(
        insight_id=f"{key}@{at_ms}",
        key=key,
        title="Fridge is warm",
        description="9.1 °C for 12 min",
        category="reliability",
        severity="high",
        confidence=0.9,
        impact_score=0.7,
        created_at_ms=at_ms - 60_000,
        updated_at_ms=at_ms,
        expires_at_ms=at_ms + DAY_MS,
        recommendations=("Close the door", "Check the fan"),
        actions=(Action("Close the door", "check", "less spoilt food", "high"),),
        evidence={"metric": "fridge.temperature", "value": 9.1, "expected_low": None},
        supporting_data={"related": ["interior.temperature"], "note": "Küche"},
        metric="fridge.temperature",
    )


def a_pattern(pattern_id: str = "cyclical:solar.power", at_ms: int = NOW_MS) -> Pattern:
    return Pattern(
        pattern_id=pattern_id,
        pattern_type="cyclical",
        metric="solar.power",
        description="every day",
        confidence=0.8,
        frequency="daily",
        correlation_factors=("battery.house.voltage",),
        prediction_window=None,
        created_at_ms=at_ms,
        data={"profile": [0.0, 1.5]},
    )


async def everything(archive: Archive, name: str) -> dict[int, float]:
    window = (await archive.window([name], 0, 2**50)).get(name)
    return {} if window is None else dict(zip(window.times.tolist(), window.values.tolist(), strict=True))


class ArchiveSuite:
    async def test_samples_come_back_bit_for_bit_in_order_of_time(self, archive: Archive) -> None:
        times = [NOW_MS + 7, NOW_MS, NOW_MS + 1, NOW_MS + 999]
        values = [0.1, -0.0, 5e-324, -1.7976931348623157e308]
        await archive.append([part("a", times, values)])
        window = (await archive.window(["a"], NOW_MS, NOW_MS + 1000))["a"]
        order = np.argsort(times)
        assert window.times.tobytes() == np.array(times, dtype=np.int64)[order].tobytes()
        assert window.values.tobytes() == np.array(values)[order].tobytes()
        assert not window.times.flags.writeable
        assert not window.values.flags.writeable

    async def test_every_millisecond_survives(self, archive: Archive) -> None:
        rng = np.random.default_rng(1)
        times = np.unique(
            np.concatenate([np.arange(NOW_MS, NOW_MS + 2_000), rng.integers(0, 4_000_000_000_000, 2_000)])
        )
        await archive.append([SeriesPart("a", times, np.zeros(len(times)))])
        window = (await archive.window(["a"], 0, 2**50))["a"]
        assert window.times.tolist() == times.tolist()

    async def test_a_span_holds_its_start_and_not_its_end(self, archive: Archive) -> None:
        await archive.append([part("a", [10, 20, 30], [1, 2, 3])])
        window = (await archive.window(["a"], 10, 30))["a"]
        assert window.times.tolist() == [10, 20]

    async def test_appending_twice_changes_nothing_and_the_later_value_wins(self, archive: Archive) -> None:
        await archive.append([part("a", [10, 20], [1, 2])])
        await archive.append([part("a", [20, 10, 20], [9, 1, 5])])
        assert await everything(archive, "a") == {10: 1.0, 20: 5.0}

    async def test_many_samples_of_many_metrics_in_one_append(self, archive: Archive) -> None:
        parts = [part(f"m{index}", list(range(100 + index)), [float(index)] * (100 + index)) for index in range(20)]
        await archive.append(parts)
        assert await archive.names() == sorted(f"m{index}" for index in range(20))
        assert len(await everything(archive, "m7")) == 107

    async def test_names_are_sorted_by_code_point(self, archive: Archive) -> None:
        names = ["b", "a", "B", "é", "a.b", "\U0001f600", "￿"]
        await archive.append([part(name, [1], [1]) for name in names])
        assert await archive.names() == sorted(names)

    async def test_the_latest_metadata_of_each_metric(self, archive: Archive) -> None:
        await archive.append([part("a", [1], [1], '{"unit":"V"}'), part("b", [1], [1]), part("c", [1], [1], "{}")])
        await archive.append([part("a", [2], [1], '{"unit":"mV"}'), part("c", [2], [1])])
        for _ in range(2):
            assert await archive.metadata() == {"a": '{"unit":"mV"}', "c": "{}"}
            await archive.compact(1)

    async def test_an_empty_archive(self, archive: Archive) -> None:
        assert await archive.names() == []
        assert await archive.window(["a"], 0, NOW_MS) == {}
        assert await archive.buckets(["a"], 0, NOW_MS, 1000) == {}
        assert await archive.insights(0, 10) == []
        assert await archive.patterns(0, 10) == []
        assert await archive.purge(NOW_MS, NOW_MS, 10) == 0
        await archive.append([])

    async def test_a_limit_takes_the_newest_of_each(self, archive: Archive) -> None:
        await archive.append([part("a", [1, 2, 3], [1, 2, 3]), part("b", [1], [7])])
        windows = await archive.window(["a", "b", "c"], 0, 100, limit=2)
        assert windows["a"].times.tolist() == [2, 3]
        assert windows["b"].times.tolist() == [1]
        assert "c" not in windows

    async def test_buckets_are_the_samples_summed_up(self, archive: Archive) -> None:
        await archive.append([part("a", [999, 1000, 1500, 3000, 90_000, 90_001], [1, 2, 4, -8, 16, 32])])
        buckets = (await archive.buckets(["a", "b"], 0, 90_001, 1000))["a"]
        assert buckets.step_ms == 1000
        assert buckets.starts.tolist() == [0, 1000, 3000, 90_000]
        assert buckets.count.tolist() == [1, 2, 1, 1]
        assert buckets.total.tolist() == [1, 6, -8, 16]
        assert buckets.minimum.tolist() == [1, 2, -8, 16]
        assert buckets.maximum.tolist() == [1, 4, -8, 16]

    async def test_buckets_cut_by_the_span_count_what_lies_inside(self, archive: Archive) -> None:
        await archive.append([part("a", [1000, 1500, 1999, 2000], [1, 2, 3, 4])])
        buckets = (await archive.buckets(["a"], 1500, 2000, 1000))["a"]
        assert buckets.starts.tolist() == [1000]
        assert buckets.count.tolist() == [2]

    async def test_insights_and_patterns_come_back_whole(self, archive: Archive) -> None:
        insight, pattern = an_insight(), a_pattern()
        await archive.append([part("a", [1], [1])], [insight], [pattern])
        assert await archive.insights(0, 10) == [insight]
        assert await archive.patterns(0, 10) == [pattern]

    async def test_an_insight_stored_again_replaces_itself(self, archive: Archive) -> None:
        insight = an_insight()
        resolved = replace(insight, status="resolved", updated_at_ms=NOW_MS + 5, expires_at_ms=None)
        await archive.append([], [insight])
        await archive.append([], [resolved])
        assert await archive.insights(0, 10) == [resolved]

    async def test_newest_insights_and_patterns_first(self, archive: Archive) -> None:
        await archive.append(
            [],
            [an_insight(f"k{index}", NOW_MS + index) for index in range(5)],
            [a_pattern(f"p{index}", NOW_MS + index) for index in range(5)],
        )
        assert [insight.key for insight in await archive.insights(NOW_MS + 1, 3)] == ["k4", "k3", "k2"]
        assert [pattern.pattern_id for pattern in await archive.patterns(NOW_MS + 3, 9)] == ["p4", "p3"]

    async def test_purge_deletes_what_is_older_in_batches(self, archive: Archive) -> None:
        await archive.append(
            [part("a", list(range(50)), [0.0] * 50), part("b", list(range(40, 60)), [0.0] * 20)],
            [an_insight("old", NOW_MS - 1), an_insight("new", NOW_MS)],
            [a_pattern("old", NOW_MS - 1), a_pattern("new", NOW_MS)],
        )
        rounds = []
        while gone := await archive.purge(45, NOW_MS, 8):
            rounds.append(gone)
        assert sum(rounds) == 45 + 5 + 2
        assert max(rounds) <= 8
        assert sorted(await everything(archive, "a")) == [45, 46, 47, 48, 49]
        assert sorted(await everything(archive, "b")) == list(range(45, 60))
        assert [insight.key for insight in await archive.insights(0, 9)] == ["new"]
        assert [pattern.pattern_id for pattern in await archive.patterns(0, 9)] == ["new"]

    @pytest.mark.parametrize(
        "poison",
        [
            part("a", [2, 3], [1.0, nan]),
            part("a", [2, 3], [1.0, inf]),
            part("\ud800", [2], [1.0]),
            part("a", [2], [1.0], "\ud800"),
            part("a", [2], [1.0], "{not json"),
        ],
        ids=["NaN", "infinity", "lone surrogate", "surrogate in metadata", "metadata is not JSON"],
    )
    async def test_poison_is_told_from_trouble_and_nothing_is_stored(
        self, archive: Archive, poison: SeriesPart
    ) -> None:
        await archive.append([part("kept", [1], [1])])
        with pytest.raises(PoisonError):
            await archive.append([part("before", [1], [1]), poison, part("after", [1], [1])], [an_insight()])
        assert await archive.names() == ["kept"]
        assert await archive.insights(0, 9) == []
        await archive.append([part("afterwards", [1], [1])])
        assert await archive.names() == ["afterwards", "kept"]

    async def test_an_insight_that_is_not_json_is_poison(self, archive: Archive) -> None:
        for evidence in ({"value": nan}, {"value": object()}, {"value": "\ud800"}):
            with pytest.raises(PoisonError):
                await archive.append([part("a", [1], [1])], [replace(an_insight(), evidence=evidence)])
        assert await archive.names() == []

    async def test_a_cancelled_append_leaves_it_usable(self, archive: Archive) -> None:
        many = part("a", list(range(20_000)), [1.0] * 20_000)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(archive.append, [many])
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert len(await everything(archive, "a")) in (0, 20_000)  # all of it or nothing
        await archive.append([part("b", [1], [1])])
        assert await everything(archive, "b") == {1: 1.0}

    async def test_many_at_once(self, archive: Archive) -> None:
        async def write(index: int) -> None:
            await archive.append([part("a", [index], [float(index)])])

        async def read() -> None:
            await archive.window(["a"], 0, 100)

        async with trio.open_nursery() as nursery:
            for index in range(20):
                nursery.start_soon(write, index)
                nursery.start_soon(read)
        assert await everything(archive, "a") == {index: float(index) for index in range(20)}

    async def test_closed_twice_and_used_no_more(self, archive: Archive) -> None:
        await archive.aclose()
        await archive.aclose()
        for call in (archive.names, archive.status, lambda: archive.append([part("a", [1], [1])])):
            with pytest.raises(ArchiveError) as caught:
                await call()
            assert caught.value.trouble == "closed"

    async def test_bound_cuts_a_span_at_about_so_many_samples(self, archive: Archive) -> None:
        await archive.append([part("a", list(range(1_000, 61_000)), [float(n) for n in range(60_000)])])
        at_ms, held = 0, []
        while at_ms < 100_000:
            until_ms = await archive.bound("a", at_ms, 100_000, 20_000)
            assert at_ms < until_ms <= 100_000
            found = (await archive.window(["a"], at_ms, until_ms)).get("a")
            held.append(0 if found is None else len(found))
            at_ms = until_ms
        assert sum(held) == 60_000
        assert max(held) < 30_000
        assert await archive.bound("b", 0, 100, 1) == 100
