from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.judge import ADOPT_S, Judge, Verdict
from analytics.records import FindingKind
from analytics.ticks import Tick

Noise = Callable[[str, int], np.ndarray]
START = 1_700_000_000_000
STEP_MS = 300_000


def judged(values: np.ndarray, judge: Judge | None = None, first: int = 0) -> list[tuple[int, Verdict]]:
    judge = judge or Judge()
    found = []
    for index, value in enumerate(values.tolist(), first):
        found += [(index, verdict) for verdict in judge.take(Tick(START + index * STEP_MS, value, value, value, 1))]
    return found


def story(found: list[tuple[int, Verdict]]) -> list[str]:
    return [verdict.kind.value + (" over" if verdict.over else "") for _, verdict in found]


@pytest.fixture
def values(noise: Noise) -> np.ndarray:
    return 20 + 0.5 * noise("white", 4_000)


def test_a_spike_is_here_and_gone(values: np.ndarray) -> None:
    values[3_000] += 15
    found = judged(values[:3_100])
    assert story(found) == ["spike", "spike over"]
    [(at, verdict), _] = found
    assert at == 3_000
    assert (verdict.side, verdict.value) == ("above", values[3_000])
    assert 16 < verdict.low < 20 < verdict.high < 24


def test_a_step_is_a_spike_that_stays_and_becomes_normal(values: np.ndarray) -> None:
    values[3_000:] -= 15
    found = judged(values)
    assert story(found) == ["spike", "spike over", "step", "step over"]
    assert found[0][1].side == found[2][1].side == "below"
    assert found[2][1].start_s == (START + 3_000 * STEP_MS) / 1000
    assert found[3][0] - 3_000 == pytest.approx(ADOPT_S / 300, abs=8)


def test_a_creeping_level_is_a_drift(noise: Noise) -> None:
    smooth = 20 + noise("ar0.95", 4_000)
    smooth[3_000:] += np.linspace(0, 40, 1_000)
    assert "drift" in story(judged(smooth))


def test_noise_that_grows_is_another_shape(values: np.ndarray, noise: Noise) -> None:
    values[3_000:3_200] = 20 + 4 * noise("white", 200)
    assert "shape" in story(judged(values))


def test_a_stuck_sensor_needs_no_score(values: np.ndarray) -> None:
    values[3_000:3_100] = values[3_000]
    assert story(judged(values[:3_200])) == ["stuck", "stuck over"]


def test_what_is_not_scored_can_still_be_stuck(values: np.ndarray) -> None:
    values[2_000] += 50
    values[3_000:3_100] = values[3_000]
    assert story(judged(values[:3_200], Judge(scored=False))) == ["stuck", "stuck over"]


def test_nothing_is_told_of_a_metric_just_met(values: np.ndarray) -> None:
    values[100] += 500
    assert judged(values[:119]) == []


def test_one_rest_for_one_episode(values: np.ndarray) -> None:
    for at in (3_000, 3_040, 3_080):
        values[at] += 15
    assert story(judged(values[:3_100])) == ["spike", "spike over"]


def test_a_budget_raises_the_bar(values: np.ndarray) -> None:
    values[3_000] += 15
    judge = Judge()
    assert judged(values[:3_000], judge) == []
    assert judge.take(Tick(START + 3_000 * STEP_MS, values[3_000], values[3_000], values[3_000], 1), raised=9.0) == []


def test_a_fast_metrics_glitch_is_seen_through_its_mean(noise: Noise) -> None:
    """One sample of three hundred."""
    judge = Judge()
    found = []
    for index, mean in enumerate((20 + 0.03 * noise("white", 2_000)).tolist()):
        high = mean + 1.5 + 0.1 * (index % 3) if index != 1_800 else mean + 40.0
        found += judge.take(Tick(START + index * STEP_MS, mean, mean - 1.5, high, 300))
    assert [verdict.kind for verdict in found if not verdict.over] == [FindingKind.SPIKE]
    assert found[0].value > 50


def test_what_was_seen_before_a_restart_is_not_seen_twice(values: np.ndarray) -> None:
    judge, restored = Judge(), Judge()
    judged(values[:3_000], judge)
    restored.unpack(judge.pack())
    assert judged(values[2_900:3_000], restored, 2_900) == []
    assert restored.anomaly.count == judge.anomaly.count
    values[3_000] += 15
    assert story(judged(values[3_000:3_002], restored, 3_000)) == ["spike"]


def test_a_clock_set_back_for_good_does_not_deafen_it(values: np.ndarray) -> None:
    judge = Judge()
    judged(values[:3_000], judge, 10_000_000)
    values[3_500] += 15
    assert "spike" in story(judged(values[3_000:3_600], judge, 3_000))
