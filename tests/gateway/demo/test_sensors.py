"""Faults of sensors: what is sent changes, the truth does not."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.demo.coach import DAY_MS, Coach
from gateway.demo.faults import Fault
from gateway.demo.samples import history_parts
from gateway.demo.sensors import NOISE_AT_WORST, SENSOR_FAULTS
from gateway.demo.signals import SIGNALS

HOUR_MS = 3_600_000


def signal(name):
    return next(each for each in SIGNALS if each.name == name)


def both(now_ms, fault, hours=12):
    return [Coach(9, now_ms, faults=faults, schedule=False).run(now_ms + hours * HOUR_MS) for faults in ((), (fault,))]


@pytest.mark.parametrize("kind", SENSOR_FAULTS)
def test_the_truth_is_not_touched(now_ms, kind):
    sound, faulty = both(now_ms, Fault(kind, now_ms + HOUR_MS, now_ms + 3 * HOUR_MS))
    for name, values in sound.columns.items():
        assert np.array_equal(values, faulty.columns[name]), name


def test_without_power_nothing_is_sent(now_ms):
    fault = Fault("power_loss", now_ms + HOUR_MS, now_ms + 2 * HOUR_MS)
    for part in history_parts(both(now_ms, fault)[1], 60_000):
        assert not ((part.times >= fault.start_ms) & (part.times < fault.end_ms)).any(), part.name


def test_a_loose_wire_is_noise_around_the_truth(now_ms):
    fault = Fault("sensor_noisy", now_ms + HOUR_MS, now_ms + 11 * HOUR_MS, severity=0.5)
    sound, faulty = both(now_ms, fault)
    rear = signal(fault.metric)
    noise = faulty.measure(rear, faulty.times)[1] - sound.measure(rear, sound.times)[1]
    active = (sound.times >= fault.start_ms) & (sound.times < fault.end_ms)
    assert not noise[~active].any()
    assert noise[active].std() == pytest.approx(NOISE_AT_WORST / 2, rel=0.15)
    assert abs(noise[active].mean()) < 0.3


def test_a_stuck_sensor_says_what_it_said_first_in_every_stretch(now_ms):
    fault = Fault("sensor_stuck", now_ms + HOUR_MS, now_ms + 2 * DAY_MS)
    coach = Coach(9, now_ms, faults=[fault], schedule=False)
    fresh = signal("tank.fresh.level")
    said = set()
    for hours in (4, 20, 40):
        stretch = coach.run(now_ms + hours * HOUR_MS)
        times = stretch.times[stretch.times >= fault.start_ms]
        said.update(stretch.measure(fresh, times)[1].tolist())
        assert np.ptp(stretch.columns["fresh"]) > 0
    assert len(said) == 1
