"""The wall clock where the coach is: what hour of the day and of the week a moment has there.

People and the sun keep local days; a furnace that comes on at 7 does so before and after the clocks change. So days,
hours and weeks are cut by wall time: unix ms plus the zone's offset at that moment. In spring a wall hour is missing,
in autumn one comes twice; whoever means over days needs no special case for either.

Pure but for reading the time zone database, once per zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import numpy as np

from .robust import Times

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAY: Final = -719_000  # since 1970: the year 1, a little inside what datetime can do
LAST_DAY: Final = 2_932_000  # the year 9997
CACHE_LIMIT: Final = 5_000  # days: 14 years


class LocalTime:
    """Wall time in `zone`. Remembers the offsets of days it was asked for; cheap to keep, cheap to make."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self.zone = zone
        self._days: dict[int, tuple[int, int, int]] = {}
        self._lately = (0, 0, 0)  # a span that was asked for last, and its offset

    def wall(self, times: Times) -> Times:
        """Wall time in ms since 1970-01-01 00:00 as the clock showed it. Shape (n,) in and out, any order."""
        if not len(times):
            return times
        first, last = int(times.min()) // DAY_MS, int(times.max()) // DAY_MS
        if last - first > CACHE_LIMIT:
            days, places = np.unique(times // DAY_MS, return_inverse=True)
            table = np.array([self._day(day) for day in days.tolist()])[places]
        else:
            table = np.array([self._day(day) for day in range(first, last + 1)])[times // DAY_MS - first]
        result: Times = times + np.where(times < table[:, 0], table[:, 1], table[:, 2])
        return result

    def offset_ms(self, at_ms: int) -> int:
        """Wall time minus UTC at this moment."""
        begin_ms, end_ms, offset = self._lately  # in one go: several threads may ask
        if begin_ms <= at_ms < end_ms:
            return offset
        day = at_ms // DAY_MS
        change, before, after = self._day(day)
        if at_ms < change:
            self._lately = day * DAY_MS, min(change, (day + 1) * DAY_MS), before
            return before
        self._lately = max(change, day * DAY_MS), (day + 1) * DAY_MS, after
        return after

    def time_of_day(self, at_ms: int) -> str:
        """As the clock shows it: `14:05`."""
        minutes = (at_ms + self.offset_ms(at_ms)) // 60_000 % 1440
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    def day_and_time(self, at_ms: int) -> str:
        """`Tue 14:05`."""
        return f"{WEEKDAYS[((at_ms + self.offset_ms(at_ms)) // DAY_MS + 3) % 7]} {self.time_of_day(at_ms)}"

    def _day(self, day: int) -> tuple[int, int, int]:
        """(moment of the change, offset before it, offset after it) of a UTC day; no change: any moment in it."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= CACHE_LIMIT:
                self._days.clear()
            known = self._days[day] = self._look_up(day)
        return known

    def _look_up(self, day: int) -> tuple[int, int, int]:
        low = min(max(day, FIRST_DAY), LAST_DAY) * DAY_MS
        high = low + DAY_MS
        before, after = self._zone_offset(low), self._zone_offset(high)
        while before != after and high - low > 1000:
            middle = (low + high) // 2000 * 1000
            if self._zone_offset(middle) == before:
                low = middle
            else:
                high = middle
        return high, before, after

    def _zone_offset(self, at_ms: int) -> int:
        offset = (EPOCH + timedelta(milliseconds=at_ms)).astimezone(self.zone).utcoffset()
        return 0 if offset is None else round(offset.total_seconds() * 1000)


UTC_TIME: Final = LocalTime()
