"""CoachIQ's core as the dispatcher of actions sees it. The gateway has an implementation over its REST interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from analytics.action_state import ActionPhase
from analytics.records import Json


class NotSentError(Exception):
    """Nothing was sent: no connection could be made. `str()` is a sentence for people."""


class NoAnswerError(Exception):
    """Something may have been sent, and what came of it is not known."""


class Entity(Struct, frozen=True):
    """One device, as the core describes it."""

    entity_id: str
    name: str
    kind: str  # the core's device_type
    area: str = ""
    available: bool = True
    state: Json = field(default_factory=dict)


class CoreAnswer(Struct, frozen=True):
    """`status` of the body: success, failed, timeout, unauthorized, safety_abort; None: it has none."""

    http_status: int
    status: str | None
    message: str | None


class Core(Protocol):
    """A command is one request and never a second one."""

    async def entities(self) -> list[Entity]:
        """All of them, however many answers they take. Raises NotSentError, NoAnswerError."""
        ...

    async def entity(self, entity_id: str) -> Entity | None:
        """None: there is no such entity. Raises NotSentError, NoAnswerError."""
        ...

    async def control(self, entity_id: str, command: Mapping[str, Any], send_by_s: float) -> CoreAnswer:
        """`send_by_s` (Trio's time): later than that nothing is sent.

        Raises NotSentError: certainly nothing was sent; NoAnswerError: it may have been.
        """
        ...


def judged(answer: CoreAnswer) -> tuple[ActionPhase, Mapping[str, Any]]:
    """What an answer of the core says. The body decides; where it does not say clearly, the outcome is unknown."""
    facts: dict[str, Any] = {"core": answer.status or f"HTTP {answer.http_status}"}
    if answer.message:
        facts["reason"] = answer.message
    if answer.http_status == 200 and answer.status == "success":
        return "succeeded", facts
    if answer.http_status == 200 and answer.status in ("unauthorized", "safety_abort"):
        return "rejected", facts
    if answer.http_status in (400, 401, 403, 404, 405, 409, 413, 415, 422, 429):
        return "rejected", facts
    return "unknown", facts
