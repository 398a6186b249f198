from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rarity import BINS, FIRST_CHANGE, WARM_UP, Rarity


def fed(values: np.ndarray | list[float]) -> Rarity:
    rarity = Rarity(32, (1, 2))
    for value in np.asarray(values, dtype=float).tolist():
        rarity.surprise(value, 1.0)
    return rarity


def test_the_usual_is_no_surprise_and_the_new_is(rng: np.random.Generator) -> None:
    rarity = fed(rng.normal(20, 1, 3_000))
    assert rarity.surprise(20.0, 1.0) == 0.0
    assert rarity.surprise(60.0, 1.0) > 5.0


def test_a_metric_that_wanders_by_habit_surprises_less(rng: np.random.Generator) -> None:
    walk = rng.normal(0, 1, 3_000).cumsum()
    steady, wanderer = fed(rng.normal(0, 1, 3_000)), fed(walk)
    new = float(walk.max()) + 5.0
    assert wanderer.surprise(new, 1.0) < 0.8 * steady.surprise(30.0, 1.0)


@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e6])
def test_scale_and_sign_change_nothing(rng: np.random.Generator, factor: float) -> None:
    values = np.append(rng.normal(0, 1, 500), 9.0)
    plain, scaled = Rarity(32, (1, 2)), Rarity(32, (1, 2))
    one = [plain.surprise(value, 1.0) for value in values.tolist()]
    other = [scaled.surprise(value * factor, 1.0) for value in values.tolist()]
    assert other[-1] == pytest.approx(one[-1], abs=0.8)  # the bins of the mirror image do not fall quite the same


def test_the_first_change_of_what_never_moved_is_mild() -> None:
    rarity = fed([7.0] * (3 * WARM_UP))
    assert rarity.surprise(8.0, 1.0) == 2 * FIRST_CHANGE


def test_what_faded_is_new_again(rng: np.random.Generator) -> None:
    rarity = fed(np.append(rng.normal(0, 1, 2_000), [40.0] * 40))
    known = rarity.surprise(40.0, 1.0)
    for _ in range(8):
        rarity.fade(0.4)
    assert rarity.surprise(40.0, 1.0) > known


def test_it_says_the_same_after_a_restart(rng: np.random.Generator) -> None:
    rarity, restored = fed(rng.normal(0, 1, 800)), Rarity(32, (1, 2))
    restored.unpack(rarity.pack())
    later = rng.normal(0, 3, 100).tolist()
    assert [restored.surprise(value, 1.1) for value in later] == [rarity.surprise(value, 1.1) for value in later]


def test_what_an_earlier_version_learned_is_taken_over(rng: np.random.Generator) -> None:
    rarity, restored = fed(rng.normal(0, 1, 800)), Rarity(32, (1, 2))
    *others, counts, sums = rarity.pack()
    restored.unpack([*others, [np.diff(each, prepend=0.0).tolist() for each in sums], counts])
    later = rng.normal(0, 3, 100).tolist()
    assert [restored.surprise(value, 1.1) for value in later] == [rarity.surprise(value, 1.1) for value in later]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200))
def test_any_finite_numbers_give_finite_surprises(values: list[float]) -> None:
    rarity = Rarity(64, (2,))
    for value in values:
        assert 0.0 <= rarity.surprise(value, 1.0) < 10.0
    assert len(rarity.pack()[-2]) in (0, 2 * BINS)
