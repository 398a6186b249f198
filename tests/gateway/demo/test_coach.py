"""One coach, however it is asked: the same seed and start give the same samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.demo.coach import DAY_MS, MINUTE_MS, Coach, state_from
from gateway.demo.faults import Fault
from gateway.demo.physics import State
from gateway.demo.signals import SIGNALS, Signal

HOUR_MS = 60 * MINUTE_MS
START_MS = 1_795_521_600_000 - DAY_MS


def same(first, second):
    return all(np.array_equal(first.columns[name], second.columns[name]) for name in first.columns)


def test_the_same_seed_is_the_same_coach():
    first, second = (Coach(5, START_MS).run(START_MS + DAY_MS) for _ in range(2))
    assert same(first, second)
    for signal in SIGNALS:
        for one, other in zip(first.measure(signal, first.times), second.measure(signal, second.times), strict=True):
            assert np.array_equal(one, other)


def test_another_seed_is_another_coach():
    assert not same(Coach(5, START_MS).run(START_MS + DAY_MS), Coach(6, START_MS).run(START_MS + DAY_MS))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 20 * HOUR_MS), min_size=1, max_size=4))
def test_stretches_join_to_the_whole(lengths):
    whole = Coach(5, START_MS).run(START_MS + sum(lengths))
    coach, until_ms = Coach(5, START_MS), START_MS
    pieces = []
    for length in lengths:
        until_ms += length
        piece = coach.run(until_ms)
        if pieces:
            assert piece.times[0] == pieces[-1].times[-1]
        pieces.append(piece)
    for name, column in whole.columns.items():
        joined = np.concatenate([pieces[0].columns[name], *(piece.columns[name][1:] for piece in pieces[1:])])
        assert np.array_equal(joined, column), name


def test_a_stretch_ends_at_the_first_full_minute_not_before_what_was_asked():
    coach = Coach(5, START_MS + 1234)
    assert coach.now_ms == START_MS
    assert coach.run(START_MS + 1).times.tolist() == [START_MS, START_MS + MINUTE_MS]
    assert coach.run(START_MS + MINUTE_MS).times.tolist() == [START_MS + MINUTE_MS]  # already there
    assert coach.run(START_MS + 3 * MINUTE_MS).times.tolist() == [START_MS + at * MINUTE_MS for at in (1, 2, 3)]


def test_the_coach_lives_in_its_own_time_zone():
    light = {hours: Coach(5, START_MS, utc_offset_ms=hours * HOUR_MS).run(START_MS + DAY_MS) for hours in (0, -7)}
    peaks = {
        hours: stretch.times[np.argmax(stretch.columns["outside"])] % DAY_MS / HOUR_MS
        for hours, stretch in light.items()
    }
    assert peaks[0] == pytest.approx(15, abs=1)
    assert peaks[-7] == pytest.approx(22, abs=1)


def test_between_minutes_gauges_go_straight_and_switches_wait():
    stretch = Coach(5, START_MS).run(START_MS + DAY_MS)
    at = int(np.flatnonzero(np.diff(stretch.columns["fridge_on"]))[0])
    half = stretch.times[at : at + 1] + 30_000
    assert stretch.truth("fridge", half)[0] == pytest.approx(stretch.columns["fridge"][at : at + 2].mean())
    assert stretch.truth("fridge_on", half, held=True)[0] == stretch.columns["fridge_on"][at]
    assert stretch.truth("fridge_on", stretch.times[at + 1 : at + 2], held=True)[0] != stretch.columns["fridge_on"][at]


def test_what_is_plugged_in_is_there_at_once():
    stretch = Coach(5, START_MS).run(START_MS + 8 * DAY_MS)
    leg = next(signal for signal in SIGNALS if signal.name == "shore.leg1.voltage")
    truth = stretch.columns["leg1_voltage"]
    edges = np.flatnonzero((truth[1:] == 0) != (truth[:-1] == 0))
    assert len(edges) >= 2
    for at in edges.tolist():
        times = np.arange(stretch.times[at], stretch.times[at + 1] + 1, 1000)
        _, values = stretch.measure(leg, times)
        assert all(value == 0 or value > 100 for value in values.tolist())


def test_a_signal_is_active_while_its_machine_runs():
    stretch = Coach(5, START_MS).run(START_MS + 4 * DAY_MS)
    rpm = next(signal for signal in SIGNALS if signal.name == "engine.rpm")
    active = stretch.active(rpm, stretch.times)
    assert 60 < active.sum() < 400
    assert np.array_equal(active, stretch.columns["engine_running"] > 0)
    assert stretch.active(Signal("x", "", "soc", 1), stretch.times).all()


def test_the_state_can_be_read_back_from_what_was_sent():
    coach = Coach(5, START_MS)
    stretch = coach.run(START_MS + DAY_MS)
    latest = {}
    for signal in SIGNALS:
        _, values = stretch.measure(signal, stretch.times)
        latest[signal.name] = float(values[-1])
    state = state_from(latest)
    for name in State.__slots__:
        truth, told = getattr(coach.state, name), getattr(state, name)
        if isinstance(truth, bool):
            assert told == truth or name in ("filling", "dumping", "refueling", "freezer_on"), name
        else:
            assert told == pytest.approx(truth, abs=max(0.8, 0.01 * abs(truth))), name
    assert state_from({}) == State()


def test_what_is_mended_ends_now():
    fault = Fault("fridge_warming", START_MS - 2 * HOUR_MS, START_MS + 5 * HOUR_MS)
    ill, mended = (Coach(5, START_MS, state=State(fridge=9.0), faults=[fault], schedule=False) for _ in range(2))
    mended.mend("water_leak")
    for coach in (ill, mended):
        coach.run(START_MS + 60 * MINUTE_MS)
    assert mended.state.fridge == ill.state.fridge > 8
    mended.mend("fridge_warming")
    for coach in (ill, mended):
        coach.run(START_MS + 120 * MINUTE_MS)
    assert ill.state.fridge > 8 > 7 > mended.state.fridge
    assert mended.faults(START_MS + 90 * MINUTE_MS, START_MS + 120 * MINUTE_MS) == []


def test_the_faults_of_a_span_are_listed_in_order():
    coach = Coach(5, START_MS)
    found = coach.faults(START_MS - 60 * DAY_MS, START_MS)
    assert len(found) > 8
    assert [fault.start_ms for fault in found] == sorted(fault.start_ms for fault in found)
    assert all(fault.end_ms > START_MS - 60 * DAY_MS and fault.start_ms < START_MS for fault in found)
    assert coach.faults(found[3].start_ms, found[3].start_ms + 1) == [found[3]]
