"""The intake: what may enter, in which order, and when it came."""

from __future__ import annotations

from math import inf, nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from storage.intake import NOT_FINITE, TOO_OLD, ArrivalLog, in_order, missing, rising, sift
from storage.models import SeriesPart, Window


def part(times: list[int], values: list[float]) -> SeriesPart:
    return SeriesPart("a", np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))


def test_bad_samples_are_refused_one_by_one() -> None:
    times, values, rejected = sift(part([5, -1, 7, 106, 8], [1.0, 2.0, nan, 4.0, -inf]), 105, 100_000)
    assert times.tolist() == [5]
    assert values.tolist() == [1.0]
    assert rejected == (
        (1, TOO_OLD),
        (2, NOT_FINITE),
        (3, "timestamp lies more than 100 s in the future"),
        (4, NOT_FINITE),
    )


def test_good_samples_pass_as_they_are() -> None:
    given_part = part([5, 3], [1.0, 2.0])
    times, values, rejected = sift(given_part, 5, 0)
    assert times is given_part.times
    assert values is given_part.values
    assert rejected == ()


def test_in_order() -> None:
    assert in_order(part([5, 6], [1, 1]), 4, 6)
    assert not in_order(part([5, 6], [1, 1]), 5, 6)
    assert not in_order(part([5, 7], [1, 1]), 4, 6)
    assert not in_order(part([5, 5], [1, 1]), 4, 6)
    assert not in_order(part([5, 6], [1, nan]), 4, 6)


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 9)), min_size=1, max_size=40))
def test_rising_sorts_and_the_last_of_equal_times_wins(samples: list[tuple[int, float]]) -> None:
    given_part = part([time for time, _ in samples], [value for _, value in samples])
    times, values = rising(given_part.times, given_part.values)
    assert list(zip(times.tolist(), values.tolist(), strict=True)) == sorted(dict(samples).items())


def test_arrival_is_known_to_ten_seconds() -> None:
    log = ArrivalLog()
    for seq in range(1, 61):
        log.note(seq * 1_000, seq)
    assert log.up_to(0) == 0
    assert log.up_to(30_999) in range(21, 31)
    assert log.up_to(60_000) in range(51, 61)


def test_arrival_after_the_clock_was_set_back() -> None:
    log = ArrivalLog()
    log.note(100_000, 1)
    log.note(10_000_000, 2)  # an hour and more ahead
    log.note(10_050_000, 3)
    log.note(120_000, 4)  # back
    assert log.up_to(119_999) == 1
    assert log.up_to(120_000) >= 2
    log.note(140_000, 5)
    assert log.up_to(140_000) == 5


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=60), st.integers(0, 200_000))
def test_nothing_is_said_to_have_arrived_before_it_did(clock: list[int], cutoff: int) -> None:
    log = ArrivalLog()
    for seq, now_ms in enumerate(clock, 1):
        log.note(now_ms, seq)
    # A sample's arrival is at most the latest moment at which the clock, set back, still showed an earlier time.
    latest = {seq: min(clock[seq - 1 :]) for seq in range(1, len(clock) + 1)}
    arrived = log.up_to(cutoff)
    assert all(latest[seq] <= cutoff for seq in range(1, arrived + 1))


def test_what_is_kept_already_is_not_missing():
    window = Window(np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0]))
    times, values = missing(window, Window(np.array([2, 4]), np.array([9.0, 9.0])))
    assert (times.tolist(), values.tolist()) == ([1, 3], [1.0, 3.0])
