"""A clock that jumps must not purge history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.clock import PROBATION_MS, TOLERANCE_MS, TrustedClock

HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS
START_MS = 1_700_000_000_000


class Hands:
    """A wall clock and a monotonic clock, both moved by hand."""

    def __init__(self) -> None:
        self.wall_ms = START_MS
        self.running_s = 100.0
        self.clock = TrustedClock(lambda: self.wall_ms, lambda: self.running_s)

    def tick(self, ms: int) -> None:
        self.wall_ms += ms
        self.running_s += ms / 1000


def test_a_good_clock_is_followed() -> None:
    hands = Hands()
    for _ in range(100):
        hands.tick(HOUR_MS)
        assert hands.clock.now_ms() == hands.clock.horizon_ms() == hands.wall_ms
        assert hands.clock.trusted


def test_five_years_ahead_moves_the_horizon_by_five_minutes() -> None:
    hands = Hands()
    hands.wall_ms += 5 * YEAR_MS
    assert hands.clock.now_ms() == START_MS + 5 * YEAR_MS
    assert hands.clock.horizon_ms() == START_MS + TOLERANCE_MS
    assert not hands.clock.trusted
    hands.tick(HOUR_MS)
    assert hands.clock.horizon_ms() == START_MS + TOLERANCE_MS + HOUR_MS


def test_a_new_time_is_believed_after_a_day() -> None:
    hands = Hands()
    hands.wall_ms += YEAR_MS
    hands.clock.horizon_ms()
    hands.tick(PROBATION_MS - 1)
    assert hands.clock.horizon_ms() < hands.wall_ms - YEAR_MS + 2 * TOLERANCE_MS
    hands.tick(1)
    hands.clock.horizon_ms()
    assert hands.clock.horizon_ms() == hands.wall_ms
    assert hands.clock.trusted


def test_a_clock_that_keeps_jumping_is_never_believed() -> None:
    hands = Hands()
    for _ in range(20):
        hands.wall_ms += 24 * HOUR_MS
        for _ in range(10):
            hands.tick(HOUR_MS)
            hands.clock.horizon_ms()
    assert hands.clock.horizon_ms() == START_MS + 200 * HOUR_MS + TOLERANCE_MS


def test_set_back_an_hour_deletes_less_not_more() -> None:
    hands = Hands()
    hands.wall_ms -= HOUR_MS
    assert hands.clock.horizon_ms() == START_MS - HOUR_MS
    assert not hands.clock.trusted
    hands.wall_ms += HOUR_MS
    assert hands.clock.horizon_ms() == START_MS
    assert hands.clock.trusted


def test_a_jump_that_is_corrected_leaves_nothing_behind() -> None:
    hands = Hands()
    hands.wall_ms += YEAR_MS
    hands.clock.horizon_ms()
    hands.tick(23 * HOUR_MS)
    hands.wall_ms -= YEAR_MS
    assert hands.clock.horizon_ms() == hands.wall_ms
    hands.wall_ms += YEAR_MS
    hands.tick(2 * HOUR_MS)
    assert hands.clock.horizon_ms() == hands.wall_ms - YEAR_MS + TOLERANCE_MS  # probation began anew


@given(st.lists(st.tuples(st.integers(-YEAR_MS, YEAR_MS), st.integers(0, HOUR_MS)), max_size=20))
def test_within_a_day_the_horizon_is_never_ahead_of_the_running_time(jumps: list[tuple[int, int]]) -> None:
    hands = Hands()
    begin_s = hands.running_s
    for jump_ms, pause_ms in jumps:
        hands.wall_ms += jump_ms
        hands.tick(pause_ms)
        allowed_ms = START_MS + (hands.running_s - begin_s) * 1000 + TOLERANCE_MS
        assert hands.clock.horizon_ms() <= min(hands.wall_ms, allowed_ms + 1)
