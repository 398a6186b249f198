"""The cheap part of the accuracy suite: it fails when the detectors get worse than what docs/ACCURACY.md promises."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.retrospect import look_back

COUNT = 4_000  # two weeks at five minutes
TIMES = 1_700_000_000_000 + np.arange(COUNT, dtype=np.int64) * 300_000


@pytest.mark.parametrize("kind", ["white", "t3", "lognormal", "walk", "daily"])
def test_on_noise_the_shipped_setting_keeps_quiet(kind: str) -> None:
    rng = np.random.default_rng(11)
    events = 0
    for _ in range(2):
        values = {
            "white": rng.normal(size=COUNT),
            "t3": rng.standard_t(3, size=COUNT),
            "lognormal": rng.lognormal(size=COUNT),
            "walk": rng.normal(size=COUNT).cumsum(),
            "daily": 20 + 5 * np.sin(np.arange(COUNT) * np.pi / 144) + rng.normal(size=COUNT),
        }[kind]  # fmt: skip
        events += len(look_back(TIMES, values).anomalies)
    assert events <= 1  # four metric-weeks


@pytest.mark.parametrize("fault", ["spike", "step", "noisy", "stuck"])
def test_plain_faults_on_a_daily_metric_are_found(fault: str) -> None:
    rng = np.random.default_rng(12)
    values = 20 + 5 * np.sin(np.arange(COUNT) * np.pi / 144) + 0.3 * rng.normal(size=COUNT)
    at = 3_200
    match fault:
        case "spike":
            values[at] += 30
        case "step":
            values[at:] += 15
        case "noisy":
            values[at : at + 300] += 4 * rng.normal(size=300)
        case _:
            values[at : at + 100] = values[at]
    found = [each for each in look_back(TIMES, values).anomalies if TIMES[at] <= each.at_ms <= TIMES[at + 80]]
    assert found
    if fault in ("spike", "step", "stuck"):
        assert found[0].kind == fault
