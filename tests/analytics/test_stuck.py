from __future__ import annotations

import numpy as np
import pytest

from analytics.stuck import LEAST_TICKS, Stuck

DAY_S = 86_400.0


def lived(stuck: Stuck, values: np.ndarray | list[float], start_s: float = 0.0, step_s: float = 60.0) -> list[float]:
    """The times at which it became stuck or came loose."""
    turns = []
    for index, value in enumerate(np.asarray(values, dtype=float).tolist()):
        at_s = start_s + index * step_s
        if stuck.take(at_s, value, moved=False):
            turns.append(at_s)
    return turns


def test_a_sensor_that_always_trembled_is_stuck_when_it_stops_until_it_moves(rng: np.random.Generator) -> None:
    stuck = Stuck()
    assert lived(stuck, rng.normal(20, 1, 1_000)) == []
    began, ended = lived(stuck, [20.0] * 200 + [21.0], 60_000.0)
    assert began == 60_000.0 + LEAST_TICKS * 60.0
    assert ended == 60_000.0 + 200 * 60.0
    assert stuck.since_s is None


def test_a_coarse_sensor_may_rest_longer(rng: np.random.Generator) -> None:
    stuck = Stuck()
    coarse = np.repeat(rng.permutation(np.tile(np.arange(20.0, 25.0), 40)), rng.integers(1, 40, 200))
    assert lived(stuck, coarse) == []
    assert lived(stuck, [22.0] * 60, len(coarse) * 60.0) == []


@pytest.mark.parametrize("rest", [0.0, 95.0])
def test_what_rests_at_an_end_of_its_range_is_no_sensor_gone(rng: np.random.Generator, rest: float) -> None:
    """A panel in its first night."""
    stuck = Stuck()
    lived(stuck, np.append(rng.uniform(5, 95, 700), rest))
    assert lived(stuck, [rest] * 600, 701 * 60.0) == []


@pytest.mark.parametrize(("rest", "is_stuck"), [(0.0, False), (100.0, False), (50.0, True)])
def test_what_is_off_or_full_may_rest_for_weeks(rng: np.random.Generator, rest: float, is_stuck: bool) -> None:
    """Shore power that is not plugged in, a battery that is kept charged; and a sensor, ten days after it was met."""
    stuck = Stuck()
    lived(stuck, np.append(rng.uniform(0, 100, 1_440), rest), step_s=600.0)
    assert bool(lived(stuck, [rest] * 1_440, 1_441 * 600.0, 600.0)) is is_stuck


def test_what_trembles_within_a_tick_is_not_stuck(rng: np.random.Generator) -> None:
    stuck = Stuck()
    lived(stuck, rng.normal(20, 1, 1_000))
    assert not any(stuck.take(60_000.0 + index * 60.0, 20.0, moved=True) for index in range(200))


def test_it_knows_its_habits_after_a_restart(rng: np.random.Generator) -> None:
    stuck, restored = Stuck(), Stuck()
    lived(stuck, rng.normal(20, 1, 1_000))
    restored.unpack(stuck.pack())
    assert len(lived(restored, [20.0] * 100, 60_000.0)) == 1
