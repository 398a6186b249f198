"""The wall clock, and how far it may be believed when history is about to be deleted.

An RV's computer often has no battery for its clock: it starts years off and jumps when the network comes.
Stamps take the raw clock. Retention takes `horizon_ms`, which a wrong clock cannot drive ahead: a clock that
jumps five years ahead must not purge five years of history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

TOLERANCE_MS: Final = 5 * 60 * 1000  # drift and small corrections are believed at once
PROBATION_MS: Final = 24 * 3600 * 1000  # how long a new offset must hold before it is believed


class TrustedClock:
    """Anchored at construction: offset = wall clock minus monotonic clock. Asks both only when it is
    asked."""

    def __init__(self, wall_ms: Callable[[], int], monotonic: Callable[[], float] = trio.current_time) -> None:
        self._wall_ms = wall_ms
        self._monotonic_s = monotonic
        self._offset_ms = wall_ms() - self._running_ms()  # the believed one
        self._new_offset_ms: int | None = None  # on probation
        self._new_since_ms = 0  # monotonic

    @property
    def trusted(self) -> bool:
        """Does the wall clock agree with the believed offset?"""
        return abs(self._wall_ms() - self._running_ms() - self._offset_ms) <= TOLERANCE_MS

    def now_ms(self) -> int:
        """The wall clock as it is."""
        return self._wall_ms()

    def horizon_ms(self) -> int:
        """The time from which ages are reckoned. Ask now and then: probation takes note of nothing in
        between.

        It is the wall clock, but never more than TOLERANCE_MS ahead of what the monotonic clock makes of the
        believed offset; a new offset is believed when the wall clock has kept to it for PROBATION_MS. So it
        goes back only when somebody sets the clock back, and then less is deleted, not more.
        """
        wall_ms, running_ms = self._wall_ms(), self._running_ms()
        self._judge(wall_ms - running_ms, running_ms)
        return min(wall_ms, running_ms + self._offset_ms + TOLERANCE_MS)

    def _judge(self, offset_ms: int, running_ms: int) -> None:
        if abs(offset_ms - self._offset_ms) <= TOLERANCE_MS:
            self._new_offset_ms = None
        elif self._new_offset_ms is None or abs(offset_ms - self._new_offset_ms) > TOLERANCE_MS:
            self._new_offset_ms, self._new_since_ms = offset_ms, running_ms
        elif running_ms - self._new_since_ms >= PROBATION_MS:
            self._offset_ms, self._new_offset_ms = offset_ms, None

    def _running_ms(self) -> int:
        return round(self._monotonic_s() * 1000)
