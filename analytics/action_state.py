"""The life of an action: its states, and which may follow which.

proposed -> confirmed -> sending -> succeeded | rejected | unknown -> reconciled, and the ways out before anything was
sent: cancelled, expired, failed_before_send. Nothing leads back to sending: what was sent once is never sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from msgspec import Struct, field

from .records import Json

ActionPhase = Literal[
    "proposed", "confirmed", "sending", "succeeded", "rejected", "failed_before_send", "unknown", "reconciled",
    "cancelled", "expired",
]  # fmt: skip

FOLLOWS: Final[Mapping[ActionPhase | None, frozenset[ActionPhase]]] = {
    None: frozenset({"proposed"}),
    "proposed": frozenset({"confirmed", "cancelled", "expired", "rejected", "failed_before_send"}),
    "confirmed": frozenset({"sending", "cancelled", "expired", "rejected", "failed_before_send"}),
    "sending": frozenset({"succeeded", "rejected", "failed_before_send", "unknown"}),
    "unknown": frozenset({"reconciled"}),
}
PHASES: Final = get_args(ActionPhase)
UNDO_S: Final = 5.0  # a confirmed green action waits so long for second thoughts before it is sent
OPEN: Final[tuple[ActionPhase, ...]] = ("proposed", "confirmed", "sending", "unknown")


class WrongTurnError(Exception):
    """An action can't go from its phase to that one."""


class Action(Struct, frozen=True):
    """`facts`: what is known besides: reason, effect seen, effect measured."""

    action_id: str
    owner: str
    key: str  # Idempotency-Key
    recommendation_id: str
    insight_id: str
    rule: str  # the insight's key: rule and metric
    metric: str | None
    template: str
    entity_id: str
    entity_name: str
    risk: str
    phase: ActionPhase
    created_ms: int
    changed_ms: int
    expires_ms: int
    facts: Json = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.phase not in OPEN

    @property
    def undo_until_ms(self) -> int | None:
        """Until when a green action waits before it is sent; None: it does not wait, or not any more."""
        waits = self.risk == "green" and self.phase == "confirmed"
        return self.changed_ms + round(UNDO_S * 1000) if waits else None


def check_turn(before: ActionPhase | None, after: ActionPhase) -> None:
    """Raises WrongTurnError."""
    if after not in FOLLOWS.get(before, frozenset()):
        raise WrongTurnError(f"an action that is {before} can't become {after}")
