from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.anomaly import VIEWS, AnomalyScore

Noise = Callable[[str, int], np.ndarray]
START_S = 1_700_000_000.0


def scores(values: np.ndarray, step_s: float = 300.0, scorer: AnomalyScore | None = None) -> list[float]:
    scorer = scorer or AnomalyScore()
    return [
        scorer.take(at, at, value)
        for at, value in zip(START_S + np.arange(len(values)) * step_s, values.tolist(), strict=True)
    ]


def test_noise_scores_low_and_a_jump_high(noise: Noise) -> None:
    values = 20 + noise("white", 3_000)
    values[2_500:] += 12
    got = scores(values)
    assert np.quantile(got[500:2_500], 0.99) < 3.0
    assert max(got[2_500:2_505]) > 5.0


def test_a_change_of_rhythm_scores(noise: Noise) -> None:
    values = 20 + noise("white", 4_000)
    values[3_500:] = 20 + 5 * noise("white", 500)
    assert max(scores(values)[3_500:3_530]) > 5.0


@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e6])
def test_unit_and_sign_change_nothing(noise: Noise, factor: float) -> None:
    values = noise("white", 2_000)
    values[1_900:1_905] += 15
    one, other = np.array(scores(values)), np.array(scores(values * factor))
    assert abs(one[1_880:].max() - other[1_880:].max()) < 1.0


def test_nothing_looks_ahead(noise: Noise) -> None:
    values = noise("ar0.95", 2_000)
    assert scores(values[:1_000]) == scores(values)[:1_000]


def test_the_state_is_small_and_survives_a_restart(noise: Noise) -> None:
    values = noise("walk", 4_000)
    scorer, restored = AnomalyScore(), AnomalyScore()
    scores(values, scorer=scorer)
    state = scorer.pack()
    assert _size(state) < 16_000
    restored.unpack(state)
    later = noise("walk", 200) + values[-1]
    at = START_S + 4_000 * 300.0
    for step, value in enumerate(later.tolist()):
        assert restored.take(at + step, at + step, value) == scorer.take(at + step, at + step, value)
    assert len(scorer.z) == len(scorer.tails) == len(VIEWS)


def test_what_an_earlier_version_learned_is_taken_over(noise: Noise) -> None:
    scorer, restored = AnomalyScore(), AnomalyScore()
    scores(noise("walk", 400), scorer=scorer)
    restored.unpack(scorer.pack()[:-1])  # it had no echo
    assert restored.count == scorer.count == 400


def _size(state: object) -> int:
    """Bytes of all containers and buffers, numbers at eight."""
    if isinstance(state, list):
        return sys.getsizeof([]) + sum(8 + _size(each) for each in state)
    return len(state) if isinstance(state, bytes) else 8


def test_memory_is_in_time(noise: Noise) -> None:
    """A level that was normal four months ago is news again; one of the week before last is less so."""
    surprise = {}
    for first in (100, 24 * 120 - 350):
        values = noise("white", 24 * 120)
        values[first : first + 100] += 30
        surprise[first] = scores(np.append(values, 30.0), 3600.0)[-1]
    long_ago, lately = surprise.values()
    assert long_ago > lately + 0.5


@settings(deadline=None)
@given(st.lists(st.floats(-1e140, 1e140), min_size=1, max_size=80), st.sampled_from([0.1, 60.0, 90_000.0]))
def test_any_tame_series_has_finite_scores(values: list[float], step_s: float) -> None:
    assert all(0.0 <= score < 100.0 for score in scores(np.array(values * 3), step_s))
