from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.tail import STILL, UNCLIPPED, Tail


def fed(values: np.ndarray) -> Tail:
    tail = Tail()
    for value in values.tolist():
        tail.surprise(value, 1e-9, 1e9, 1.0)
    return tail


def test_surprise_is_a_probability_on_noise(rng: np.random.Generator) -> None:
    """Of 20,000 normal numbers about 200 are as rare as one in a hundred, on one side or the other."""
    tail = Tail()
    surprises = [tail.surprise(value, 1e-9, 1e9, 1.0) for value in rng.normal(size=22_000).tolist()][2_000:]
    rare = sum(surprise >= 2.0 for surprise in surprises)
    assert 100 <= rare <= 450
    assert sum(surprise >= 4.5 for surprise in surprises) <= 6


def test_a_heavy_tail_is_prolonged_heavily(rng: np.random.Generator) -> None:
    normal, heavy = fed(rng.normal(size=5_000)), fed(rng.standard_t(2, size=5_000))
    assert normal.surprise(30.0, 1e-9, 1e9, 1.0) > 5.5
    assert heavy.surprise(float(rng.standard_t(2, size=5_000).max()), 1e-9, 1e9, 1.0) < 5.0


def test_nobody_is_surprised_before_there_is_a_past() -> None:
    tail = Tail()
    assert [tail.surprise(value, 0.0, 1e9, 1.0) for value in (1.0, 50.0, 1e9)] == [0.0, 0.0, 0.0]


def test_what_never_moved_has_no_scale_to_be_far_by() -> None:
    tail = fed(np.full(UNCLIPPED + 10, 7.0))
    assert tail.surprise(8.0, 1e-9, 1e9, 1.0) <= STILL


def test_it_says_the_same_after_a_restart(rng: np.random.Generator) -> None:
    tail, restored = fed(rng.normal(size=400)), Tail()
    restored.unpack(tail.pack())
    later = rng.normal(0, 4, 50).tolist()
    one = [tail.surprise(value, 1e-9, 1e9, 1.0) for value in later]
    assert [restored.surprise(value, 1e-9, 1e9, 1.0) for value in later] == one


def test_weights_may_be_lightened(rng: np.random.Generator) -> None:
    values = rng.normal(size=500)
    plain, light = fed(values), fed(values)
    light.lighten(0.5)
    assert light.surprise(5.0, 1e-9, 1e9, 0.5) == pytest.approx(plain.surprise(5.0, 1e-9, 1e9, 1.0), abs=1e-3)


@given(st.lists(st.floats(-1e140, 1e140), max_size=100), st.floats(0, 1e100))
def test_any_tame_numbers_give_finite_surprises(values: list[float], floor: float) -> None:
    tail = Tail()
    for value in values:
        assert 0.0 <= tail.surprise(value, floor + 1e-3, 500.0, 1.0) <= 12.0
