"""An actor's mailbox: bounded, survives its actor, gives no message up before it is handled or quarantined.

Owned by the supervisor's side, never by the actor. A message leaves the queue for the in-flight slot and stays there
until its handler has returned:

- The handler returns: handled, gone.
- It is cancelled: the message stays and is delivered first to the next `run`. That is no attempt, unless the supervisor
  had it cancelled as hung (`count_hang`).
- It raises: one attempt; the error goes on (the actor crashes), and the message is delivered first to the next `run`.
  When the same message fails again, the error travels as the cause of a RepeatedCrashError.
- After `max_attempts`: a message with `split()` is replaced by its parts, in order. A part that fails is split at once;
  one that cannot be split gets `max_attempts` of its own and is then quarantined: counted, kept as a line in
  `quarantined`, its `reply` (if it has one) failed. So one poison sample does not condemn its neighbours.

Somebody waits for a message with a `reply`: it is never dropped or conflated, whatever the pressure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import trio
from msgspec import Struct

from .messages import Pressure, QuarantinedError

M = TypeVar("M")

QUARANTINE_KEPT: Final = 20  # lines, for people
ISOLATION_LIMIT: Final = 128  # failures of one message's parts; one poison sample in 10,000 needs 17


class RepeatedCrashError(Exception):
    """A message crashed its handler again: evidence against the message, not against the actor. A supervisor restarts
    the actor at once and does not count it. That is bounded: a message ends in quarantine."""


class HungError(Exception):
    """The handler made no progress for too long and was cancelled."""


class Quarantined(Struct, frozen=True):
    """What is kept of a message that was put aside."""

    message: str  # its type
    error: str  # the last one
    at_s: float  # trio.current_time()


class MailboxStatistics(Struct, frozen=True):
    depth: int  # messages not yet handled, those in the slot included
    peak: int  # of depth
    capacity: int  # of the queue behind the slot
    handled: int
    dropped: int
    conflated: int
    quarantined: int
    failures: int  # attempts that ended in an error or a hang
    waiting_puts: int
    in_flight_age_s: float | None  # of the handling that goes on now; None: none does
    closed: bool


@dataclass(slots=True)
class _Delivery(Generic[M]):
    message: M
    attempts: int = 0
    is_part: bool = False


class Mailbox(Generic[M]):
    """See the module docstring for the promises. One consumer at a time; any number of producers."""

    def __init__(
        self,
        name: str,
        *,
        capacity: int,
        pressure: Pressure,
        conflate: Callable[[M, M], M | None] | None = None,
        max_attempts: int = 3,
    ) -> None:
        if capacity < 1 or max_attempts < 1:
            raise ValueError(f"mailbox {name}: capacity and max_attempts must be at least 1")
        if conflate is not None and pressure is not Pressure.CONFLATE:
            raise ValueError(f"mailbox {name}: conflate goes with Pressure.CONFLATE")
        self.name = name
        self.quarantined: deque[Quarantined] = deque(maxlen=QUARANTINE_KEPT)
        self._capacity = capacity
        self._pressure = pressure
        self._merge: Callable[[M, M], M | None] = conflate or (lambda old, new: new)
        self._max_attempts = max_attempts
        self._queue: deque[M] = deque()
        self._slot: deque[_Delivery[M]] = deque()  # one message, or the parts of one; the first is in flight
        self._isolation_left = ISOLATION_LIMIT
        self._room = trio.lowlevel.ParkingLot()
        self._arrived = trio.lowlevel.ParkingLot()
        self._reserved = 0  # places given to woken putters that have not run yet
        self._since_s: float | None = None
        self._hung = False
        self._closed = False
        self._peak = self._handled = self._dropped = self._conflated = self._put_aside = self._failures = 0

    # -- producers

    def put_nowait(self, message: M) -> None:
        """Put `message`, by the mailbox's pressure when there is no room.

        BLOCK (and any message with a `reply`): raises trio.WouldBlock. CONFLATE: merges it with the one that
        waits, room or not (`conflate(old, new)`, by default the new one; None: these two stay apart).
        DROP_OLDEST: drops the one that waits longest. Raises trio.ClosedResourceError after `close`.
        """
        if self._closed:
            raise trio.ClosedResourceError(f"mailbox {self.name} is closed")
        if self._pressure is Pressure.BLOCK or _is_awaited(message):
            if not self._has_room():
                raise trio.WouldBlock
        elif self._pressure is Pressure.CONFLATE:
            if self._conflate(message):
                return
        elif not self._has_room() and not self._drop_oldest():
            self._dropped += 1  # only awaited ones wait: the new one is the oldest that may go
            return
        self._accept(message)

    async def put(self, message: M) -> None:
        """Like `put_nowait`, but waits for room where that would raise WouldBlock. First come, first served.

        Cancelled: `message` was not put.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        with suppress(trio.WouldBlock):
            self.put_nowait(message)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        await self._room.park()  # whoever wakes us has kept a place
        if self._closed:
            raise trio.ClosedResourceError(f"mailbox {self.name} is closed")
        self._reserved -= 1
        self._accept(message)

    def close(self) -> None:
        """No more puts; `run` returns when what is here has been handled. Harmless when repeated."""
        self._closed = True
        self._room.unpark_all()
        self._arrived.unpark_all()

    def _has_room(self) -> bool:
        return len(self._queue) + self._reserved < self._capacity

    def _accept(self, message: M) -> None:
        self._queue.append(message)
        self._peak = max(self._peak, len(self._queue) + len(self._slot))
        self._arrived.unpark()

    def _conflate(self, message: M) -> bool:
        """Merge with the newest waiting one; with an older one only when there is no room to stand behind the
        rest."""
        for index in range(len(self._queue) - 1, -1, -1):
            waiting = self._queue[index]
            merged = None if _is_awaited(waiting) else self._merge(waiting, message)
            if merged is not None:
                self._queue[index] = merged
                self._conflated += 1
                return True
            if self._has_room():
                return False
        return False  # full of what it cannot be merged with: one place more, to be merged with next time

    def _drop_oldest(self) -> bool:
        for index, waiting in enumerate(self._queue):
            if not _is_awaited(waiting):
                del self._queue[index]
                self._dropped += 1
                return True
        return False

    # -- the consumer

    async def run(self, handler: Callable[[M], Awaitable[None]]) -> None:
        """Hand messages to `handler`, one by one, in order. Returns once closed and drained."""
        while await self._fetch():
            await self._handle(handler)

    async def handle_next(self, handler: Callable[[M], Awaitable[None]]) -> None:
        """Wait for one message and hand it to `handler`. Raises trio.EndOfChannel once closed and drained."""
        if not await self._fetch():
            raise trio.EndOfChannel(f"mailbox {self.name} is closed and drained")
        await self._handle(handler)

    def touch(self) -> None:
        """A handler that waits knowingly (busy disk, full backlog) says so: its age starts anew."""
        if self._since_s is not None:
            self._since_s = trio.current_time()

    def count_hang(self) -> None:
        """The supervisor is about to cancel the handler as hung: that cancel counts as an attempt."""
        self._hung = self._since_s is not None

    async def _fetch(self) -> bool:
        """Wait until the slot holds a message; False: there will be none. Always a checkpoint."""
        waited = False
        while not self._slot:
            if self._queue:
                self._slot.append(_Delivery(self._queue.popleft()))
                self._isolation_left = ISOLATION_LIMIT
                if self._has_room():
                    self._reserved += len(self._room.unpark())
            elif self._closed:
                break
            else:
                await self._arrived.park()
                waited = True
        if not waited:
            await trio.lowlevel.checkpoint()
        return bool(self._slot)

    async def _handle(self, handler: Callable[[M], Awaitable[None]]) -> None:
        if self._since_s is not None:
            raise trio.BusyResourceError(f"mailbox {self.name} has a consumer already")
        delivery = self._slot[0]
        suspect = delivery.is_part or delivery.attempts > 0
        self._since_s = trio.current_time()
        try:
            await handler(delivery.message)
        except Exception as error:
            self._failed(delivery, error)
            if not suspect:
                raise
            what = type(delivery.message).__name__
            raise RepeatedCrashError(f"{what} failed again: {type(error).__name__}: {error}") from error
        except BaseException:
            if self._hung:
                self._failed(delivery, HungError("the handler hung and was cancelled"))
            raise
        else:
            self._slot.popleft()
            self._handled += 1
        finally:
            self._since_s = None
            self._hung = False

    def _failed(self, delivery: _Delivery[M], error: Exception) -> None:
        """Count the attempt; keep the message, put its parts in its place, or put it aside."""
        delivery.attempts += 1
        self._failures += 1
        self._isolation_left -= delivery.is_part
        spent = delivery.attempts >= self._max_attempts
        if not spent and not delivery.is_part:
            return
        split = getattr(delivery.message, "split", None)
        parts = split() if split is not None and self._isolation_left > 0 else None
        if parts is not None and len(parts) > 1:
            self._slot.popleft()
            self._slot.extendleft(_Delivery(part, is_part=True) for part in reversed(parts))
        elif spent or self._isolation_left <= 0:
            self._slot.popleft()
            self._quarantine(delivery, error)

    def _quarantine(self, delivery: _Delivery[M], error: Exception) -> None:
        what, why = type(delivery.message).__name__, f"{type(error).__name__}: {error}"
        self._put_aside += 1
        self.quarantined.append(Quarantined(what, why, trio.current_time()))
        if _is_awaited(delivery.message):
            reply: Any = delivery.message
            reply.reply.fail(QuarantinedError(f"{what} was put aside after {delivery.attempts} attempts: {why}"))

    @property
    def is_empty(self) -> bool:  # nothing waits, nothing is in flight
        return not self._queue and not self._slot

    @property
    def in_flight_age_s(self) -> float | None:
        """Since when the handling that goes on now does; None: none does."""
        return None if self._since_s is None else trio.current_time() - self._since_s

    def statistics(self) -> MailboxStatistics:
        return MailboxStatistics(
            depth=len(self._queue) + len(self._slot),
            peak=self._peak,
            capacity=self._capacity,
            handled=self._handled,
            dropped=self._dropped,
            conflated=self._conflated,
            quarantined=self._put_aside,
            failures=self._failures,
            waiting_puts=len(self._room),
            in_flight_age_s=self.in_flight_age_s,
            closed=self._closed,
        )


def _is_awaited(message: object) -> bool:
    return hasattr(message, "reply")
