from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.cycle import DAY_MS, daily_cycle, turn_of_day

Noise = Callable[[str, int], np.ndarray]
MIDNIGHT = 19_675 * DAY_MS
STEP = 900_000


def quarters(days: float, start_ms: int = MIDNIGHT) -> np.ndarray:
    return start_ms + np.arange(int(days * 96), dtype=np.int64) * STEP


def day(times: np.ndarray, peak_hour: float = 15.0) -> np.ndarray:
    return np.cos((times / 3_600_000 - peak_hour) / 24 * 2 * np.pi)


@pytest.mark.parametrize("days", [3, 4, 7, 30])
@pytest.mark.parametrize("kind", ["white", "ar0.95", "ar0.99", "walk"])
def test_noise_has_no_daily_cycle(noise: Noise, days: int, kind: str) -> None:
    times = quarters(days)
    found = sum(daily_cycle(times, noise(kind, len(times))) is not None for _ in range(40))
    assert found <= 2


@pytest.mark.parametrize("start", [0, 5 * 3_600_000, 20 * 3_600_000 + 17])
def test_a_daily_cycle_is_found_with_its_peak_and_swing(noise: Noise, start: int) -> None:
    times = quarters(7, MIDNIGHT + start)
    found = daily_cycle(times, 20 + 5 * day(times) + noise("white", len(times)))
    assert found is not None
    assert found.peak_hour in (13, 14, 15, 16)
    assert found.low_hour in (1, 2, 3, 4)
    assert found.swing == pytest.approx(10, rel=0.15)
    assert found.r2 > 0.8
    assert found.profile.shape == (24,)


def test_drift_and_changing_weather_do_not_hide_it(noise: Noise, rng: np.random.Generator) -> None:
    times = quarters(7)
    assert daily_cycle(times, 8 * day(times) + 0.4 * noise("walk", len(times))) is not None
    sun = np.maximum(0, day(times, 12)) * 300 * rng.uniform(0.3, 1, 7).repeat(96)
    assert daily_cycle(times, sun) is not None


def test_gaps_are_allowed_up_to_a_quarter(noise: Noise, rng: np.random.Generator) -> None:
    times = quarters(8)
    values = 5 * day(times) + noise("white", len(times))
    keep = rng.random(len(times)) < 0.5
    keep[200:260] = False
    assert daily_cycle(times[keep], values[keep]) is not None
    keep[300:700] = False
    assert daily_cycle(times[keep], values[keep]) is None


def test_other_periods_are_not_daily(noise: Noise) -> None:
    times = quarters(14)
    values = np.sin(np.arange(len(times)) / 96 * 2 * np.pi * 24 / 17) + 0.3 * noise("white", len(times))
    assert daily_cycle(times, values) is None


@pytest.mark.parametrize("values", [np.ones(672), np.full(672, 1e300), np.zeros(2), np.zeros(0)])
def test_nothing_in_nothing_out(values: np.ndarray) -> None:
    assert daily_cycle(quarters(7)[: len(values)], values) is None


def test_huge_values_stay_finite() -> None:
    times = quarters(5)
    found = daily_cycle(times, 1e307 * day(times))
    assert found is not None
    assert np.isfinite(found.profile).all()


def test_two_days_say_nothing() -> None:
    times = quarters(2.2)
    assert daily_cycle(times, day(times)) is None


@pytest.mark.parametrize(("peak", "told"), [(15.0, "15:00"), (15.3, "15:30"), (15.83, "16:00"), (23.9, "00:00")])
def test_the_turn_is_told_to_the_half_hour(peak: float, told: str) -> None:
    profile = np.cos(2 * np.pi * (np.arange(0, 24, 1 / 60) - peak) / 24).reshape(24, 60).mean(axis=1)
    assert turn_of_day(profile, int(profile.argmax())) == told


def test_samples_on_the_hour_stand_for_it() -> None:
    profile = np.cos(2 * np.pi * (np.arange(24) - 15) / 24)
    assert turn_of_day(profile, 15, within=0.0) == "15:00"
