"""Which state may follow which: nothing leads back to sending."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.action_state import FOLLOWS, PHASES, UNDO_S, Action, WrongTurnError, check_turn


def test_only_what_was_confirmed_is_sent_and_only_once() -> None:
    assert [before for before, after in FOLLOWS.items() if "sending" in after] == ["confirmed"]
    reached, front = set(), {"sending"}
    while front:
        front = {each for phase in front for each in FOLLOWS.get(phase, frozenset())} - reached
        reached |= front
    assert "sending" not in reached
    assert "confirmed" not in reached


@pytest.mark.parametrize("over", sorted(set(PHASES) - {"proposed", "confirmed", "sending", "unknown"}))
def test_what_is_over_stays_so(over: str) -> None:
    for phase in PHASES:
        with pytest.raises(WrongTurnError):
            check_turn(over, phase)


def test_a_green_one_that_was_confirmed_waits_to_be_taken_back() -> None:
    action = Action(
        action_id="1", owner="o", key="k", recommendation_id="r", insight_id="i", rule="x", metric=None,
        template="switch_on", entity_id="fan", entity_name="Fan", risk="green", phase="confirmed", created_ms=1,
        changed_ms=2_000, expires_ms=30_001,
    )  # fmt: skip
    assert action.undo_until_ms == 2_000 + UNDO_S * 1000
    assert replace(action, phase="sending").undo_until_ms is None
    assert replace(action, risk="amber").undo_until_ms is None
