"""The widths of buckets that a query may name."""

from __future__ import annotations

from typing import Final

STEP_MS: Final[dict[str, int]] = {
    "1m": 60_000,
    "5m": 300_000,
    "15m": 900_000,
    "1h": 3_600_000,
    "6h": 21_600_000,
    "1d": 86_400_000,
}


def count_of(start_ms: int, end_ms: int, step_ms: int) -> int:
    """How many buckets [start, end) touches: the first and the last may be partial."""
    return -(-end_ms // step_ms) - start_ms // step_ms
