"""How much each value of a stream resembles the one before it: the lag-one autocorrelation, with forgetting.

Constant memory, one pass; a value further out than MOST counts as that far out, so that one shout is not the habit.
"""

from __future__ import annotations

from typing import Any, Final

MOST: Final = 12.0
FADING: Final = 1_000  # values, from which on ...
FORGET: Final = 1 / FADING  # ... this of what was is forgotten with each: about the last thousand count


class Echo:
    """`take` value after value, equally weighted until FORGET counts; what was learned survives a restart by `pack`."""

    __slots__ = ("_before", "_count", "_product", "_square", "_usual")

    def __init__(self) -> None:
        self._count = 0
        self._usual = self._square = self._product = self._before = 0.0

    def take(self, value: float) -> float:
        """Learn `value`; the autocorrelation by then, about -1 to 1, and 0 where nothing varies."""
        self._count = count = self._count + 1
        share = 1.0 / count if count < FADING else FORGET
        off = (value if value < MOST else MOST) - self._usual
        self._usual += share * off
        self._square = square = self._square + share * (off * off - self._square)
        self._product += share * (off * self._before - self._product)
        self._before = off
        return self._product / square if square > 0.0 else 0.0

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [self._count, self._usual, self._square, self._product, self._before]

    def unpack(self, state: list[Any]) -> None:
        self._count, self._usual, self._square, self._product, self._before = state
