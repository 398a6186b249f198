"""What a supervisor is told about a child (a spec that refuses promises it could not keep), and how it gives up."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .mailbox import Mailbox


class Restart(Enum):
    PERMANENT = "always"  # an end that nobody asked for is a crash, error or not
    TRANSIENT = "after an error"  # may finish its work
    TEMPORARY = "never"


class Beyond(Enum):
    """What happens when a child crashes more than `intensity` times within `period_s`."""

    ESCALATE = "the supervisor stops its children and raises Escalation"
    PARK = "the child rests for park_retry_s, the others go on"


class Strategy(Enum):
    ONE_FOR_ONE = "restart the crashed child"
    REST_FOR_ONE = "restart the crashed child and those after it, whose state derives from it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """`run(task_status=...)` says `task_status.started()` when it is ready; durations are seconds.

    `stop`, when given, asks for an orderly end (close the mailbox, stop accepting); without it, or past
    `stop_within_s`, the child is cancelled, and has `stop_within_s` again to obey.
    """

    name: str
    run: Callable[..., Awaitable[None]]
    restart: Restart = Restart.PERMANENT
    beyond: Beyond = Beyond.ESCALATE
    intensity: int = 5  # crashes that one period may hold
    period_s: float = 60.0
    backoff_s: float = 0.2
    backoff_factor: float = 2.0
    backoff_max_s: float = 30.0
    jitter: float = 0.2  # a share of the backoff, either way
    stable_s: float = 60.0  # after that long ready, backoff starts anew
    ready_within_s: float = 10.0
    stop_within_s: float = 5.0
    hung_after_s: float = 30.0  # age of the message in flight, and of what `busy_s` tells
    park_retry_s: float = 300.0
    mailbox: Mailbox[Any] | None = None
    stop: Callable[[], None] | None = None
    busy_s: Callable[[], float | None] | None = None  # age of the work that goes on beside the mailbox; None: none does

    def __post_init__(self) -> None:
        """Raises ValueError for nonsense, and for an intensity that restarts could never exceed."""
        positive = ("period_s", "stable_s", "ready_within_s", "stop_within_s", "hung_after_s", "park_retry_s")
        for field in positive:
            if not getattr(self, field) > 0:
                raise ValueError(f"child {self.name}: {field} must be positive")
        if not self.name:
            raise ValueError("a child needs a name")
        if self.intensity < 0:
            raise ValueError(f"child {self.name}: intensity must not be negative")
        if not 0 <= self.jitter < 1:
            raise ValueError(f"child {self.name}: jitter must lie in 0..1, 1 excluded")
        if not 0 <= self.backoff_s <= self.backoff_max_s < math.inf or self.backoff_factor < 1:
            raise ValueError(f"child {self.name}: backoff must rise from backoff_s to a finite backoff_max_s")
        span_s = self._longest_span_s()
        if self.restart is not Restart.TEMPORARY and span_s >= self.period_s:
            raise ValueError(
                f"child {self.name}: {self.intensity + 1} crashes can take {span_s:.1f} s, so a period of "
                f"{self.period_s:g} s might never hold them and the child would be restarted for ever"
            )

    @property
    def has_work(self) -> bool:
        """Is there anything left in its mailbox?"""
        return self.mailbox is not None and not self.mailbox.is_empty

    def oldest_work(self) -> tuple[float, str]:
        """What it has been at for longest: seconds, and what it is."""
        ages = [(0.0, "nothing")]
        if self.busy_s is not None:
            ages.append((self.busy_s() or 0.0, "one piece of work"))
        if self.mailbox is not None:
            ages.append((self.mailbox.in_flight_age_s or 0.0, "one message"))
        return max(ages, key=lambda each: each[0])

    def _longest_span_s(self) -> float:
        """From the first to the last crash of a child that never becomes ready: waits and longest
        backoffs."""
        span_s, backoff_s = 0.0, self.backoff_s
        for _ in range(self.intensity):
            span_s += self.ready_within_s + backoff_s * (1 + self.jitter)
            backoff_s = min(backoff_s * self.backoff_factor, self.backoff_max_s)
        return span_s


class Escalation(Exception):
    """A supervisor gave up on `child`. `stuck`: it ignored its cancel and still runs."""

    def __init__(self, child: str, reason: str, *, stuck: bool = False) -> None:
        super().__init__(f"{child}: {reason}")
        self.child = child
        self.reason = reason
        self.stuck = stuck
