"""The rate of device actions: at most so many within any span of so many seconds."""

from __future__ import annotations

from collections import deque

import trio


class ActionRate:
    """What was refused does not count."""

    def __init__(self, most: int, within_s: float) -> None:
        self._most, self._within_s = most, within_s
        self._begun_s: deque[float] = deque()  # Trio times

    def take(self) -> bool:
        """Whether one more may begin now; if so, it is counted."""
        now_s = trio.current_time()
        while self._begun_s and now_s - self._begun_s[0] > self._within_s:
            self._begun_s.popleft()
        if len(self._begun_s) >= self._most:
            return False
        self._begun_s.append(now_s)
        return True

    def give_back(self) -> None:
        """The last one that was counted did not begin after all."""
        if self._begun_s:
            self._begun_s.pop()

    def __str__(self) -> str:
        return f"{self._most} actions within {self._within_s:g} s"
