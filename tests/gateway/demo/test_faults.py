"""The ground truth: scheduled by seed, listable, and visible in what the coach does."""

from __future__ import annotations

import numpy as np

from gateway.demo.coach import DAY_MS, Coach
from gateway.demo.days import make_day
from gateway.demo.faults import KINDS, SCHEDULED, SENTENCES, Fault, effects, fresh_faults, scheduled
from gateway.demo.signals import SIGNALS

HOUR_MS = 3_600_000


def test_the_schedule_is_the_seeds():
    days = range(20_600, 20_900)
    assert [scheduled(1, day, 0) for day in days] == [scheduled(1, day, 0) for day in days]
    assert [scheduled(1, day, 0) for day in days] != [scheduled(2, day, 0) for day in days]


def test_at_most_two_a_week_and_every_kind_in_a_year():
    found = [fault for day in range(20_600, 20_965) for fault in scheduled(1, day, 0)]
    assert {fault.kind for fault in found} == set(SCHEDULED)
    for week in range(20_600 // 7 + 1, 20_965 // 7):
        assert sum(len(scheduled(1, 7 * week + at, 0)) for at in range(7)) <= 2


def test_every_fault_shows_in_a_signal_and_has_words():
    names = {signal.name for signal in SIGNALS}
    for kind in KINDS:
        fault = Fault(kind, 0, 1)
        assert fault.metric in names
        assert fault.sentence == SENTENCES[kind]


def test_a_brownout_needs_shore_power():
    for day in range(20_600, 20_965):
        for fault in scheduled(1, day, 0):
            if fault.kind == "shore_brownout":
                begin = (fault.start_ms - day * DAY_MS) // 60_000
                assert make_day(1, day).shore[begin : begin + 45].all()


def test_effects_last_as_long_as_the_fault():
    start_ms = 20_600 * DAY_MS
    leak = Fault("water_leak", start_ms + HOUR_MS, start_ms + 2 * HOUR_MS)
    assert np.flatnonzero(effects([leak], start_ms).leak).tolist() == list(range(60, 120))
    assert not effects([leak], start_ms + DAY_MS).leak.any()
    assert (effects([], start_ms).fridge_cooling == 1).all()


def test_the_refrigerator_warms_and_recovers(now_ms):
    start_ms = now_ms - 12 * HOUR_MS
    fault = Fault("fridge_warming", start_ms + 2 * HOUR_MS, start_ms + 8 * HOUR_MS)
    coach = Coach(9, start_ms, faults=(fault,))
    before, during, after = (coach.run(start_ms + hours * HOUR_MS).columns["fridge"] for hours in (2, 8, 12))
    assert before.max() < 5
    assert during[-1] > 8
    assert after[-1] < 6


def test_a_leak_empties_the_tank_faster_than_people_do(now_ms):
    fault = Fault("water_leak", now_ms, now_ms + 4 * HOUR_MS)
    sound, leaking = (Coach(9, now_ms, faults=faults).run(now_ms + 4 * HOUR_MS) for faults in ((), (fault,)))
    lost = sound.columns["fresh"][-1] - leaking.columns["fresh"][-1]
    assert abs(lost - 100 * 4 * 12 / 300) < 0.5  # 12 L an hour of 300 L
    assert leaking.columns["gray"][-1] == sound.columns["gray"][-1]


def test_a_silent_sensor_sends_nothing(now_ms):
    fault = Fault("sensor_silent", now_ms + HOUR_MS, now_ms + 2 * HOUR_MS)
    stretch = Coach(9, now_ms, faults=(fault,)).run(now_ms + 3 * HOUR_MS)
    exterior = next(signal for signal in SIGNALS if signal.name == "exterior.temperature")
    times, values = stretch.measure(exterior, stretch.times)
    assert len(times) == len(values) == len(stretch.times) - 60
    assert not ((times >= fault.start_ms) & (times < fault.end_ms)).any()


def test_two_fresh_faults_for_who_starts_now(now_ms):
    warming, leak = fresh_faults(now_ms)
    assert warming.start_ms < now_ms < leak.start_ms < min(warming.end_ms, leak.end_ms)
