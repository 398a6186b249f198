"""What a part of ordinary samples costs a metric that nothing is to be asked of: a few comparisons in one place.

While a metric is calm its detectors are not touched: what its parts hold is added up here, and handed on in one go when
a detector wants to see a sample, or somebody asks (watch.py).
"""

from __future__ import annotations

import math
from typing import Final

LONG_MS: Final = 60_000  # a part that spans more is looked at in pieces: its mean is no value it had
FAR: Final = 1 << 62

PartSummary = tuple[int, int, float, float, float, float, int]
# first and last time; least, greatest, last value, their sum; how many


class Calm:
    """Not calm until it is armed: until then `takes` takes nothing."""

    __slots__ = (
        "arrived_ms", "before_ms", "count", "high", "last_ms", "least", "longest_ms", "low", "most", "parts", "total",
        "until_ms", "value",
    )  # fmt: skip

    def __init__(self) -> None:
        self.low = math.inf  # of the band in which nothing begins
        self.high = -math.inf
        self.last_ms = -FAR  # of the samples so far
        self.until_ms = -FAR  # a sample from then on is for the detectors to see
        self.before_ms = FAR  # and so is one that arrives then
        self.arrived_ms = 0  # the last one
        self.value = 0.0  # of it
        self._clear()

    def _clear(self) -> None:
        self.parts = self.count = self.longest_ms = 0
        self.total = 0.0
        self.least, self.most = math.inf, -math.inf

    def takes(self, part: PartSummary, now_ms: int) -> bool:
        """Take an ordinary part of rising samples. False: nothing was taken, the detectors have to see it."""
        first, last, low, high, value, total, count = part
        if (
            last >= self.until_ms
            or first < self.last_ms
            or last - first > LONG_MS
            or not (self.low <= low and high <= self.high)
            or not (self.arrived_ms <= now_ms < self.before_ms)
        ):
            return False
        self.parts += 1
        self.count += count
        self.total += total
        if low < self.least:
            self.least = low
        if high > self.most:
            self.most = high
        gap = now_ms - self.arrived_ms
        if gap > self.longest_ms:
            self.longest_ms = gap
        self.arrived_ms = now_ms
        self.last_ms = last
        self.value = value
        return True

    def arm(self, band: tuple[float, float], last_ms: int, until_ms: int, arrived_ms: int, before_ms: int) -> None:
        """Be calm from the sample at `last_ms`, which came at `arrived_ms`, until the one or the other time."""
        self._clear()
        self.low, self.high = band
        self.last_ms, self.until_ms = last_ms, until_ms
        self.arrived_ms, self.before_ms = arrived_ms, before_ms

    def end(self) -> None:
        """Be calm no more; what was taken stays to be read until it is armed again."""
        self.until_ms = -FAR
