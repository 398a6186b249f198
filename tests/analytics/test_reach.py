from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.reach import DAY_MS, HOUR_MS, time_to
from tests.accuracy import time_to as accuracy

Noise = Callable[[str, int], np.ndarray]
START = 1_700_000_000_000


def hours(count: int) -> np.ndarray:
    return START + np.arange(count, dtype=np.int64) * HOUR_MS


def test_the_smoke_part_of_the_accuracy_table() -> None:
    rows = [row for rows in accuracy.measure(seed=88, count=100).values() for row in rows if row[0]]
    held = np.mean([not early and not late for _, early, late, _, _ in rows])
    assert len(rows) > 50
    assert 0.8 <= held <= 0.99
    assert np.median([error for *_, error, _ in rows]) < 0.35


def test_steady_use_is_told_to_the_hour(noise: Noise) -> None:
    levels = 90 - np.arange(200) * 0.2 + 0.05 * noise("white", 200)
    found = time_to(hours(200), levels, 10.0, resets=True, low=0, high=100)
    assert found is not None
    truth = START + (90 - 10) / 0.2 * HOUR_MS
    assert found.earliest_ms <= truth
    assert found.latest_ms is not None
    assert found.latest_ms >= truth
    assert abs(found.at_ms - truth) < 0.1 * (truth - hours(200)[-1])
    assert found.per_day == pytest.approx(-4.8, rel=0.05)


def test_a_refill_is_not_use_and_starts_anew(noise: Noise) -> None:
    levels = 90 - np.arange(240) * 0.3
    levels[120:] += 40.0
    found = time_to(hours(240), levels, 10.0, resets=True, low=0, high=100)
    assert found is not None
    assert found.per_day == pytest.approx(-7.2, rel=0.05)
    unaware = time_to(hours(240), levels, 10.0, resets=False, low=0, high=100)
    assert unaware is None or unaware.at_ms > found.at_ms


def test_a_waste_tank_fills(noise: Noise) -> None:
    levels = (np.arange(300) * 0.5) % 80 + 5  # dumped at 85
    found = time_to(hours(300), levels, 95.0, resets=True, low=0, high=100)
    assert found is not None
    assert found.at_ms - hours(300)[-1] == pytest.approx((95 - levels[-1]) / 0.5 * HOUR_MS, rel=0.15)


def test_a_battery_overnight_from_two_hours_of_history(noise: Noise) -> None:
    times = START + np.arange(120, dtype=np.int64) * 60_000
    found = time_to(times, 80 - np.arange(120) / 10, 60.0, resets=False)
    assert found is not None
    assert found.at_ms - times[-1] == pytest.approx(81 * 60_000, rel=0.1)


def test_too_far_ahead_for_so_short_a_past_is_not_told() -> None:
    times = START + np.arange(120, dtype=np.int64) * 60_000
    assert time_to(times, 80 - np.arange(120) / 1000, 20.0, resets=False) is None


def test_a_battery_that_the_sun_keeps_is_not_said_to_run_down(noise: Noise) -> None:
    at = np.arange(240)
    levels = np.clip(75 + 15 * np.sin(at / 24 * 2 * np.pi) + 0.3 * noise("white", 240), 0, 100)
    assert time_to(hours(240), levels, 20.0, resets=False, low=0, high=100) is None


def test_a_level_sent_only_on_change_holds_until_the_next(noise: Noise) -> None:
    levels = np.round(90 - np.arange(400) * 0.15)
    sent = np.append(True, np.diff(levels) != 0)
    found = time_to(hours(400)[sent], levels[sent], 10.0, resets=True, low=0, high=100)
    assert found is not None
    assert found.per_day == pytest.approx(-3.6, rel=0.1)


@pytest.mark.parametrize(
    "values", [[], [5.0], [5.0, 4.0], [50.0] * 300, [10.0] * 100, [9.0 - i / 50 for i in range(100)]]
)
def test_nothing_to_tell(values: list[float]) -> None:
    assert time_to(hours(len(values)), np.array(values), 10.0, resets=True) is None


def test_the_same_past_gives_the_same_answer(noise: Noise) -> None:
    levels = 90 - np.arange(200) * 0.2 + 0.5 * noise("white", 200)
    assert time_to(hours(200), levels, 10.0, resets=True) == time_to(hours(200), levels, 10.0, resets=True)


def test_the_interval_is_ordered_and_ahead(noise: Noise) -> None:
    levels = 90 - np.cumsum(np.maximum(0, noise("white", 300)) * 0.4)
    found = time_to(hours(300), levels, 20.0, resets=True, low=0, high=100)
    assert found is not None
    assert hours(300)[-1] < found.earliest_ms <= found.at_ms
    assert found.latest_ms is None or found.latest_ms >= found.at_ms
    assert found.blocks == 299 * HOUR_MS // DAY_MS


def test_a_silent_level_has_held_until_now(noise: Noise) -> None:
    levels = np.round(90 - np.arange(400) * 0.15)
    sent = np.append(True, np.diff(levels) != 0)
    times, last = hours(400)[sent], int(hours(400)[sent][-1])
    then, now = (time_to(times, levels[sent], 10.0, resets=True, now_ms=at) for at in (last, last + 5 * HOUR_MS))
    assert then is not None
    assert now is not None
    assert now.earliest_ms >= last + 5 * HOUR_MS
    assert now.at_ms > then.at_ms


def test_use_at_fixed_hours_is_told_within_the_hour() -> None:
    at = np.arange(15 * 144)
    levels = 5.0 + np.cumsum(np.where(at % 144 == 8 * 6 + 3, 8.0, 0.0))  # at 8:30, each day
    times = START + at.astype(np.int64) * 600_000
    found = time_to(times[:1500], levels[:1500] % 200, float(levels[1500] + 12), resets=True, low=0, high=200)
    truth = int(times[np.flatnonzero(levels >= levels[1500] + 12)[0]])
    assert found is not None
    assert found.latest_ms is not None
    assert found.earliest_ms <= truth <= found.latest_ms
