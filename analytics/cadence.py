"""How often a metric is heard from, learned; and from when on its silence is worth telling.

The rule: silent after TYPICAL times the usual gap, but never before LONGEST times the longest gap remembered, nor
before MIN_SILENCE_MS; and only once the metric has been heard often and long enough to have a habit. The longest gap
fades over a week, so a metric that pauses now and then is told of once and then known.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct

from .robust import Times

TYPICAL: Final = 10.0
LONGEST: Final = 3.0
MIN_SILENCE_MS: Final = 60_000.0
MIN_ARRIVALS: Final = 20
MIN_SPAN_MS: Final = 600_000
FADE: Final = 0.6931 / (7 * 86_400_000.0)  # per ms: the longest gap is worth half after a week
STEP: Final = 0.05  # weight of a new gap in the usual one


class Cadence:
    """Learned from arrivals (`note`, as they come) or from the times of kept samples (`learn`)."""

    __slots__ = ("arrivals", "first_ms", "last_ms", "longest_ms", "usual_ms")

    def __init__(self) -> None:
        self.arrivals = 0
        self.first_ms = 0
        self.last_ms = 0
        self.usual_ms = 0.0  # exponentially weighted mean gap
        self.longest_ms = 0.0

    def note(self, now_ms: int) -> None:
        """Something arrived."""
        if self.arrivals:
            gap = now_ms - self.last_ms
            if gap > 0:
                self.usual_ms += STEP * (gap - self.usual_ms)
                if gap > self.longest_ms:
                    self.longest_ms = gap
                else:
                    self.longest_ms -= self.longest_ms * gap * FADE
            elif gap < 0:  # the clock was set back; the habit stays, its beginning moves along
                self.first_ms += gap
        else:
            self.first_ms = now_ms
        self.arrivals += 1
        self.last_ms = now_ms

    def note_many(self, arrivals: int, last_ms: int, longest_ms: float) -> None:
        """The same for `arrivals` since the last one noted, the last of them at `last_ms`, no earlier than that one;
        `longest_ms`: the longest gap among them."""
        span = last_ms - self.last_ms
        if span > 0:
            self.usual_ms += (1.0 - (1.0 - STEP) ** arrivals) * (span / arrivals - self.usual_ms)
            self.longest_ms = max(longest_ms, self.longest_ms - self.longest_ms * span * FADE)
        self.arrivals += arrivals
        self.last_ms = last_ms

    def learn(self, times: Times) -> None:
        """The same from the rising times of samples, as if each had arrived in its own time."""
        if not len(times):
            return
        gaps = np.diff(times)
        gaps = gaps[gaps > 0]
        if not self.arrivals:
            self.first_ms = int(times[0])
        self.arrivals += len(times)
        self.last_ms = max(self.last_ms, int(times[-1]))
        if len(gaps):
            self.usual_ms = max(self.usual_ms, float(gaps.mean()))
            self.longest_ms = max(self.longest_ms, float(gaps.max()))

    def rebase(self, now_ms: int) -> None:
        """Forget how long it has been quiet: the clock jumped, or nothing at all came in."""
        self.first_ms += now_ms - self.last_ms
        self.last_ms = now_ms

    def limit_ms(self) -> float | None:
        """After what quiet time the metric counts as silent; None while its habit is not known."""
        if self.arrivals < MIN_ARRIVALS or self.last_ms - self.first_ms < MIN_SPAN_MS:
            return None
        return max(MIN_SILENCE_MS, TYPICAL * self.usual_ms, LONGEST * self.longest_ms)


class Coverage(Struct, frozen=True):
    """How well samples fill a span. `covered`: 0..1, the share of the span not lost in gaps."""

    samples: int
    covered: float
    typical_gap_ms: float


def coverage(times: Times, start_ms: int, end_ms: int) -> Coverage:
    """Coverage of [start_ms, end_ms) by samples at rising `times`.

    A gap counts as lost beyond TYPICAL times the median gap (so an on-change metric is judged by its own habit); what
    lies before the first and after the last sample counts as a gap.
    """
    inside = times[(times >= start_ms) & (times < end_ms)]
    span = end_ms - start_ms
    if not len(inside) or span <= 0:
        return Coverage(0, 0.0, 0.0)
    edges = np.concatenate(([start_ms], inside, [end_ms]))
    gaps = np.diff(edges)
    typical = float(np.median(np.diff(inside))) if len(inside) > 1 else 0.0
    allowed = TYPICAL * typical
    lost = float(np.maximum(gaps - allowed, 0.0).sum())
    return Coverage(len(inside), max(0.0, min(1.0, 1.0 - lost / span)), typical)
