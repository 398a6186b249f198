"""The budget: how many bytes the archive may take, and what has to give way when they run short.

Pure. The file never passes `hard` (SQLite's max_page_count); from `soft` on the oldest samples are thinned to minutes,
the oldest minutes to hours, the oldest hours are deleted. Each of the three has a share of the room: otherwise minutes
of thirty days would leave no room for samples, or samples none for yesterday's minutes. What waits to be packed cannot
be thinned, so it is packed before it takes much of the room, or much of the log when it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

DAY_MS: Final = 86_400_000
STEPS_MS: Final = (0, 60_000, 3_600_000)  # of a tier: as it came, minutes, hours
SHARES: Final = (0.50, 0.35, 0.15)  # of the room below `soft`, by tier
SOFT: Final = 0.85
SOFT_OF_FILE: Final = 0.91  # of a small budget the log takes so much that 85 % would lie past the file's own bound
LOG_SHARE: Final = 0.06  # of the budget, for the write-ahead log beside the file
LOG_BYTES: Final = (256 << 10, 8 << 20)  # but at least and at most


class Budget(Struct, frozen=True):
    """Bytes. `total` is what the user allows for file and write-ahead log together."""

    total: int

    @property
    def log(self) -> int:
        """What of it the write-ahead log may take."""
        return min(max(round(self.total * LOG_SHARE), LOG_BYTES[0]), LOG_BYTES[1])

    @property
    def hard(self) -> int:
        """The file's own bound."""
        return max(self.total - self.log, self.total // 2)

    @property
    def soft(self) -> int:
        """From here on old samples are thinned."""
        return round(min(self.total * SOFT, self.hard * SOFT_OF_FILE))


class Use(Struct, frozen=True):
    """What is taken: bytes in pages that hold something, of chunks by tier, and of what has not been packed yet."""

    used: int
    by_tier: Mapping[int, int]
    journal: int = 0


def packs_first(budget: Budget, use: Use) -> bool:
    """What has not been packed yet has grown as large as the log, through which it goes when it is."""
    return use.journal > budget.log


def gives_way(budget: Budget, use: Use) -> int | None:
    """The tier whose oldest part goes next; None while there is room. Of those beyond their share the one that is
    furthest beyond; tiers that hold nothing never."""
    if use.used <= budget.soft:
        return None
    beyond = {tier: held - SHARES[tier] * budget.soft for tier, held in use.by_tier.items() if held}
    return max(beyond, key=lambda tier: beyond[tier]) if beyond else None


def days_until_thinning(budget: Budget, used: int, bytes_per_day: float, retention_days: float | None) -> float | None:
    """At this rate. None: never, since what is older than the retention goes first, or nothing comes in."""
    if used >= budget.soft:
        return 0.0
    if bytes_per_day <= 0.0 or (retention_days is not None and bytes_per_day * retention_days <= budget.soft):
        return None
    return (budget.soft - used) / bytes_per_day
