"""How rare a value is against all the values a metric had: a growing histogram that judges density by its own past.

For each new value the histogram says how dense its neighbourhood is (how often the metric was near here), and then how
often anything *that* thin has been met before: -log10 of the share of earlier values that lay in a neighbourhood at
least as thin. So a metric whose habit is to wander into new territory raises its own bar, and one that never does is
believed at once. The neighbourhood widens with the distance from the usual value, which tracks the middle.

State: BINS fixed-point counts (two bytes each) and a few numbers; nothing depends on unit, scale or sign. How often
something was met is remembered by forward decay (Cormode et al. 2009): each value weighs more than the one before, and
whoever holds the memory says how much.
"""

from __future__ import annotations

import math
from array import array
from itertools import accumulate
from math import log10
from typing import Any, Final

BINS: Final = 512
WARM_UP: Final = 20  # values that choose the first bin width
UNIT: Final = 16  # one value in fixed point
FULL: Final = 65_535 - UNIT  # a bin that holds more tells nothing more: only thin neighbourhoods are judged
WIDENING: Final = 3  # 2 ** 3 bins of distance from the middle for one more bin of neighbourhood on either side
THIN_1: Final = 0.6 * UNIT  # the bands' lower ends
THIN_2: Final = 1.6 * UNIT
THIN_3: Final = 4.0 * UNIT
THIN_4: Final = 10.0 * UNIT
DENSE: Final = 30.0 * UNIT  # from here on nothing is rare
BANDS: Final = 5
UP_FROM: Final = tuple(tuple(range(band, BANDS)) for band in range(BANDS))
TOO_FAR: Final = 1e300  # apart to do sums with
FIRST_CHANGE: Final = 1.5  # surprise of the first value that differs, where all before were the same


class Rarity:
    """One histogram of about `width` bins over the usual range, judged with each of the half-widths `nearest`."""

    __slots__ = (
        "_center", "_counts", "_first", "_high", "_low", "_met", "_nearest", "_origin", "_repeats", "_step", "_total",
        "_width",
    )  # fmt: skip

    def __init__(self, width: int, nearest: tuple[int, ...]) -> None:
        self._width = width
        self._nearest = nearest
        self._counts = array("H")
        self._first: array[float] | None = array("d")  # until the bins are chosen
        self._repeats = 0  # of the first value, while there is no other
        self._low = math.inf
        self._high = -math.inf
        self._origin = 0.0
        self._step = 0.0
        self._center = BINS // 2
        self._total = 0.0
        # Of each half-width: the weight of the values met in each band and in those below it.
        self._met = tuple((each, array("d", [0.0] * BANDS)) for each in nearest)

    def surprise(self, value: float, weight: float) -> float:
        """-log10 of how often so rare a value comes, summed over the half-widths, before `value` is learned.

        `weight`: of this value in the memory; never less than that of the one before.
        """
        if (value < self._low or value > self._high) and not self._reaches(value):
            return 0.0
        if self._first is not None:
            return self._begin(self._first, value, weight)
        self._total = total = self._total + weight
        index = int((value - self._origin) / self._step)
        counts = self._counts
        here = counts[index]
        result = self._judged(index, here, total, weight) if here < DENSE else 0.0
        center = self._center
        if index != center:
            self._center = center + 1 if index > center else center - 1
        if here < FULL:
            counts[index] = here + UNIT
        return result

    def _judged(self, index: int, here: int, total: float, weight: float) -> float:
        """The surprise of a value in a bin that holds `here`, and so is not dense by itself.

        The range keeps to the middle of the bins (see `_reaches`), so that no neighbourhood ends beyond them.
        """
        counts = self._counts
        center = self._center
        wide = (index - center if index > center else center - index) >> WIDENING
        if wide > 2:
            near = around = sum(counts[index - wide : index + wide + 1])
        else:
            near = here + counts[index - 1] + counts[index + 1]
            around = near + counts[index - 2] + counts[index + 2]
            if wide == 2:
                near = around
        odds = 1.0
        for nearest, met in self._met:
            density = near if nearest == 1 else around
            if density < DENSE:
                band = (
                    4 if density >= THIN_4
                    else 3 if density >= THIN_3
                    else 2 if density >= THIN_2
                    else 1 if density >= THIN_1
                    else 0
                )  # fmt: skip
                odds *= total / (met[band] + 0.5 * weight)
                for each in UP_FROM[band]:
                    met[each] += weight
        return log10(odds)

    def fade(self, keep: float) -> None:
        """Let all counts shrink to `keep` of what they are; what is a third of a value or less is forgotten."""
        if self._first is None:
            self._counts = array("H", [int(count * keep) if count * keep > 0.3 * UNIT else 0 for count in self._counts])

    def lighten(self, factor: float) -> None:
        """Multiply all weights, for whoever keeps them from growing without end."""
        self._total *= factor
        for _, met in self._met:
            for band in range(BANDS):
                met[band] *= factor

    def _begin(self, first: array[float], value: float, weight: float) -> float:
        """Collect values until there are enough, and different ones, to choose the bins."""
        self._total += weight
        if self._high <= self._low:
            self._repeats += 1
            if len(first) < WARM_UP:
                first.append(value)
            return 0.0
        first.append(value)
        if len(first) < WARM_UP:
            return 0.0
        flat = self._repeats >= WARM_UP
        step = (self._high - self._low) / self._width
        if not 0.0 < step < TOO_FAR / BINS or self._low - step == self._low:  # too far apart to subtract, or too close
            first.pop()
            return 0.0
        self._step = step
        self._origin = self._low - (BINS / 2 - self._width / 2) * step
        self._counts = array("H", [0] * BINS)
        for each in first:
            self._counts[self._place(each)] += UNIT
        if flat:
            self._counts[self._place(first[0])] = min(FULL, UNIT * self._repeats)
        self._center = self._place(sorted(first)[len(first) // 2])
        self._first = None
        return FIRST_CHANGE * len(self._nearest) if flat else 0.0

    def _place(self, value: float) -> int:
        return min(BINS - 1, max(0, int((value - self._origin) / self._step)))

    def _reaches(self, value: float) -> bool:
        """Extend the range to `value`, and the bins until they hold it with room on either side: each time they double,
        and counts move to where the middle of their bin is.

        False, and nothing changed, where numbers are too far apart for that.
        """
        low, high = min(value, self._low), max(value, self._high)
        span = high - low
        if self._first is None and not span < TOO_FAR:
            return False
        self._low, self._high = low, high
        while self._first is None and span > 3 * self._width * self._step:
            old_step, old_origin = self._step, self._origin
            self._step = 2.0 * old_step
            middle = low / 2 + high / 2
            self._origin = middle - BINS / 2 * self._step
            counts = array("H", [0] * BINS)
            for index, count in enumerate(self._counts):
                if count:
                    at = self._place(old_origin + (index + 0.5) * old_step)
                    counts[at] = min(FULL, counts[at] + count)
            self._center = self._place(old_origin + (self._center + 0.5) * old_step)
            self._counts = counts
        return True

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [
            None if self._first is None else self._first.tolist(), self._repeats, self._low, self._high, self._origin,
            self._step, self._center, self._total, self._counts.tobytes(), [met.tolist() for _, met in self._met],
        ]  # fmt: skip

    def unpack(self, state: list[Any]) -> None:
        (first, self._repeats, self._low, self._high, self._origin, self._step, self._center, self._total, counts,
         sums) = state  # fmt: skip
        if isinstance(sums, bytes):  # an earlier version packed the counts last, and of each band what it holds itself
            earlier: list[list[float]] = counts
            counts, sums = sums, [list(accumulate(met)) for met in earlier]
        self._first = None if first is None else array("d", first)
        self._met = tuple((each, array("d", of_it)) for each, of_it in zip(self._nearest, sums, strict=True))
        self._counts = array("H")
        self._counts.frombytes(counts)
