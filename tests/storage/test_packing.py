"""Which chunk holds which samples: late ones with their neighbours, short runs together, closed spans closed."""

from __future__ import annotations

import numpy as np

from storage.chunk import Run, Thinned, decode
from storage.grid import sum_up
from storage.models import Window
from storage.packing import (
    MOST_SAMPLES,
    OWN_SAMPLES,
    PACK_SAMPLES,
    Plan,
    Source,
    outside,
    placed,
    plan_merge,
    plan_store,
)


def window(first: int, samples: int, value: float = 1.0, step: int = 10) -> Window:
    return Window(first + step * np.arange(samples, dtype=np.int64), np.full(samples, value))


def put(plan: Plan) -> dict[tuple[int, int], list[Window]]:
    """(metric, level) -> what is stored of it."""
    found: dict[tuple[int, int], list[Window]] = {}
    for each in plan.put:
        for run in decode(each.chunk):
            assert isinstance(run.data, Window)
            found.setdefault((run.metric_id, each.level), []).append(run.data)
    return found


def test_long_runs_are_cut_evenly_and_stand_alone() -> None:
    found = put(plan_store({1: window(0, MOST_SAMPLES + 2), 2: window(0, OWN_SAMPLES)}, []))
    assert [len(each) for each in found[1, 0]] == [4_321, 4_321]
    assert [len(each) for each in found[2, 0]] == [OWN_SAMPLES]


def test_short_runs_share_packs_of_bounded_size() -> None:
    plan = plan_store({metric: window(0, 1_000) for metric in range(1, 101)}, [])
    assert {each.level for each in plan.put} == {1}
    assert len(plan.put) == 4
    assert all(each.chunk.count <= PACK_SAMPLES for each in plan.put)
    bounds = [(each.chunk.metric_id, each.chunk.last_metric_id) for each in plan.put]
    assert bounds == sorted(bounds)


def test_a_late_sample_goes_to_its_neighbours_and_wins() -> None:
    stored = Source(7, 0, 0, (Run(1, window(0, 3_000)),))
    plan = plan_store({1: Window(np.array([15, 20]), np.array([5.0, 6.0]))}, [stored])
    assert plan.delete == [7]
    (whole,) = put(plan)[1, 0]
    assert len(whole) == 3_001
    assert whole.values[:5].tolist() == [1.0, 1.0, 5.0, 6.0, 1.0]


def test_samples_between_chunks_touch_neither() -> None:
    stored = [Source(7, 0, 0, (Run(1, window(0, 3_000)),)), Source(8, 0, 0, (Run(1, window(50_000, 3_000)),))]
    plan = plan_store({1: window(40_000, 20)}, stored)
    assert plan.delete == []
    found = put(plan)
    assert found.keys() == {(1, 1)}
    assert found[1, 1][0].times.tolist() == window(40_000, 20).times.tolist()


def test_a_pack_keeps_its_other_runs() -> None:
    pack = Source(3, 2, 0, (Run(1, window(0, 100)), Run(2, window(0, 100))))
    found = put(plan_store({2: Window(np.array([55]), np.array([9.0]))}, [pack]))
    assert {key: [len(each) for each in runs] for key, runs in found.items()} == {(1, 2): [100], (2, 2): [101]}


def test_merged_packs_let_long_runs_go() -> None:
    packs = [
        Source(number, 1, 0, (Run(1, window(number * 10_000, 300)), Run(2, window(number * 10_000, 10))))
        for number in range(8)
    ]
    plan = plan_merge(packs, [])
    assert plan.delete == list(range(8))
    found = put(plan)
    assert [len(each) for each in found[1, 0]] == [2_400]
    assert [len(each) for each in found[2, 2]] == [80]


def test_no_run_reaches_over_what_lies_elsewhere() -> None:
    packs = [Source(number, 1, 0, (Run(1, window(number * 10_000, 30)),)) for number in range(8)]
    found = put(plan_merge(packs, [(1, 35_000, 36_000)]))
    assert [len(each) for each in found[1, 2]] == [120, 120]


def test_a_closed_span_takes_only_what_it_has_no_bucket_for() -> None:
    samples = window(0, 100, step=1_000)  # minutes 0 and 1
    later = window(300_000, 60, step=1_000)  # minute 5
    both = Window(np.concatenate([samples.times, later.times]), np.concatenate([samples.values, later.values]))
    closed = Thinned(0, 359_000, sum_up(both, 60_000))
    late = Window(np.array([30_500, 130_500, 350_000, 360_000]), np.ones(4))
    assert outside(late, [closed]).times.tolist() == [130_500, 360_000]
    plan = plan_store({1: late}, [Source(1, 0, 1, (Run(1, closed),))])
    assert plan.dropped == 2
    assert plan.delete == []


def test_nothing_to_place_is_nothing() -> None:
    assert placed([], level=1) == []
    assert plan_store({}, []) == Plan()
