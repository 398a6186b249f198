"""How far persistence has come: the one place where recorder, persister and those who wait for `ack=durable`
meet.

Written by the recorder (what came in) and the persister (what is safe, and how it is doing). A plain object,
not an actor: it survives every restart. Its size is bounded, however long the disk is away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import trio

from storage.keeper import SalvageState
from storage.models import PersistenceState

STEPS_KEPT: Final = 4096  # past it neighbouring batches are counted as one


class NotPersisting(Exception):
    """Nobody can say when it will be durable: persistence is off, or the disk is in trouble."""

    def __init__(self, state: PersistenceState, reason: str | None) -> None:
        super().__init__(f"persistence is {state}" + (f": {reason}" if reason else ""))
        self.state: PersistenceState = state
        self.reason = reason


class Progress:
    """`backlog` counts samples recorded while persistence was switched on that are not durable yet."""

    def __init__(self) -> None:
        self.persisted_up_to = 0
        self.state: PersistenceState = "off"
        self.reason: str | None = None
        self.backlog = 0
        self.last_commit_ms: int | None = None
        self.salvage: Callable[[], SalvageState | None] = lambda: None  # what is saved out of a damaged file, or was
        self._steps: deque[tuple[int, int]] = deque()  # (sequence number, samples), not durable yet
        self._changed = trio.Event()
        self._restorations = 0
        self._restored = trio.Event()  # the next time

    def recorded(self, samples: int, *, seq: int) -> None:
        """The recorder took `samples` more, under `seq`."""
        if self.state == "off" or not samples:
            return
        self.backlog += samples
        self._steps.append((seq, samples))
        if len(self._steps) > STEPS_KEPT:
            self._thin_out()

    def advance(self, seq: int) -> None:
        """Everything up to `seq` is durable. Goes back by `start_over` alone."""
        self.persisted_up_to = max(self.persisted_up_to, seq)
        while self._steps and self._steps[0][0] <= self.persisted_up_to:
            self.backlog -= self._steps.popleft()[1]
        self._tell()

    def start_over(self) -> None:
        """What was durable is no more: the archive is a new one. Everything memory holds is to be stored again."""
        self.persisted_up_to = -1  # samples read back from an archive have the number 0

    def committed(self, at_ms: int) -> None:
        """A transaction was committed at `at_ms`, wall clock."""
        self.last_commit_ms = at_ms

    def set_state(self, state: PersistenceState, reason: str | None = None) -> None:
        self.state, self.reason = state, reason
        if state == "off":
            self._steps.clear()
            self.backlog = 0
        self._tell()

    def restored(self) -> None:
        """The archive's latest samples are back in memory: at the start, and when it was given another past."""
        self._restorations += 1
        event, self._restored = self._restored, trio.Event()
        event.set()

    async def wait_restored(self, after: int = 0) -> int:
        """Return how often they are, once that is more than `after`; never, when there is no archive to read."""
        await trio.lowlevel.checkpoint()
        while self._restorations <= after:
            await self._restored.wait()
        return self._restorations

    async def wait_for(self, seq: int) -> None:
        """Return once everything up to `seq` is durable. Raises NotPersisting as soon as that cannot be
        promised.

        Callers bring the deadline.
        """
        await trio.lowlevel.checkpoint()
        while self.persisted_up_to < seq:
            if self.state in ("off", "degraded"):
                raise NotPersisting(self.state, self.reason)
            await self._changed.wait()

    async def wait_for_room(self, limit_samples: int) -> None:
        """Return once the backlog is below `limit_samples`, or when waiting would not help (state is not
        "on")."""
        await trio.lowlevel.checkpoint()
        while self.backlog >= limit_samples and self.state == "on":
            await self._changed.wait()

    def _thin_out(self) -> None:
        """Count two batches as one, under the later number: the backlog is never understated."""
        steps = list(self._steps)
        pairs = zip(steps[::2], steps[1::2], strict=False)
        self._steps = deque((later, one + other) for (_, one), (later, other) in pairs)
        if len(steps) % 2:
            self._steps.append(steps[-1])

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
