"""The anomaly detector of a counter: judges how fast it counts, and takes no restart of it for an event.

As `Anomalies`, between ticks by the least and the greatest reading. A counter that is smaller than at the last tick has
begun anew: what it shows was counted since. One that is back above where it was had sent a bad reading. Where a restart
lies inside a part of several samples nothing is said of that tick, since what was counted is not known.
"""

from __future__ import annotations

import math
from typing import Any, Final

from msgspec.structs import replace

from .anomalies import Anomalies
from .catalogue import MetricSpec
from .local_time import LocalTime
from .records import Finding
from .robust import Times, Values

HOUR_MS: Final = 3_600_000.0


def rate_spec(spec: MetricSpec) -> MetricSpec:
    """What the rate of a counter is, per hour: its own limits say nothing of it."""
    unit = None if spec.unit is None else f"{spec.unit}/h"
    title = None if spec.title is None else f"Rate of {spec.title}"
    return replace(spec, unit=unit, title=title, min_deviation=None)


class CounterAnomalies(Anomalies):
    __slots__ = ("_before", "_before_ms", "_count", "_high", "_last", "_last_ms", "_latest", "_low")

    def __init__(self, name: str, spec: MetricSpec, local: LocalTime, raised: float = 0.0) -> None:
        super().__init__(name, rate_spec(spec), local, raised)
        self._last = self._before = math.nan  # readings at the last tick; before the counter last began anew
        self._last_ms = self._before_ms = 0
        self._latest = 0.0  # rate, per hour
        self._clear()

    def _clear(self) -> None:
        self._low, self._high, self._count = math.inf, -math.inf, 0

    def note(self, total: float, low: float, high: float, count: int) -> None:
        self._low, self._high = min(self._low, low), max(self._high, high)
        self._count += count

    def add(
        self, total: float, low: float, high: float, count: int, last_ms: int, now_ms: int, *, hushed: bool
    ) -> list[Finding]:
        self.note(total, low, high, count)
        if not self._ticker.due(last_ms, now_ms):
            return []
        rate = self._rate(last_ms)
        self._clear()
        if rate is None:
            return []
        self._latest = rate
        return super().add(rate, rate, rate, 1, last_ms, now_ms, hushed=hushed)

    def add_many(self, times: Times, values: Values, now_ms: int, *, hushed: bool) -> list[Finding]:
        findings: list[Finding] = []
        for time_ms, value in zip(times.tolist(), values.tolist(), strict=True):
            findings += self.add(value, value, value, 1, time_ms, now_ms, hushed=hushed)
        return findings

    def active(self, value: float) -> list[Finding]:
        return super().active(self._latest)

    def _rate(self, at_ms: int) -> float | None:
        last, last_ms, reading = self._last, self._last_ms, self._high
        begun_anew = self._low < last
        if begun_anew and self._count > 1:
            self._last, self._before = math.nan, last
            return None
        self._last, self._last_ms = reading, at_ms
        if begun_anew:
            self._before, self._before_ms = last, last_ms
        elif reading >= self._before:  # it had not begun anew: one reading was bad
            last, last_ms = self._before, self._before_ms
            self._before = math.nan
        if math.isnan(last) or at_ms <= last_ms:
            return None
        return max(0.0, reading if begun_anew else reading - last) * HOUR_MS / (at_ms - last_ms)

    def pack(self) -> list[Any]:
        return [*super().pack(), self._last, self._last_ms]

    def unpack(self, state: list[Any]) -> None:
        *judged, self._last, self._last_ms = state
        super().unpack(judged)
