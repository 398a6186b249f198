"""The coach's log: what a slot says, what waits, what is held, and bounds."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import MetricSpec
from analytics.coach_log import CAPACITY, HELD_SLOTS, MAX_TRACKS, SLOT_MS, STORE_SLOTS, CoachLog, Track, is_logged

GAUGE = MetricSpec(role="battery_voltage")
STATE = MetricSpec(role="furnace_state", kind="state")
LEVEL = MetricSpec(role="fresh_tank", intermittent=True)
FIRST = 6_000_000  # a slot
START_MS = FIRST * SLOT_MS


def taken(spec: MetricSpec, times: list[int], values: list[float], slots: int, log: CoachLog | None = None) -> Track:
    log = CoachLog() if log is None else log
    log.take("m", spec, START_MS + np.array(times, dtype=np.int64), np.array(values), START_MS + slots * SLOT_MS)
    return next(iter(log.tracks(FIRST + slots, slots)))


def test_temperatures_are_read_in_celsius_alone() -> None:
    said = [None, "°C", "Celsius", "°F", "K"]
    inside = [MetricSpec(role="interior_temperature", unit=unit) for unit in said]
    assert [is_logged(spec) for spec in inside] == [True, True, True, False, False]


def test_a_slot_of_a_gauge() -> None:
    track = taken(GAUGE, [0, 60_000, 120_000, 180_000, SLOT_MS], [1.0, 2.0, 4.0, 1.0, 9.0], 2)
    assert track.mean.tolist() == [2.0, 9.0]
    assert (track.low[0], track.high[0]) == (1.0, 4.0)
    assert track.rough[0] == 2.0  # 1, 2, 3 apart
    assert np.isnan(track.rough[1])


def test_a_slot_without_samples_is_unknown_and_a_level_stands() -> None:
    assert np.isnan(taken(GAUGE, [0], [1.0], 3).mean).tolist() == [False, True, True]
    sent_on_change = MetricSpec(pattern="m", role="shore_voltage", intermittent=True)
    for spec, slots in ((sent_on_change, HELD_SLOTS), (LEVEL, STORE_SLOTS)):
        held = taken(spec, [0], [55.5], slots + 5).mean
        assert held[:slots].tolist() == [55.5] * slots
        assert np.isnan(held[slots:]).all()


def test_a_level_stands_from_one_take_to_the_next() -> None:
    log = CoachLog()
    taken(LEVEL, [0], [55.5], 2, log)
    assert taken(LEVEL, [4 * SLOT_MS], [50.0], 5, log).mean.tolist() == [55.5] * 4 + [50.0]


def test_a_state_is_the_share_of_time_and_its_starts() -> None:
    track = taken(STATE, [0, 30_000, 90_000, 150_000, 210_000], [0, 1, 0, 1, 0], 2)
    assert track.mean.tolist() == pytest.approx([0.4, 0.0])
    assert track.starts.tolist() == [2.0, 0.0]


def test_a_state_holds_over_the_border_of_takes_and_starts_once() -> None:
    log = CoachLog()
    taken(STATE, [SLOT_MS - 60_000], [1.0], 1, log)
    track = taken(STATE, [SLOT_MS + 60_000], [0.0], 2, log)
    assert track.mean[1] == pytest.approx(0.2)
    assert track.starts[1] == 0


def test_what_was_counted_is_not_counted_again_and_what_is_unfinished_waits() -> None:
    log = CoachLog()
    log.take("m", GAUGE, np.array([START_MS, START_MS + SLOT_MS]), np.array([1.0, 5.0]), START_MS + SLOT_MS + 1000)
    assert log.end_slot == FIRST + 1
    assert log.wanted_from_ms("m") == START_MS + SLOT_MS
    track = taken(GAUGE, [0, SLOT_MS, SLOT_MS + 1000], [77.0, 5.0, 7.0], 2, log)
    assert track.mean.tolist() == [1.0, 6.0]


def test_in_many_steps_as_in_one() -> None:
    dice = np.random.default_rng(3)
    times = START_MS + np.sort(dice.choice(200 * SLOT_MS, 900, replace=False)).astype(np.int64)
    for spec in (GAUGE, STATE, LEVEL):
        values = dice.integers(0, 2, 900).astype(float) if spec is STATE else dice.normal(size=900)
        once, often = CoachLog(), CoachLog()
        once.take("m", spec, times, values, START_MS + 200 * SLOT_MS)
        for slots in range(1, 201):
            often.take("m", spec, times, values, START_MS + slots * SLOT_MS)
        one, other = (next(iter(log.tracks(FIRST + 200, 200))) for log in (once, often))
        for row in ("mean", "low", "high", "starts", "rough"):
            assert np.array_equal(getattr(one, row), getattr(other, row), equal_nan=True), (spec.role, row)


def test_it_forgets_what_is_older_than_two_weeks() -> None:
    log = CoachLog()
    taken(GAUGE, [0], [1.0], 1, log)
    end = CAPACITY + 10
    log.take("m", GAUGE, np.array([START_MS + (end - 1) * SLOT_MS]), np.array([2.0]), START_MS + end * SLOT_MS)
    track = next(iter(log.tracks(FIRST + end)))
    assert len(track.mean) == CAPACITY
    assert np.flatnonzero(np.isfinite(track.mean)).tolist() == [CAPACITY - 1]


def test_the_past_can_be_asked_for() -> None:
    log = CoachLog()
    taken(GAUGE, [slot * SLOT_MS for slot in range(10)], list(range(10)), 10, log)
    assert next(iter(log.tracks(FIRST + 4, 3))).mean.tolist() == [1.0, 2.0, 3.0]


def test_never_more_metrics_than_its_bound() -> None:
    log = CoachLog()
    for number in range(MAX_TRACKS + 5):
        log.take(f"m{number}", GAUGE, np.array([START_MS]), np.array([1.0]), START_MS + SLOT_MS)
    assert len(log) == MAX_TRACKS
    assert log.names()[0] == "m0"
    assert log.wanted_from_ms(f"m{MAX_TRACKS}") is None


@pytest.mark.parametrize("ahead", [0, 3])
def test_what_another_log_knows_counts_and_the_rest_stays(ahead: int) -> None:
    log, other = CoachLog(), CoachLog()
    taken(GAUGE, [0, SLOT_MS, 2 * SLOT_MS], [1.0, 2.0, 3.0], 5, log)
    taken(GAUGE, [SLOT_MS, 3 * SLOT_MS], [20.0, 40.0], 5 + ahead, other)
    other.take("new", GAUGE, START_MS + np.array([0]), np.array([7.0]), START_MS + SLOT_MS)
    log.adopt(other)
    assert log.end_slot == FIRST + 5 + ahead
    tracks = {track.name: track for track in log.tracks(FIRST + 8, 8)}
    np.testing.assert_array_equal(tracks["m"].mean, [1.0, 20.0, 3.0, 40.0] + [np.nan] * 4)
    assert tracks["new"].mean[0] == 7.0


def test_what_is_two_weeks_old_is_not_taken_for_new() -> None:
    log, other = CoachLog(), CoachLog()
    taken(GAUGE, [0], [1.0], 1, log)
    taken(GAUGE, [CAPACITY * SLOT_MS + SLOT_MS], [2.0], CAPACITY + 2, other)
    log.adopt(other)
    (track,) = log.tracks(FIRST + CAPACITY + 2)
    assert track.mean[-1] == 2.0
    assert np.isnan(track.mean[:-1]).all()
