"""A metric's own recent baseline, learned as it streams by, and the band outside which a value deviates from it.

State: 240 samples, at least 7.5 s apart (so 30 minutes of a fast metric, longer of a slow one), and an envelope: the
levels the metric has stayed at in the last days, fading with three days. The band is the wider of

    median -+ WIDTH robust sigmas of the recent samples        (Hampel's identifier, with a floor)
    the envelope, widened by a quarter of its height           (what has been normal before is not news)

The floor keeps a metric that hardly moves from alarming at the next digit: never less than the catalogue's
`min_deviation`, five steps of the metric's own resolution, or (without a catalogue entry) 2 % of the level. A metric
that mostly lies still, or knows fewer than MIN_DISTINCT values, says nothing about its noise and has no band, unless
the catalogue gives `min_deviation`.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

import numpy as np

from .catalogue import BadDirection
from .condition import Condition, Side
from .robust import MAD_TO_SIGMA, TAME, Times, Values

CAPACITY: Final = 240
SPACING_MS: Final = 7_500
MIN_SAMPLES: Final = 60
MIN_SPAN_MS: Final = 600_000
REFRESH: Final = 8  # kept samples between two looks: a minute of a fast metric
WIDTH: Final = 8.0  # robust sigmas
YOUNG_WIDTH: Final = 12.0  # while less than YOUNG_MS is known
YOUNG_MS: Final = 6 * 3_600_000
MIN_DISTINCT: Final = 5
RELATIVE_FLOOR: Final = 0.02
MARGIN: Final = 0.25
FADE_MS: Final = 3 * 86_400_000.0


class Baseline:
    """`low` and `high` are the band, infinite while there is none; `inner_*` is half of it: back in there is back."""

    __slots__ = (
        "_at", "_envelope_high", "_envelope_low", "_first_ms", "_fresh", "_min_deviation", "_refreshed_ms", "_ring",
        "high", "inner_high", "inner_low", "keep_at_ms", "low", "median", "sigma",
    )  # fmt: skip

    def __init__(self, min_deviation: float | None = None) -> None:
        self._min_deviation = min_deviation
        self._envelope_low = math.inf
        self._envelope_high = -math.inf
        self.restart()

    def restart(self) -> None:
        """Forget the recent samples (the metric has a new level); what was normal before stays in the envelope."""
        self._ring = array("d")
        self._at = 0
        self._fresh = 0
        self._first_ms = 0
        self._refreshed_ms = 0
        self.keep_at_ms = -(1 << 62)
        self.median = 0.0
        self.sigma = 0.0
        self.low = self.inner_low = -math.inf
        self.high = self.inner_high = math.inf

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def ready(self) -> bool:
        return self.low > -math.inf

    def keep(self, time_ms: int, value: float) -> bool:
        """Take a sample not earlier than `keep_at_ms`. True when the band may have moved."""
        self._put(time_ms, value)
        return self._due(time_ms)

    def keep_many(self, times: Times, values: Values) -> bool:
        """Take of samples in rising order those that are far enough apart, and look at the band once at the end."""
        fresh = int(np.searchsorted(times, self.keep_at_ms))
        if fresh == len(times):
            return False
        moments, numbers = times[fresh:], values[fresh:]
        if len(moments) > CAPACITY:  # one of each slot is near enough to the spacing
            slots = (moments - moments[0]) // SPACING_MS
            firsts = np.flatnonzero(np.diff(slots, prepend=-1))
            moments, numbers = moments[firsts], numbers[firsts]
        for time_ms, value in zip(moments.tolist(), numbers.tolist(), strict=True):
            if time_ms >= self.keep_at_ms:
                self._put(time_ms, value)
        return self._due(int(times[-1]))

    def _put(self, time_ms: int, value: float) -> None:
        ring = self._ring
        if len(ring) < CAPACITY:
            if not ring:
                self._first_ms = time_ms
            ring.append(value)
        else:
            ring[self._at] = value
            self._at = (self._at + 1) % CAPACITY
        self.keep_at_ms = time_ms + SPACING_MS
        self._fresh += 1

    def _due(self, time_ms: int) -> bool:
        if self._fresh < REFRESH or len(self._ring) < MIN_SAMPLES or time_ms - self._first_ms < MIN_SPAN_MS:
            return False
        self._fresh = 0
        self._refresh(time_ms)
        return True

    def levels(self, value: float, bad: BadDirection, held: Condition) -> tuple[int, int, Side]:
        """(1 when `value` is outside the band, 1 when it is not well inside again, the side): see Condition.step."""
        side: Side = "none"
        entry = False
        if value > self.inner_high and bad != "below":
            side, entry = "above", value > self.high
        elif value < self.inner_low and bad != "above":
            side, entry = "below", value < self.low
        stay = side != "none" and (not held.level or side == held.side)
        return int(entry), int(stay), side

    def stayed_at(self, level: float) -> None:
        """The metric has stayed at `level` for long enough to be told of: from now on that is known."""
        self._envelope_low = min(self._envelope_low, level)
        self._envelope_high = max(self._envelope_high, level)

    def _refresh(self, time_ms: int) -> None:
        ordered = np.array(self._ring)
        ordered.sort()
        lowest, highest = ordered.item(0), ordered.item(-1)
        if max(-lowest, highest) > TAME:
            self.low = self.inner_low = -math.inf  # no arithmetic with numbers at the edge of what doubles hold
            self.high = self.inner_high = math.inf
            return
        count = len(ordered)
        self.median = middle = ordered.item(count // 2)
        distances = ordered - middle
        np.abs(distances, out=distances)
        distances.partition(count // 2)
        self.sigma = sigma = MAD_TO_SIGMA * distances.item(count // 2)
        steps = ordered[1:] - ordered[:-1]
        risen = steps > 1e-12 * abs(middle)
        rises = int(np.count_nonzero(risen))
        self._fade(time_ms, ordered.item(count // 50), ordered.item(-1 - count // 50))
        floor = self._min_deviation
        if floor is None:
            if sigma <= 0.0 or rises < MIN_DISTINCT - 1:
                self.low = self.inner_low = -math.inf
                self.high = self.inner_high = math.inf
                return
            floor = RELATIVE_FLOOR * abs(middle)
        width = YOUNG_WIDTH if time_ms - self._first_ms < YOUNG_MS else WIDTH
        half = max(width * sigma, floor)
        if rises and 5.0 * (highest - lowest) > half * rises:  # else the least of them is too small to count
            half = max(half, 5.0 * steps[risen].min().item())
        margin = max(MARGIN * (self._envelope_high - self._envelope_low), 0.25 * half)
        self.low = min(middle - half, self._envelope_low - margin)
        self.high = max(middle + half, self._envelope_high + margin)
        self.inner_low = 0.5 * (self.low + middle)
        self.inner_high = 0.5 * (self.high + middle)

    def _fade(self, time_ms: int, low: float, high: float) -> None:
        """Let the envelope shrink towards what is recent, and grow at once where that goes beyond it."""
        share = min(1.0, max(0, time_ms - self._refreshed_ms) / FADE_MS) if self._refreshed_ms else 0.0
        self._refreshed_ms = time_ms
        if self._envelope_low < low:
            low = self._envelope_low + share * (low - self._envelope_low)
        if self._envelope_high > high:
            high = self._envelope_high + share * (high - self._envelope_high)
        self._envelope_low, self._envelope_high = low, high
