"""How the actors are: written by the supervisor and by the actors themselves, read by the gateway.

Owns one entry per actor (a parked or stopped one keeps its entry) and nothing else; it is bounded by the
number of actors. Reading costs nothing until somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from .mailbox import Mailbox, MailboxStatistics

ActorState = Literal["starting", "running", "degraded", "backing_off", "parked", "stopped", "stuck"]


class ActorHealth(Struct, frozen=True):
    """One actor at one moment. `degraded` is running with a reason; `stuck` ignored its cancel."""

    name: str
    state: ActorState
    restarts: int = 0
    last_error: str | None = None
    last_error_ms: int | None = None
    degraded_reason: str | None = None
    mailbox: MailboxStatistics | None = None


class _Entry(Struct):
    state: ActorState = "starting"
    restarts: int = 0
    last_error: str | None = None
    last_error_ms: int | None = None
    degraded_reason: str | None = None
    mailbox: Mailbox[Any] | None = None


class HealthBoard:
    """Names are those of the child specs. `on_change` hears of every change of state or reason,
    synchronously."""

    def __init__(self, wall_ms: Callable[[], int], on_change: Callable[[str, ActorHealth], None] | None = None) -> None:
        self.on_change = on_change
        self._wall_ms = wall_ms
        self._entries: dict[str, _Entry] = {}

    # -- for the supervisor

    def note_child(self, name: str, mailbox: Mailbox[Any] | None = None) -> None:
        """There is such an actor."""
        self._entry(name).mailbox = mailbox

    def note_state(self, name: str, state: ActorState) -> None:
        """A new state. An actor that starts anew has no reason to be degraded until it says so again."""
        entry = self._entry(name)
        reason = None if state == "starting" else entry.degraded_reason
        self._change(name, entry, state, reason)

    def note_error(self, name: str, error: str) -> None:
        entry = self._entry(name)
        entry.last_error = error
        entry.last_error_ms = self._wall_ms()

    def note_restart(self, name: str) -> None:
        self._entry(name).restarts += 1

    # -- for the actors

    def degraded(self, name: str, reason: str) -> None:
        """Expected trouble: the actor keeps its work and tries again."""
        entry = self._entry(name)
        self._change(name, entry, entry.state, reason)

    def recovered(self, name: str) -> None:
        entry = self._entry(name)
        self._change(name, entry, entry.state, None)

    # -- for readers

    def snapshot(self) -> dict[str, ActorHealth]:
        """Every actor, in the order of their first mention."""
        return {name: _health(name, entry) for name, entry in self._entries.items()}

    def _entry(self, name: str) -> _Entry:
        return self._entries.setdefault(name, _Entry())

    def _change(self, name: str, entry: _Entry, state: ActorState, reason: str | None) -> None:
        if (entry.state, entry.degraded_reason) == (state, reason):
            return
        entry.state, entry.degraded_reason = state, reason
        if self.on_change is not None:
            self.on_change(name, _health(name, entry))


def _health(name: str, entry: _Entry) -> ActorHealth:
    degraded = entry.state == "running" and entry.degraded_reason is not None
    return ActorHealth(
        name=name,
        state="degraded" if degraded else entry.state,
        restarts=entry.restarts,
        last_error=entry.last_error,
        last_error_ms=entry.last_error_ms,
        degraded_reason=entry.degraded_reason,
        mailbox=None if entry.mailbox is None else entry.mailbox.statistics(),
    )
