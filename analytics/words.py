"""Numbers, times and spans as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

NARROW: Final = "\u202f"
DIGITS: Final = {"V": 2, "°C": 1, "A": 1, "%": 0, "W": 0, "Hz": 2, "rpm": 0, "ms": 0}


def number(value: float, unit: str | None, more: int = 0) -> str:
    """`value` rounded for its unit (three significant digits where the unit is not known), with the unit. `more`: so
    many digits more than usual."""
    digits = DIGITS.get(unit or "")
    if abs(value) >= 1e7 or (digits is None and 0 < abs(value) < 1e-3):
        text = f"{value:.{3 + more}g}"
    elif digits is None:
        digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        text = f"{value:.{digits + more}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.{digits + more}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return f"{text} {unit}" if unit else text


def apart(one: float, other: float, unit: str | None) -> tuple[str, str]:
    """Two numbers that a sentence compares: with more digits where the usual ones would make them the same."""
    for more in range(17):
        first, second = number(one, unit, more), number(other, unit, more)
        if first != second or one == other:
            break
    return first, second


def difference(value: float, unit: str | None) -> str:
    """The same of a difference of two values. Of temperatures it has a narrow no-break space before its unit: who shows
    texts in other units must know that 10 °C warmer is 18 °F warmer, and not 50."""
    text = number(value, unit)
    return text.replace(" ", NARROW) if unit == "°C" else text


def counted(count: int, one: str) -> str:
    """`1 sample`, `2,000 samples`."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def duration(span_ms: float) -> str:
    """`90 s`, `25 min`, `3.5 h`, `2.1 days`."""
    seconds = span_ms / 1000
    if seconds < 1:
        return "a moment"
    for limit, divisor, word in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            shown = seconds / divisor
            return f"{shown:.0f} {word}" if divisor < 3600 or shown >= 10 else f"{shown:.1f} {word}"
    return f"{seconds / 86_400:.1f} days"


def hour_of_day(time_ms: float) -> str:
    """`14:00 UTC`."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%H:%M} UTC"
