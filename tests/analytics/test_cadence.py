from __future__ import annotations

import numpy as np
import pytest

from analytics.cadence import MIN_SILENCE_MS, Cadence, coverage

START = 1_700_000_000_000


def heard(gaps_ms: list[int]) -> Cadence:
    cadence = Cadence()
    now = START
    cadence.note(now)
    for gap in gaps_ms:
        now += gap
        cadence.note(now)
    return cadence


def test_a_habit_takes_twenty_arrivals_and_ten_minutes() -> None:
    assert Cadence().limit_ms() is None
    assert heard([60_000] * 15).limit_ms() is None
    assert heard([1_000] * 500).limit_ms() is None
    assert heard([1_000] * 700).limit_ms() is not None


def test_the_limit_follows_the_habit() -> None:
    assert heard([1_000] * 700).limit_ms() == MIN_SILENCE_MS
    assert heard([300_000] * 60).limit_ms() == pytest.approx(10 * 300_000, rel=0.06)


def test_one_long_pause_is_remembered_and_fades() -> None:
    cadence = heard([1_000] * 700 + [600_000])
    limit = cadence.limit_ms()
    assert limit is not None
    assert limit >= 3 * 600_000
    now = cadence.last_ms
    for _ in range(14 * 1_440):  # two weeks by the minute
        now += 60_000
        cadence.note(now)
    faded = cadence.limit_ms()
    assert faded is not None
    assert faded < limit / 2


def test_a_clock_set_back_is_no_gap() -> None:
    cadence = heard([1_000] * 700)
    cadence.note(cadence.last_ms - 3_600_000)
    cadence.note(cadence.last_ms + 1_000)
    assert cadence.limit_ms() == MIN_SILENCE_MS


def test_rebasing_forgets_the_quiet_time_but_not_the_habit() -> None:
    cadence = heard([1_000] * 700)
    cadence.rebase(cadence.last_ms + 10**9)
    assert cadence.longest_ms == pytest.approx(1_000, rel=1e-3)
    assert cadence.limit_ms() == MIN_SILENCE_MS


def test_kept_samples_teach_the_same_habit() -> None:
    cadence = Cadence()
    cadence.learn(START + np.arange(700) * 1_000)
    assert cadence.limit_ms() == MIN_SILENCE_MS
    cadence.learn(np.array([], dtype=np.int64))
    assert cadence.arrivals == 700


def test_coverage_counts_what_is_lost_in_gaps() -> None:
    times = np.concatenate((np.arange(0, 100), np.arange(200, 300))) * 1_000
    seen = coverage(times, 0, 300_000)
    assert seen.samples == 200
    assert seen.covered == pytest.approx(1 - (101 - 10) / 300, abs=1e-3)
    assert coverage(times, 10**9, 2 * 10**9).samples == 0
    assert coverage(times, 5, 5).covered == 0.0
    assert coverage(times[:1], 0, 300_000).covered < 0.01
