from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analytics.condition import UNCONFIRMED_MS, Condition


def test_it_starts_worsens_eases_and_ends_once_each() -> None:
    condition = Condition(need=1, hold_ms=0)
    steps = [(0, 0), (1, 1), (1, 1), (2, 2), (1, 2), (1, 1), (0, 1), (0, 0), (0, 0)]
    turns = [condition.step(entry, stay, "below", 0.0, i, i, 1) for i, (entry, stay) in enumerate(steps)]
    assert [turn.level if turn else None for turn in turns] == [None, 1, None, 2, None, 1, None, 0, None]
    assert condition.idle


def test_it_waits_for_enough_samples_and_enough_time() -> None:
    condition = Condition(need=3, hold_ms=5_000)
    assert condition.step(1, 1, "above", 9.0, 0, 0, 1) is None
    assert condition.step(1, 1, "above", 9.0, 5_000, 5_000, 1) is None
    turn = condition.step(1, 1, "above", 9.0, 6_000, 6_000, 1)
    assert turn is not None
    assert (turn.level, turn.start_ms, turn.at_ms, turn.samples) == (1, 0, 6_000, 3)


def test_an_ordinary_sample_in_between_starts_the_count_anew() -> None:
    condition = Condition(need=2, hold_ms=0)
    for at in range(0, 100, 2):
        assert condition.step(1, 1, "above", 9.0, at, at, 1) is None
        assert condition.step(0, 0, "none", 1.0, at + 1, at + 1, 1) is None


def test_time_alone_confirms_a_value_that_stands() -> None:
    condition = Condition(need=2, hold_ms=5_000)
    condition.step(1, 1, "above", 9.0, 0, 0, 1)
    assert condition.wait(UNCONFIRMED_MS - 1) is None
    turn = condition.wait(UNCONFIRMED_MS)
    assert turn is not None
    assert condition.wait(10**9) is None


def test_the_other_side_is_a_condition_of_its_own() -> None:
    condition = Condition(need=1, hold_ms=0)
    condition.step(1, 1, "above", 9.0, 0, 0, 1)
    turn = condition.step(1, 0, "below", -9.0, 7, 7, 1)
    assert turn is not None
    assert (turn.side, turn.start_ms) == ("below", 7)


@given(st.lists(st.sampled_from([(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)])), st.integers(1, 3), st.integers(0, 3))
def test_levels_never_repeat_and_start_from_nothing(steps: list[tuple[int, int]], need: int, hold: int) -> None:
    condition = Condition(need=need, hold_ms=hold)
    levels = [0]
    for at, (entry, stay) in enumerate(steps):
        turn = condition.step(entry, stay, "above", 0.0, at, at, 1)
        if turn is not None:
            levels.append(turn.level)
    assert all(a != b for a, b in pairwise(levels))
    assert condition.level == levels[-1]
