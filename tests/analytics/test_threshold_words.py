"""What people read of an alert is true when they read it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analytics.threshold import INITIAL, AlertEvent, AlertState, Cause, Threshold, advance, fall_silent
from analytics.threshold_words import sentence


def threshold(**members: object) -> Threshold:
    given = {"threshold_id": "t", "name": "n", "metric": "m", "role": None, "condition": "above", "low": None}
    return Threshold(**{**given, "high": 10.0, **members})


def stands(rule: Threshold, state: AlertState, unit: str | None = None) -> str:
    return sentence(AlertEvent(rule, "m", state, state, state.since_ms), "Battery", unit)


def test_it_fires() -> None:
    rule = threshold()
    assert stands(rule, advance(rule, INITIAL, 11, 0), "V") == "Battery is above 10.00 V: 11.00 V"
    silent = fall_silent(threshold(missing="alert"), INITIAL, 0)
    assert stands(rule, silent) == "Battery has sent nothing for 5 min"


def test_a_value_just_beyond_the_limit_is_seen_to_be_beyond() -> None:
    rule = threshold()
    assert stands(rule, advance(rule, INITIAL, 10.0001, 0)) == "Battery is above 10: 10.0001"
    assert stands(rule, advance(rule, INITIAL, 10.0001, 0), "V") == "Battery is above 10.0000 V: 10.0001 V"


def test_what_recovers_is_not_said_to_be_beyond() -> None:
    rule = threshold(hysteresis=1.0)
    back = advance(rule, advance(rule, INITIAL, 11, 0), 1, 1000)
    assert stands(rule, back) == "Battery was above 10, came back to 1"
    between = advance(rule, back, 9.5, 2000)
    assert between.phase == "firing"
    assert stands(rule, between) == "Battery was above 10, is not far enough back: 9.5"
    spoken = advance(rule, fall_silent(threshold(missing="alert"), INITIAL, 0), 7, 1000)
    assert stands(rule, spoken) == "Battery had sent nothing for 5 min, then 7"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("value", "Battery is back within its limit after 2 min, at its furthest 14.00 V"),
        ("silence", "Battery has sent nothing for 5 min, which ended its alert after 2 min, at its furthest 14.00 V"),
        ("deleted", "The threshold on Battery was deleted, which ended its alert after 2 min, at its furthest 14.00 V"),
        ("switched off", "The threshold on Battery was switched off, which ended its alert after 2 min, at its "
                         "furthest 14.00 V"),
        ("changed", "The threshold on Battery was changed, which ended its alert after 2 min, at its furthest 14.00 V"),
    ],
)  # fmt: skip
def test_an_end_says_what_brought_it_about(cause: Cause, said: str) -> None:
    rule = threshold(recover_after_s=0)
    firing = replace(advance(rule, INITIAL, 11, 0), peak=14.0)
    over = advance(rule, firing, 9, 120_000)
    assert sentence(AlertEvent(rule, "m", firing, over, 120_000, cause), "Battery", "V") == said
