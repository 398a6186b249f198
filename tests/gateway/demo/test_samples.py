"""Which samples are sent, and when."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.demo.coach import DAY_MS, MINUTE_MS, Coach
from gateway.demo.samples import REMINDER_MS, grid, history_parts, live_parts
from gateway.demo.signals import SIGNALS

START_MS = 1_795_521_600_000
END_MS = START_MS + 20 * MINUTE_MS
STRETCH = Coach(2, START_MS).run(END_MS)


def by_name(parts):
    return {part.name: (part.times.tolist(), part.values.tolist()) for part in parts}


@pytest.mark.parametrize(
    ("name", "step_ms"),
    [
        ("battery.house.voltage", 500),
        ("inverter.load", 100),
        ("climate.front.temperature", 2000),
        ("solar.power", 5000),
    ],
)
def test_a_cadence_of_the_specification(name, step_ms):
    times, _ = by_name(live_parts(STRETCH, START_MS, START_MS + MINUTE_MS))[name]
    assert times == list(range(START_MS + step_ms, START_MS + MINUTE_MS + 1, step_ms))


def test_a_slower_pace_thins_the_cadence():
    fast = by_name(live_parts(STRETCH, START_MS, END_MS, pace=60))["battery.house.voltage"][0]
    assert np.diff(fast).tolist() == [30_000] * (len(fast) - 1)
    assert len(fast) == 40


def test_what_rests_is_sent_once_a_minute():
    parts = by_name(live_parts(STRETCH, START_MS, END_MS))
    assert not STRETCH.columns["engine_running"].any()
    assert len(parts["engine.rpm"][0]) == 20
    assert set(parts["engine.rpm"][1]) == {0.0}


def test_a_switch_is_sent_when_it_changes_and_as_a_reminder():
    stretch = Coach(2, START_MS).run(START_MS + DAY_MS)
    times, values = by_name(live_parts(stretch, START_MS, START_MS + DAY_MS))["fridge.compressor.on"]
    truth = stretch.columns["fridge_on"]
    changes = stretch.times[1:][np.diff(truth) != 0].tolist()
    assert len(changes) > 20
    assert set(changes) <= set(times)
    assert {time for time in times if time not in changes} == {t for t in times if t % REMINDER_MS == 0} - set(changes)
    assert set(values) == {0.0, 1.0}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(START_MS, END_MS), max_size=6), st.sampled_from([1.0, 7.3]))
def test_neighbouring_spans_give_every_sample_once(cuts, pace):
    edges = [START_MS, *sorted(cuts), END_MS]
    together: dict[str, tuple[list[int], list[float]]] = {}
    for after, until in pairwise(edges):
        for name, (times, values) in by_name(live_parts(STRETCH, after, until, pace)).items():
            known = together.setdefault(name, ([], []))
            known[0].extend(times)
            known[1].extend(values)
    assert together == by_name(live_parts(STRETCH, START_MS, END_MS, pace))


def test_history_comes_at_its_step_without_the_first_minute():
    parts = by_name(history_parts(STRETCH, 5 * MINUTE_MS))
    assert parts["battery.house.voltage"][0] == [START_MS + at * MINUTE_MS for at in (5, 10, 15, 20)]
    assert all(min(times) > START_MS and max(times) <= END_MS for times, _ in parts.values())
    whole_day = Coach(2, START_MS).run(START_MS + DAY_MS)
    assert {part.name for part in history_parts(whole_day, MINUTE_MS)} == {signal.name for signal in SIGNALS}


def test_history_and_live_measure_the_same_at_the_same_instant():
    past, live = by_name(history_parts(STRETCH, MINUTE_MS)), by_name(live_parts(STRETCH, START_MS, END_MS))
    for name, (times, values) in past.items():
        read = dict(zip(*live[name], strict=True))
        assert all(read[time] == value for time, value in zip(times, values, strict=True) if time in read), name


def test_a_grid_takes_its_end_and_leaves_its_beginning():
    assert grid(1000, 3000, 1000).tolist() == [2000, 3000]
    assert grid(1001, 2999, 1000).tolist() == [2000]
    assert grid(1000, 1999, 1000).tolist() == []
