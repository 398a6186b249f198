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
from typing import Any, Final

BINS: Final = 512
WARM_UP: Final = 20  # values that choose the first bin width
UNIT: Final = 16  # one value in fixed point
FULL: Final = 65_535 - UNIT  # a bin that holds more tells nothing more: only thin neighbourhoods are judged
WIDENING: Final = 3  # 2 ** 3 bins of distance from the middle for one more bin of neighbourhood on either side
THINNEST: Final = 0.6 * UNIT
THIN: Final = (1.6 * UNIT, 4.0 * UNIT, 10.0 * UNIT)
DENSE: Final = 30.0 * UNIT  # from here on nothing is rare
BANDS: Final = 5  # between those, thin to dense
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
        # Of each half-width: the weight of the values met in each band.
        self._met = tuple((each, array("d", [0.0] * BANDS)) for each in nearest)

    def surprise(self, value: float, weight: float) -> float:
        """-log10 of how often so rare a value comes, summed over the half-widths, before `value` is learned.

        `weight`: of this value in the memory; never less than that of the one before.
        """
        if value < self._low:
            self._low = value
        if value > self._high:
            self._high = value
        if self._first is not None:
            return self._begin(self._first, value, weight)
        place = (value - self._origin) / self._step
        if not 1.0 <= place < BINS - 1 or self._high - self._low > 3 * self._width * self._step:
            if not self._widen(value):
                return 0.0
            place = (value - self._origin) / self._step
        index = int(place)
        counts = self._counts
        here = counts[index]
        self._total = total = self._total + weight
        result = self._judged(index, counts, total, weight) if here < DENSE else 0.0
        center = self._center
        if index != center:
            self._center = center + 1 if index > center else center - 1
        if here < FULL:
            counts[index] = here + UNIT
        return result

    def _judged(self, index: int, counts: array[int], total: float, weight: float) -> float:
        """The surprise of a value in a bin that is not dense by itself."""
        center = self._center
        wide = (index - center if index > center else center - index) >> WIDENING
        result = 0.0
        half = -1
        density = 0
        for nearest, met in self._met:
            if nearest < wide:
                nearest = wide
            if nearest != half:
                half = nearest
                start = index - half
                density = sum(counts[start if start > 0 else 0 : index + half + 1])
            if density < DENSE:
                if density < THINNEST:
                    band = 0
                    rarer = met[0]
                elif density < THIN[0]:
                    band = 1
                    rarer = met[0] + met[1]
                elif density < THIN[1]:
                    band = 2
                    rarer = met[0] + met[1] + met[2]
                elif density < THIN[2]:
                    band = 3
                    rarer = met[0] + met[1] + met[2] + met[3]
                else:
                    band = 4
                    rarer = met[0] + met[1] + met[2] + met[3] + met[4]
                result += math.log10(total / (rarer + 0.5 * weight))
                met[band] += weight
        return result

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

    def _widen(self, value: float) -> bool:
        """Double the bins until `value` and the whole range fit; counts move to where the middle of their bin is.

        False, and nothing changed, where numbers are too large for that.
        """
        if not self._high - self._low < TOO_FAR:
            return False
        while True:
            place = (value - self._origin) / self._step
            if 1.0 <= place < BINS - 1 and self._high - self._low <= 3 * self._width * self._step:
                return True
            old_step, old_origin = self._step, self._origin
            self._step = 2.0 * old_step
            middle = self._low / 2 + self._high / 2
            self._origin = middle - BINS / 2 * self._step
            counts = array("H", [0] * BINS)
            for index, count in enumerate(self._counts):
                if count:
                    at = self._place(old_origin + (index + 0.5) * old_step)
                    counts[at] = min(FULL, counts[at] + count)
            self._center = self._place(old_origin + (self._center + 0.5) * old_step)
            self._counts = counts

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [
            None if self._first is None else self._first.tolist(), self._repeats, self._low, self._high, self._origin,
            self._step, self._center, self._total, [met.tolist() for _, met in self._met], self._counts.tobytes(),
        ]  # fmt: skip

    def unpack(self, state: list[Any]) -> None:
        (first, self._repeats, self._low, self._high, self._origin, self._step, self._center, self._total, met,
         counts) = state  # fmt: skip
        self._first = None if first is None else array("d", first)
        self._met = tuple((each, array("d", of_it)) for each, of_it in zip(self._nearest, met, strict=True))
        self._counts = array("H")
        self._counts.frombytes(counts)
