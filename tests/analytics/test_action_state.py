"""Which state may follow which: nothing leads back to sending."""

from __future__ import annotations

import pytest

from analytics.action_state import FOLLOWS, PHASES, WrongTurnError, check_turn


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
