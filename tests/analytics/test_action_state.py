"""Which state may follow which: nothing leads back to sending. And for how long there is a way back before it."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("risk", "phase", "until_ms"),
    [("green", "confirmed", 2_000 + round(UNDO_S * 1000)), ("green", "sending", None), ("amber", "confirmed", None)],
)
def test_a_confirmed_green_action_can_be_taken_back_for_a_while(risk: str, phase: str, until_ms: int | None) -> None:
    action = Action(
        action_id="a", owner="anna", key="k", recommendation_id="r", insight_id="i", rule="x:m", metric="m",
        template="switch_on", entity_id="fan", entity_name="Fan", risk=risk, phase=phase, created_ms=1_000,
        changed_ms=2_000, expires_ms=32_000,
    )  # fmt: skip
    assert action.undo_until_ms == until_ms
