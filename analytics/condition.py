"""One condition of one metric (beyond a limit, implausible, deviating): when it starts, worsens, eases and ends.

A state machine with hysteresis in level and time. A stretch of samples in one zone is one step. `entry` is the level
by the limits themselves, `stay` by the limits widened towards normal; so a value that trembles on a limit starts the
condition once and ends it once. Starting, changing and ending each need `need` samples at different times and
`hold_ms` between the first and the last of them, or `hold_ms` without any further sample (`wait`).
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Side = Literal["above", "below", "none"]

UNCONFIRMED_MS: Final = 60_000  # a value that was not followed by another is believed after so long


class Turn(Struct, frozen=True):
    """The condition is now at `level` (0: over) on `side`, since `start_ms`, decided at `at_ms` by `value`."""

    level: int
    side: Side
    start_ms: int
    at_ms: int
    value: float
    samples: int


class Condition:
    __slots__ = (
        "_aim", "_aim_count", "_aim_first_ms", "_aim_side", "_aim_value", "hold_ms", "level", "need", "samples",
        "side", "start_ms",
    )  # fmt: skip

    def __init__(self, *, need: int, hold_ms: int) -> None:
        self.need = need
        self.hold_ms = hold_ms
        self.reset()

    def reset(self) -> None:
        """Nothing told, nothing under way."""
        self.level = 0  # what has been told: 0 nothing, 1 warning, 2 critical
        self.side: Side = "none"
        self.start_ms = 0
        self.samples = 0  # in the condition so far
        self._aim = -1  # the level that is about to be reached; -1: no change under way
        self._aim_side: Side = "none"
        self._aim_first_ms = 0
        self._aim_count = 0
        self._aim_value = 0.0

    @property
    def idle(self) -> bool:
        """Nothing told, nothing under way: an ordinary sample changes nothing."""
        return self.level == 0 and self._aim < 0

    def step(
        self, entry: int, stay: int, side: Side, value: float, first_ms: int, last_ms: int, count: int
    ) -> Turn | None:
        """`count` samples at different times in [first_ms, last_ms], all in one zone; `value` is the last one."""
        if entry > self.level or (entry and side != self.side):
            aim = entry
        elif stay >= self.level:
            aim = -1
        else:
            aim, side = stay, self.side
        if self.level and aim:
            self.samples += count
        if aim < 0:
            self._aim = -1
            return None
        continues = self._aim >= 0 and (self._aim > self.level) == (aim > self.level) and side == self._aim_side
        if not continues:
            self._aim_first_ms = first_ms
            self._aim_count = 0
        self._aim, self._aim_side, self._aim_value = aim, side, value
        self._aim_count += count
        if self._aim_count >= self.need and last_ms - self._aim_first_ms >= self.hold_ms:
            return self._turn(last_ms)
        return None

    def wait(self, now_ms: int) -> Turn | None:
        """Time passed and the last sample still stands."""
        if self._aim < 0:
            return None
        unconfirmed = 0 if self._aim_count >= self.need else UNCONFIRMED_MS
        if now_ms - self._aim_first_ms >= max(self.hold_ms, unconfirmed):
            return self._turn(now_ms)
        return None

    def told(self, at_ms: int, value: float) -> Turn:
        """What holds, told again."""
        return Turn(self.level, self.side, self.start_ms, at_ms, value, self.samples)

    def end(self, now_ms: int, value: float) -> Turn:
        """Call it over."""
        self._aim, self._aim_side, self._aim_value = 0, self.side, value
        return self._turn(now_ms)

    def _turn(self, at_ms: int) -> Turn:
        if self.level == 0 or self._aim_side != self.side:
            self.start_ms = self._aim_first_ms
            self.samples = self._aim_count
        self.level = self._aim
        self.side = self._aim_side
        self._aim = -1
        return self.told(at_ms, self._aim_value)
