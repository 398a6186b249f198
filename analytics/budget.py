"""The false-alarm budget: at most so many notifications a week of what is a judgement, not a fact.

A limit that is passed and a sensor that is silent are facts; they are always told and cost nothing here. That a metric
behaves strangely is a judgement, which may be wrong, and of those the owner says how many a week are welcome. The
budget does two things: it sets how rare a metric's behaviour must be to be told (each judged metric gets an equal share
of the budget, and all get less while more is told than wanted), and it holds back what would still exceed it.

Mutable and shared by the actors; no clock of its own.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Final

from msgspec import Struct

from .alarm_level import SLOPE, raised
from .records import FindingKind

WEEK_MS: Final = 7 * 86_400_000
KEPT_MS: Final = 4 * WEEK_MS  # over which the achieved rate is taken
LEAST_KNOWN_MS: Final = WEEK_MS  # a rate over less than a week would be a guess
RAISED_LOW: Final = -1.5
RAISED_HIGH: Final = 5.0
UNREACHABLE: Final = 1000.0  # no score
JUDGED: Final = frozenset({
    FindingKind.DEVIATION, FindingKind.SPIKE, FindingKind.STEP, FindingKind.DRIFT, FindingKind.SHAPE, FindingKind.STUCK,
})  # fmt: skip


class Spend(Struct, frozen=True):
    """The budget as it stands. Numbers are of the last seven days, `achieved_per_week` of the last four weeks."""

    per_week: float
    spent: int
    remaining: float
    held_back: int
    achieved_per_week: float | None  # None before a week has been watched
    raised: float


class Budget:
    """`per_week` may be changed at any time; `metrics` is how many are judged."""

    def __init__(self, per_week: float, began_ms: int = 0) -> None:
        self.per_week = per_week
        self.metrics = 1
        self._born_ms = self._began_ms = began_ms
        self._told: deque[int] = deque()
        self._held_back: deque[int] = deque()

    def spend(self, now_ms: int) -> bool:
        """Ask for one notification. False: the week's budget is spent, the notification is held back."""
        self._forget(now_ms)
        if self._in_week(self._told, now_ms) + 1 > self.per_week:
            self._held_back.append(now_ms)
            return False
        self._told.append(now_ms)
        return True

    def raised(self, now_ms: int) -> float:
        """How far beyond its own level a metric's score has to be to be told."""
        if self.per_week <= 0.0:
            return UNREACHABLE
        above = raised(self.per_week / max(1, self.metrics))
        wanted = self._asked_per_week(now_ms) / self.per_week
        if wanted > 1.0:
            above += SLOPE * math.log10(wanted)
        return min(RAISED_HIGH, max(RAISED_LOW, above))

    def status(self, now_ms: int) -> Spend:
        self._forget(now_ms)
        spent = self._in_week(self._told, now_ms)
        watched_ms = min(KEPT_MS, now_ms - self._began_ms)
        achieved = len(self._told) * WEEK_MS / watched_ms if watched_ms >= LEAST_KNOWN_MS else None
        return Spend(
            self.per_week, spent, max(0.0, self.per_week - spent), self._in_week(self._held_back, now_ms),
            None if achieved is None else round(achieved, 2), self.raised(now_ms),
        )  # fmt: skip

    def pack(self) -> list[Any]:
        """What a restart must not lose, as plain values: a new process would spend the week's budget again."""
        return [self._born_ms, self._began_ms, list(self._told), list(self._held_back)]

    def unpack(self, state: list[Any]) -> None:
        """Take over what an earlier process told; one's own is known already. Raises ValueError or TypeError when it
        was not made by `pack`."""
        born_ms, began_ms, told, held_back = state
        if born_ms == self._born_ms:
            return
        for times, earlier in ((self._told, told), (self._held_back, held_back)):
            own = list(times)
            times.clear()
            times.extend([*sorted(int(each) for each in earlier), *own])
        self._began_ms = min(self._began_ms, int(began_ms))
        self._born_ms = int(born_ms)

    def _asked_per_week(self, now_ms: int) -> float:
        self._forget(now_ms)
        watched_ms = max(LEAST_KNOWN_MS, min(KEPT_MS, now_ms - self._began_ms))
        return (len(self._told) + len(self._held_back)) * WEEK_MS / watched_ms

    def _forget(self, now_ms: int) -> None:
        for times in (self._told, self._held_back):
            while times and not now_ms - KEPT_MS < times[0] <= now_ms:  # old, or from a clock that was ahead
                times.popleft()

    @staticmethod
    def _in_week(times: deque[int], now_ms: int) -> int:
        return sum(now_ms - WEEK_MS < at_ms <= now_ms for at_ms in times)
