"""How far out a number is, as a probability by the tail of its own history on that side.

Two parts. A running robust location and scale turns the number into z. Two histograms of |z| > 1, one a side, on a
logarithmic scale (a third of an octave a bin), say how often it was so far out; beyond what was met the tail is
prolonged as a power law whose exponent is that of the tail so far (Hill's estimator, 1975): a metric with heavy tails
prolongs them heavily, a well-behaved one is believed when it jumps.
"""

from __future__ import annotations

import math
from array import array
from math import log2, log10
from typing import Any, Final

BINS: Final = 36  # up to |z| = 2 ** 12
PER_OCTAVE: Final = 3.0
FARTHEST: Final = 4095.0
CLIP: Final = 4.0  # deviations that teach the scale are cut here
UNCLIPPED: Final = 30  # numbers before that, which surprise nobody either
LEAST: Final = 1e-12
BIN_E: Final = math.log(2.0) / PER_OCTAVE  # a bin in natural logarithms
GENTLEST: Final = 1.0  # exponents a tail is taken for
STEEPEST: Final = 8.0
TOP: Final = 12.0  # how many of the largest make up the tail
FEW: Final = 2.0
STILL: Final = 6.0


class Tail:
    """Surprise of numbers, each against those before it."""

    __slots__ = ("_above", "_below", "_far_above", "_far_below", "_total", "mean", "seen", "spread", "z")

    def __init__(self) -> None:
        self._total = 0.0
        self._above = array("f", [0.0] * BINS)
        self._below = array("f", [0.0] * BINS)
        self._far_above = self._far_below = 0  # from here on there is nothing
        self.mean = 0.0
        self.spread = 0.0  # mean absolute deviation
        self.seen = 0
        self.z = 0.0  # of the last number

    def surprise(self, number: float, floor: float, most: float, weight: float) -> float:
        """-log10 of the probability of being so far out on that side, before `number` is learned; sets `z`.

        `floor`: what the scale is more than the spread. `most`: how many numbers the location and the scale remember.
        `weight`: of this number in the memory of the tails; never less than that of the one before.
        """
        seen = self.seen
        if not seen:
            self.mean = number
        self.seen = seen = seen + 1
        self._total = total = self._total + weight
        mean = self.mean
        spread = self.spread
        scale = spread + floor
        distance = number - mean
        size = distance if distance > 0.0 else -distance
        result = 0.0
        if size > scale:
            out = size / scale if size < FARTHEST * scale else FARTHEST
            above = distance > 0.0
            self.z = out if above else -out
            if seen > UNCLIPPED:  # before that the scale is not known, and so neither is the place
                place = int(PER_OCTAVE * log2(out))
                if above:
                    side = self._above
                    far = self._far_above
                    if place >= far:
                        self._far_above = place + 1
                else:
                    side = self._below
                    far = self._far_below
                    if place >= far:
                        self._far_below = place + 1
                beyond = sum(side[place:far]) if place < far else 0.0
                share = beyond + (0.5 * weight if beyond >= weight else _prolonged(side[:far], out, weight))
                share /= 4.0 * weight + total
                result = -log10(share) if share > LEAST else 12.0
                if not spread and result > STILL:  # it never moved: how far is far is not known
                    result = STILL
                side[place] += weight
        else:
            self.z = distance / scale if scale > 0.0 else 0.0
        if seen > UNCLIPPED and size > CLIP * spread:
            size = CLIP * spread
            distance = size if distance > 0.0 else -size
        step = 1.0 / (seen if seen < most else most)
        self.mean = mean + step * distance
        self.spread = spread + step * (size - spread)
        return result

    def lighten(self, factor: float) -> None:
        """Multiply all weights, for whoever keeps them from growing without end."""
        self._total *= factor
        for side in (self._above, self._below):
            for place in range(BINS):
                side[place] *= factor

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [self.mean, self.spread, self.seen, self._total, self._above.tobytes(), self._below.tobytes()]

    def unpack(self, state: list[Any]) -> None:
        self.mean, self.spread, self.seen, self._total, above, below = state
        self._above, self._below = array("f"), array("f")
        self._above.frombytes(above)
        self._below.frombytes(below)
        self._far_above, self._far_below = _end(self._above), _end(self._below)


def _prolonged(side: array[float], size: float, weight: float) -> float:
    """The weight of numbers so far out that the tail `side` would hold by now, were it prolonged."""
    total = excess = 0.0
    place = len(side) - 1
    while place > 0 and total < TOP * weight:
        count = side[place]
        if count:
            total += count
            excess += count * place
        place -= 1
    if total < FEW * weight:
        return 2.5 * weight / (1.0 + 0.5 * size**3)
    mean = (excess / total - place) * BIN_E
    exponent = min(STEEPEST, max(GENTLEST, 1.0 / mean if mean > 0.0 else STEEPEST))
    begin = math.exp((place + 1) * BIN_E)
    return float(total * min(1.0, (size / begin) ** -exponent))


def _end(side: array[float]) -> int:
    """The number of places up to the last that holds something."""
    return max((place + 1 for place, weight in enumerate(side) if weight), default=0)
