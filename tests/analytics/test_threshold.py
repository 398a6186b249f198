"""One threshold at one metric: every way through its states, and where nothing changes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analytics.threshold import (
    HOLD_LIMIT_MS,
    INITIAL,
    AlertEvent,
    AlertState,
    Threshold,
    advance,
    alert_id,
    fall_silent,
    hold_ms,
    quiet_zone,
    shifted,
    state_from,
    state_json,
    threshold_from,
)


def threshold(**members: object) -> Threshold:
    given_ = {"threshold_id": "t", "name": "n", "metric": "m", "role": None, "condition": "above", "low": None}
    return Threshold(**{**given_, "high": 10.0, **members})


def walk(rule: Threshold, *samples: tuple[float, float], state: AlertState = INITIAL) -> list[str]:
    """The phases after samples of (seconds, value)."""
    phases = []
    for at_s, value in samples:
        state = advance(rule, state, value, round(at_s * 1000))
        phases.append(state.phase)
    return phases


def test_the_limit_itself_is_within() -> None:
    assert walk(threshold(), (0, 10.0), (1, 10.001)) == ["ok", "firing"]
    assert walk(threshold(condition="below", low=5.0, high=None), (0, 5.0), (1, 4.999)) == ["ok", "firing"]


def test_outside_has_two_sides() -> None:
    rule = threshold(condition="outside", low=5.0, high=10.0)
    state = advance(rule, INITIAL, 11.0, 0)
    assert (state.phase, state.side) == ("firing", "above")
    state = advance(rule, state, 4.0, 1000)
    assert (state.phase, state.side) == ("firing", "below")


def test_the_minimum_duration_is_without_a_break() -> None:
    rule = threshold(min_duration_s=10)
    assert walk(rule, (0, 11), (9, 11), (9.5, 9), (10, 11), (19.9, 11), (20, 11)) == [
        "pending", "pending", "ok", "pending", "pending", "firing",
    ]  # fmt: skip


def test_it_ends_when_it_was_back_by_the_hysteresis_for_the_hold() -> None:
    rule = threshold(hysteresis=1.0, recover_after_s=30)
    assert walk(rule, (0, 11), (1, 9.5), (2, 9.0), (31, 9.0), (32, 9.0)) == [
        "firing", "firing", "recovering", "recovering", "ok",
    ]  # fmt: skip
    assert walk(threshold(recover_after_s=0), (0, 11), (1, 10)) == ["firing", "ok"]


def told(rule: Threshold, samples: Iterable[tuple[int, float]], restarts_ms: Sequence[int] = ()) -> list[str]:
    """The phases that are news of samples of (ms, value), through restarts of the process at these times."""
    state, news, pending = INITIAL, [], sorted(restarts_ms)
    for at_ms, value in samples:
        while pending and pending[0] <= at_ms:
            del pending[0]
            state = state_from(json.loads(json.dumps(state_json(state))))
        after = advance(rule, state, value, at_ms)
        if AlertEvent(rule, "m", state, after, at_ms).is_news:
            news.append(after.phase)
        state = after
    return news


def flapping(bad_ms: int, good_ms: int, cadence_ms: int, for_ms: int) -> Iterator[tuple[int, float]]:
    """Beyond the limit for `bad_ms`, back for `good_ms`, again and again; then back for good."""
    for at_ms in range(0, for_ms, cadence_ms):
        yield at_ms, 11.0 if at_ms % (bad_ms + good_ms) < bad_ms else 9.0
    for at_ms in range(for_ms, for_ms + 2 * HOLD_LIMIT_MS, 30_000):
        yield at_ms, 9.0


HOUR_MS = 3_600_000


@pytest.mark.parametrize("period_s", [1, 2, 7, 30, 59, 60, 61, 90, 120, 121, 300, 600, 1199])
def test_an_hour_of_flapping_is_one_firing_and_one_recovery(period_s: int) -> None:
    half_ms = period_s * 500
    assert told(threshold(), flapping(half_ms, half_ms, min(half_ms, 1000), HOUR_MS)) == ["firing", "ok"]


@settings(deadline=None, max_examples=60)
@given(
    bad_ms=st.integers(1_000, 600_000),
    good_ms=st.integers(1_000, 500_000),
    cadence_ms=st.integers(500, 90_000),
    restarts_ms=st.lists(st.integers(0, HOUR_MS), max_size=5),
)
def test_flapping_of_any_period_at_any_cadence_through_restarts(
    bad_ms: int, good_ms: int, cadence_ms: int, restarts_ms: list[int]
) -> None:
    cadence_ms = min(cadence_ms, bad_ms, good_ms)  # both sides are seen
    assert told(threshold(), flapping(bad_ms, good_ms, cadence_ms, HOUR_MS), restarts_ms) == ["firing", "ok"]


@settings(deadline=None, max_examples=60)
@given(
    hold_s=st.sampled_from([0, 1, 60, 300]),
    bad_ms=st.integers(1_000, 600_000),
    good_ms=st.integers(1_000, 800_000),
    restarts_ms=st.lists(st.integers(0, 6 * HOUR_MS), max_size=5),
)
def test_with_a_shorter_hold_six_hours_of_flapping_are_two_firings_at_most(
    hold_s: int, bad_ms: int, good_ms: int, restarts_ms: list[int]
) -> None:
    samples = flapping(bad_ms, good_ms, min(bad_ms, good_ms, 30_000), 6 * HOUR_MS)
    news = told(threshold(recover_after_s=hold_s), samples, restarts_ms)
    assert news in (["firing", "ok"], ["firing", "ok", "firing", "ok"])


def test_flapping_delays_no_first_alarm() -> None:
    assert walk(threshold(), (0, 9), (1, 11)) == ["ok", "firing"]


def test_the_hold_grows_with_each_relapse_and_no_further_than_its_limit() -> None:
    rule = threshold(recover_after_s=10)
    holds = [hold_ms(rule, AlertState(flaps=flaps)) for flaps in (0, 1, 2, 3, 4)]
    assert holds == [10_000, 10_000, 60_000, 120_000, 240_000]
    assert hold_ms(rule, AlertState(flaps=1000)) == HOLD_LIMIT_MS
    assert hold_ms(rule, AlertState(flaps=1, returns=1)) == HOLD_LIMIT_MS
    assert hold_ms(threshold(recover_after_s=3600), AlertState(flaps=1000, returns=5)) == 3_600_000


def test_an_old_alert_that_comes_back_is_no_flap() -> None:
    rule = threshold(recover_after_s=0)
    state = advance(rule, advance(rule, INITIAL, 11, 0), 9, 1000)
    again = advance(rule, state, 11, 2000)
    assert (again.flaps, again.returns) == (1, 1)
    late = advance(rule, replace(state, flaps=3, returns=2), 11, 1000 + 15 * 60_000)
    assert (late.flaps, late.returns) == (0, 0)


def test_silence() -> None:
    keep, alert, resolve = (threshold(missing=rule) for rule in ("keep", "alert", "resolve"))
    firing = advance(keep, INITIAL, 11, 0)
    assert fall_silent(keep, INITIAL, 1000) is INITIAL
    assert fall_silent(keep, firing, 1000) is firing
    silent = fall_silent(alert, INITIAL, 1000)
    assert (silent.phase, silent.side) == ("firing", "missing")
    assert fall_silent(alert, firing, 1000) is firing
    assert fall_silent(resolve, firing, 1000).phase == "ok"
    assert fall_silent(resolve, replace(firing, phase="pending"), 1000).phase == "ok"
    assert fall_silent(resolve, INITIAL, 1000) is INITIAL


def test_who_was_silent_is_back_with_any_value_within() -> None:
    rule = threshold(missing="alert", hysteresis=3.0, recover_after_s=60)
    silent = fall_silent(rule, INITIAL, 0)
    assert walk(rule, (1, 9.5), (61, 9.5), state=silent) == ["recovering", "ok"]
    assert advance(rule, silent, 12.0, 1000).side == "above"


def test_a_clock_that_is_set_moves_the_marks() -> None:
    pending = advance(threshold(min_duration_s=60), INITIAL, 11, 5_000)
    moved = shifted(pending, 3_600_000)
    assert advance(threshold(min_duration_s=60), moved, 11, 3_600_000 + 10_000).phase == "pending"


def test_it_survives_storing() -> None:
    state = advance(threshold(), INITIAL, 11, 5_000)
    assert state_from(state_json(state)) == state
    assert threshold_from("t", {"name": "n", "metric": "m", "role": None, "condition": "above", "low": None,
                                "high": 10.0}) == threshold()  # fmt: skip


def test_an_alert_has_one_id_from_its_firing_to_its_end() -> None:
    rule = threshold(recover_after_s=0)
    firing = advance(rule, INITIAL, 11, 0)
    assert alert_id(rule, "m", firing) == alert_id(rule, "m", advance(rule, firing, 9, 120_000))


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
rules = st.builds(
    lambda condition, low, high, hysteresis, hold, duration: threshold(
        condition=condition,
        low=None if condition == "above" else min(low, high),
        high=None if condition == "below" else max(low, high),
        hysteresis=min(hysteresis, abs(high - low) / 2) if condition == "outside" else hysteresis,
        recover_after_s=hold,
        min_duration_s=duration,
    ),
    st.sampled_from(["above", "below", "outside"]), numbers, numbers,
    st.floats(0, 100), st.sampled_from([0, 1, 60]), st.sampled_from([0, 1, 60]),
)  # fmt: skip


@given(rule=rules, values=st.lists(st.tuples(st.integers(0, 90_000), numbers), max_size=20), probe=numbers)
def test_in_the_quiet_zone_nothing_changes_and_beyond_it_something_may(
    rule: Threshold, values: list[tuple[int, float]], probe: float
) -> None:
    state, at_ms = INITIAL, 0
    for step_ms, value in values:
        at_ms += step_ms
        state = advance(rule, state, value, at_ms)
        zone = quiet_zone(rule, state)
        for test in (probe, zone.low, zone.high, value):
            if math.isfinite(test) and zone.low <= test <= zone.high and at_ms < zone.until_ms:
                assert advance(rule, state, test, at_ms) is state
