"""What memory holds of a metric lately: as much as has to be seen again to know what holds, and since when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from storage.memory import MemoryTier
from storage.models import EMPTY_WINDOW, Window

LOOK_BACK_MS: Final = 30 * 60 * 1000
FARTHEST_MS: Final = 24 * 3_600_000


def last_half_hour(memory: MemoryTier, name: str) -> Window:
    return _last(memory, name, LOOK_BACK_MS)


def lately(memory: MemoryTier, name: str, is_beyond: Callable[[float], bool]) -> Window:
    """The metric's last half hour; where that begins beyond a limit, the last day: since when it is beyond the limit is
    told to people."""
    window = last_half_hour(memory, name)
    return _last(memory, name, FARTHEST_MS) if len(window) and is_beyond(float(window.values[0])) else window


def _last(memory: MemoryTier, name: str, span_ms: int) -> Window:
    latest = memory.latest_of(name)
    if latest is None:
        return EMPTY_WINDOW
    return memory.window(name, latest.time_ms + 1 - span_ms, latest.time_ms + 1)
