from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analytics.catalogue import MetricSpec
from analytics.records import FindingKind
from analytics.retrospect import look_back

Noise = Callable[[str, int], np.ndarray]
TIMES = 1_700_000_000_000 + np.arange(3_000, dtype=np.int64) * 300_000


def test_a_step_is_one_anomaly_at_the_moment_it_was_known(noise: Noise) -> None:
    values = 20 + 0.5 * noise("white", 3_000)
    values[2_500:] += 15
    [found] = look_back(TIMES, values).anomalies
    assert (found.kind, found.side, found.at_ms) == (FindingKind.STEP, "above", TIMES[2_500])
    assert 0.8 < found.score <= 1.0


def test_nothing_looks_ahead(noise: Noise) -> None:
    values = noise("ar0.95", 3_000)
    values[2_000] += 40
    values[2_900] += 60
    whole, part = look_back(TIMES, values), look_back(TIMES[:2_500], values[:2_500])
    assert [each for each in whole.anomalies if each.at_ms < TIMES[2_500]] == part.anomalies
    assert [each for each in whole.candidates if each.at_ms < TIMES[2_500]] == part.candidates


def test_a_hole_is_missing_data(noise: Noise) -> None:
    kept = np.r_[0:1_000, 1_200:3_000]
    [found] = look_back(TIMES[kept], noise("white", 3_000)[kept]).anomalies
    assert found.kind is FindingKind.MISSING
    assert found.start_ms == TIMES[999]
    assert TIMES[999] < found.at_ms < TIMES[1_200]


def test_an_implausible_stretch_is_told_once_and_left_out(noise: Noise) -> None:
    values = 50 + noise("white", 3_000)
    values[2_000:2_010] = 255.0
    [found] = look_back(TIMES, values, MetricSpec(plausible_low=0, plausible_high=110)).anomalies
    assert (found.kind, found.at_ms) == (FindingKind.IMPLAUSIBLE, TIMES[2_000])


def test_there_are_more_candidates_than_anomalies_and_all_progress_is_told(noise: Noise) -> None:
    told: list[int] = []
    found = look_back(TIMES, noise("t3", 3_000), progress=told.append)
    assert len(found.candidates) >= len(found.anomalies)
    assert sum(told) == 3_000


def test_series_with_little_in_them_are_judged_without_harm() -> None:
    for size in (0, 1, 2):
        assert look_back(TIMES[:size], np.full(size, 4.0)).anomalies == []
    assert look_back(TIMES, np.full(len(TIMES), 4.0)).anomalies == []
    decade = np.append(TIMES[:3] - 10 * 365 * 86_400_000, TIMES)  # three samples of ten years ago
    told = look_back(decade, np.full(len(decade), 4.0)).anomalies
    assert [each.kind for each in told] == [FindingKind.MISSING] * len(told)
    assert len(told) <= 1


def test_holes_of_nan_count_as_nothing(noise: Noise) -> None:
    values = 20 + noise("white", len(TIMES))
    values[1_000:1_040] = np.nan
    values[2_000] = np.inf
    assert [each.kind for each in look_back(TIMES, values).anomalies] == []


def test_a_unit_that_changes_is_told_once(noise: Noise) -> None:
    celsius = 20 + noise("white", len(TIMES))
    values = celsius.copy()
    values[2_500:] = 32 + 1.8 * celsius[2_500:]
    told = look_back(TIMES, values).anomalies
    assert [each.kind for each in told] == [FindingKind.STEP]
    assert TIMES[2_500] <= told[0].at_ms <= TIMES[2_503]


def test_a_rate_a_hundred_times_higher_is_no_event(noise: Noise) -> None:
    fast = TIMES[1_500] + 3_000 * np.arange(1, 30_001, dtype=np.int64)
    times = np.concatenate((TIMES[:1_501], fast))
    assert look_back(times, 20 + noise("white", len(times))).anomalies == []
