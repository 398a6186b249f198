"""What memory holds of a metric lately: as much as has to be seen again to know what holds, and since when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from storage.memory import MemoryTier
from storage.models import EMPTY_WINDOW, Window

LOOK_BACK_MS: Final = 30 * 60 * 1000
FARTHEST_MS: Final = 24 * 3_600_000


def lately(memory: MemoryTier, name: str, is_beyond: Callable[[float], bool]) -> Window:
    """The metric's last half hour; where that begins beyond a limit, so much longer (a day at most) that it does not:
    since when it is beyond the limit is told to people."""
    latest = memory.latest_of(name)
    if latest is None:
        return EMPTY_WINDOW
    end_ms, span_ms = latest.time_ms + 1, LOOK_BACK_MS
    window = memory.window(name, end_ms - span_ms, end_ms)
    while span_ms < FARTHEST_MS and len(window) and is_beyond(float(window.values[0])):
        span_ms *= 2
        window = memory.window(name, end_ms - span_ms, end_ms)
    return window
