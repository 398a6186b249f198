"""What a metric usually is at this time of day and week: the expected value that its residual is taken from.

Forty-eight slots of the local day, and one slot for every hour of the local week. The week is believed once it has seen
the hour in two weeks and foretells better than the day. Local time is the coach's (see LocalClock), so a clock change
moves no slot: breakfast stays at seven.
"""

from __future__ import annotations

from array import array
from typing import Any, Final

SLOT_S: Final = 1800
SLOTS: Final = 48
HOURS: Final = 168
THURSDAY: Final = 3  # the unix epoch began on one
SLOWEST: Final = 0.08 / 300.0  # share of a residual that a slot takes over per second of its own time
FASTEST: Final = 0.25
MOST: Final = 65_000  # visits that are counted
WEEK_STEP: Final = 0.3  # share that an hour of the week takes over each week
BETTER: Final = 0.9  # the week has to err so much less than the day


class Season:
    __slots__ = (
        "_before", "_begin_s", "_day", "_day_error", "_end_s", "_hour", "_hour_n", "_hour_sum", "_slot", "_visits",
        "_week", "_week_error", "_weekly", "_weeks",
    )  # fmt: skip

    def __init__(self) -> None:
        self._day = array("d", [0.0] * SLOTS)
        self._visits = array("H", [0] * SLOTS)
        self._week = array("f", [0.0] * HOURS)
        self._weeks = bytearray(HOURS)
        self._day_error = 0.0
        self._week_error = 0.0
        self._begin_s = self._end_s = 0.0  # of the half hour under way: local time
        self._slot = 0  # of it, and its visits before that
        self._before = 0
        self._weekly = False  # whether the week knows this hour
        self._hour = -1  # the hour under way, its sum and count
        self._hour_sum = 0.0
        self._hour_n = 0

    def residual(self, local_s: float, value: float, gap_s: float) -> tuple[float, bool]:
        """(value minus what is usual at this local time, whether that is known), before `value` is learned. Known is
        what another day has shown: how a value differs from those a few minutes before it is no habit of the day."""
        if not self._begin_s <= local_s < self._end_s:
            self._enter(int(local_s) // SLOT_S)
        slot, day = self._slot, self._day
        visits = self._visits[slot]
        if not visits:
            day[slot] = value
        usual = day[slot]
        residual = by_day = value - usual
        if self._weekly:
            by_week = value - self._week[self._hour]
            self._day_error += 0.005 * (abs(by_day) - self._day_error)
            self._week_error += 0.005 * (abs(by_week) - self._week_error)
            if self._week_error < BETTER * self._day_error:
                residual = by_week
        if visits < MOST:
            self._visits[slot] = visits + 1
        least = SLOWEST * gap_s if gap_s < FASTEST / SLOWEST else FASTEST
        step = 1.0 / (visits + 1)
        day[slot] = usual + (step if step > least else least) * by_day
        self._hour_sum += value
        self._hour_n += 1
        return residual, self._before >= 2

    def _enter(self, half_hour: int) -> None:
        """Another half hour begins, of local time since 1970."""
        self._begin_s = float(half_hour * SLOT_S)
        self._end_s = self._begin_s + SLOT_S
        self._slot, hour = half_hour % SLOTS, half_hour // 2 % HOURS
        self._before = self._visits[self._slot]
        if hour != self._hour:
            self._close()
            self._hour, self._hour_sum, self._hour_n = hour, 0.0, 0
        self._weekly = self._weeks[hour] >= 2

    def _close(self) -> None:
        if not self._hour_n:
            return
        mean, weeks = self._hour_sum / self._hour_n, self._weeks[self._hour]
        self._week[self._hour] += max(1.0 / (weeks + 1), WEEK_STEP) * (mean - self._week[self._hour])
        if weeks < 255:
            self._weeks[self._hour] = weeks + 1

    def pack(self) -> list[Any]:
        return [
            self._day.tobytes(), self._visits.tobytes(), self._week.tobytes(), bytes(self._weeks), self._day_error,
            self._week_error, self._hour, self._hour_sum, self._hour_n,
        ]  # fmt: skip

    def unpack(self, state: list[Any]) -> None:
        day, visits, week, weeks, self._day_error, self._week_error, self._hour, self._hour_sum, self._hour_n = state
        self._day, self._visits, self._week = array("d"), array("H"), array("f")
        self._day.frombytes(day)
        self._visits.frombytes(visits)
        self._week.frombytes(week)
        self._weeks = bytearray(weeks)
        self._begin_s = self._end_s = 0.0
