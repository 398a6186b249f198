"""Whether a metric is stuck: the very same value for far longer than it ever repeats itself.

Learned: how often a tick repeats the one before, and the longest repetition (both fade). Told when a repetition is
RATIO times longer than any before, longer than LEAST_TICKS ticks, and more unlikely than 10 ** -UNLIKELY if ticks
repeated each other by chance. What is switched off rests at 0 and what is full at 100 %, for weeks if need be: there
nothing is stuck. In the first days the value must not be an end of the metric's range either, whatever that is: the
longest rest there is not known yet.
"""

from __future__ import annotations

import math
from typing import Any, Final

RATIO: Final = 3.0
LEAST_TICKS: Final = 30
LEAST_S: Final = 600.0
UNLIKELY: Final = 8.0
MIN_CHANGES: Final = 50  # before anything is said
RESTS: Final = (0.0, 100.0)  # nothing, and all of a percentage
KNOWN_S: Final = 7 * 86_400.0  # from then on a rest at an end of the range is judged as any other
STEP: Final = 1 / 500  # weight of a tick in the learned share of repetitions ...
LEAST_SHARE: Final = 0.001  # ... which is never less
FADE_S: Final = 60 * 86_400.0  # the longest repetition is worth half after so long


class Stuck:
    """`take` ticks; `since_s` is not None while the metric is stuck."""

    __slots__ = (
        "_at_s", "_changes", "_first_s", "_high", "_longest_s", "_low", "_run", "_run_s", "_share", "_value",
        "since_s",
    )  # fmt: skip

    def __init__(self) -> None:
        self._value = math.nan
        self._run = 0
        self._run_s = 0.0
        self._share = 0.5
        self._longest_s = 0.0
        self._changes = 0
        self._at_s = self._first_s = 0.0
        self._low = math.inf
        self._high = -math.inf
        self.since_s: float | None = None

    @property
    def run(self) -> int:
        """How many ticks the value has been what it is."""
        return self._run

    def take(self, at_s: float, value: float, *, moved: bool) -> bool:
        """Learn a tick (`moved`: its samples differ among themselves). True when it became stuck, or came loose."""
        if value == self._value and not moved:
            self._run += 1
            self._at_s = at_s
            if self.since_s is not None or not self._is_stuck(at_s - self._run_s):
                return False
            self.since_s = self._run_s
            return True
        if not self._changes:
            self._first_s = at_s
            self._low = self._high = value
        self._changes += 1
        was_stuck = self.since_s is not None
        if not was_stuck:  # what a broken sensor does is not its habit
            share = self._share
            if self._run:
                lasted = self._at_s - self._run_s
                fade = 0.5 ** (max(0.0, at_s - self._at_s) / FADE_S)
                self._longest_s = max(self._longest_s * fade, lasted)
                share = 1.0 - (1.0 - share) * (1.0 - STEP) ** self._run
            share *= 1.0 - STEP
            self._share = share if share > LEAST_SHARE else LEAST_SHARE
        self.since_s = None
        self._value = value
        self._run = 0
        self._run_s = self._at_s = at_s
        if value < self._low:
            self._low = value
        elif value > self._high:
            self._high = value
        return was_stuck

    def _is_stuck(self, lasted_s: float) -> bool:
        if self._run < LEAST_TICKS or lasted_s < max(LEAST_S, RATIO * self._longest_s) or self._changes < MIN_CHANGES:
            return False
        if -self._run * math.log10(self._share) < UNLIKELY or self._run_s - self._first_s < lasted_s:
            return False
        if self._value in RESTS:
            return False
        return self._value not in (self._low, self._high) or self._run_s - self._first_s > KNOWN_S

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [
            self._value, self._run, self._run_s, self._share, self._longest_s, self._changes, self._at_s, self._first_s,
            self._low, self._high, self.since_s,
        ]  # fmt: skip

    def unpack(self, state: list[Any]) -> None:
        (self._value, self._run, self._run_s, self._share, self._longest_s, self._changes, self._at_s, self._first_s,
         self._low, self._high, self.since_s) = state  # fmt: skip
