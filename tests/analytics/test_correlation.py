from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from analytics import correlation
from analytics.correlation import correlations

Noise = Callable[[str, int], np.ndarray]
MINUTE = 60_000
START = 1_700_000_040_000


def minutes(count: int) -> np.ndarray:
    return START + np.arange(count, dtype=np.int64) * MINUTE


@pytest.mark.parametrize("kind", ["white", "ar0.9", "ar0.98", "walk", "lognormal"])
@pytest.mark.parametrize("count", [40, 300])
def test_unrelated_noise_is_not_related(noise: Noise, kind: str, count: int) -> None:
    sets = [correlations({f"m{i}": (minutes(count), noise(kind, count)) for i in range(8)}) for _ in range(10)]
    assert sum(map(len, sets)) <= 1


def test_two_lines_are_not_related_for_rising_both(noise: Noise) -> None:
    rising = {f"m{i}": (minutes(300), np.arange(300.0) + 3 * noise("white", 300)) for i in range(3)}
    assert correlations(rising) == []


def test_a_delayed_mirror_image_is_found_with_its_lag(noise: Noise) -> None:
    cause = noise("ar0.8", 500)
    effect = -3 * cause + 0.5 * noise("white", 500)
    [found] = correlations(
        {
            "effect": (minutes(500) + 5 * MINUTE, effect),
            "cause": (minutes(500), cause),
            "other": (minutes(500), noise("ar0.8", 500)),
        }
    )
    assert (found.metric_a, found.metric_b) == ("cause", "effect")
    assert found.lag_ms == 5 * MINUTE
    assert found.coefficient < -0.9
    assert found.p_value < 1e-6


def test_a_lag_of_whole_samples_is_exact_however_long_the_series(noise: Noise) -> None:
    cause = noise("ar0.8", 1_728)
    series = {"cause": (minutes(1_728), cause), "effect": (minutes(1_728) + 6 * MINUTE, -cause)}
    [found] = correlations(series)
    assert (found.metric_a, found.lag_ms) == ("cause", 6 * MINUTE)
    assert found.coefficient < -0.99


def test_other_cadences_and_gaps_do_not_matter(noise: Noise, rng: np.random.Generator) -> None:
    cause = noise("ar0.9", 600)
    thinned = np.sort(rng.choice(600, 400, replace=False))
    thinned = thinned[(thinned < 200) | (thinned > 260)]
    series = {"a": (minutes(600), cause), "b": (minutes(600)[thinned] + 7_000, 2 * cause[thinned])}
    assert [found.lag_ms for found in correlations(series)] == [0]


def test_the_matrix_against_numpy_pair_by_pair(rng: np.random.Generator) -> None:
    data, mask = rng.normal(size=(4, 200)), (rng.random((4, 200)) < 0.7) * 1.0
    data *= mask
    for lag in (0, 3):
        coefficients, common = correlation._at_lag(data, mask, lag)
        for a, b in itertools.product(range(4), range(4)):
            both = (mask[a, : 200 - lag] * mask[b, lag:]) > 0
            expected = np.corrcoef(data[a, : 200 - lag][both], data[b, lag:][both])[0, 1]
            assert coefficients[a, b] == pytest.approx(expected)
            assert common[a, b] == both.sum()


def test_benjamini_hochberg_by_hand() -> None:
    pairs = [(0.001, 0, 1), (0.0049, 0, 2), (0.5, 1, 2), (0.0076, 1, 3)]
    assert [p for p, _, _ in correlation._discoveries(pairs)] == [0.001, 0.0049]  # limits .0025, .005, .0075, .01
    assert correlation._discoveries([(0.02, 0, 1)]) == []


def test_still_huge_short_and_empty_series() -> None:
    wave = np.sin(np.arange(300) / 7.0) * 1e300
    series = {
        "still": (minutes(300), np.ones(300)), "huge": (minutes(300), wave), "two": (minutes(2), np.ones(2)),
        "empty": (minutes(0), np.ones(0)), "moment": (np.full(50, START), np.arange(50.0)),
    }  # fmt: skip
    assert correlations(series) == []
    assert correlations({}) == []
    together = correlations({"a": (minutes(300), wave), "b": (minutes(300), -wave)})
    assert all(found.coefficient == -1.0 for found in together)


def test_the_answer_is_bounded(noise: Noise) -> None:
    base = noise("ar0.5", 200)
    series = {f"m{i}": (minutes(200), base + 0.1 * noise("white", 200)) for i in range(12)}
    assert len(correlations(series, limit=20)) == 20
