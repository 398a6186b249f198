"""One metric that has thresholds: their states, and the band of values in which none of them changes.

The band is the intersection of the quiet zones (`threshold.quiet_zone`): a sample in it costs two comparisons, however
many thresholds there are. Values that were passed over are remembered by their extremes, for the peaks of alerts.
"""

from __future__ import annotations

import math

from msgspec import Struct, field

from .robust import Times, Values
from .threshold import NEVER_MS, AlertState, Threshold, quiet_zone, with_peak


class Band(Struct):
    """`low`, `high`, `until_ms`: the quiet band; `seen_*`: values passed over since a threshold was looked at."""

    name: str
    thresholds: tuple[Threshold, ...]
    states: list[AlertState]
    heard_ms: int  # when the last sample arrived, on the running clock
    last_ms: int | None = None
    last_value: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    until_ms: int = 0
    seen_low: float = math.inf
    seen_high: float = -math.inf
    missing_after_ms: int = NEVER_MS  # the shortest silence that means anything
    silent: set[str] = field(default_factory=set)  # thresholds whose silence has been judged

    def narrow(self) -> None:
        """Work the band out from thresholds and states."""
        zones = [quiet_zone(*each) for each in zip(self.thresholds, self.states, strict=True)]
        self.low = max((zone.low for zone in zones), default=-math.inf)
        self.high = min((zone.high for zone in zones), default=math.inf)
        self.until_ms = min((zone.until_ms for zone in zones), default=NEVER_MS)

    def take_over(self, thresholds: tuple[Threshold, ...], states: list[AlertState]) -> None:
        """These are its thresholds from now on."""
        before = {each.threshold_id: each for each in self.thresholds} if self.silent else {}
        self.silent = {each.threshold_id for each in thresholds if before.get(each.threshold_id) is each} & self.silent
        self.thresholds, self.states = thresholds, states
        self.missing_after_ms = min(
            (round(each.missing_after_s * 1000) for each in thresholds if each.missing != "keep"), default=NEVER_MS
        )
        self.narrow()

    def adopt(self, time_ms: int, now_ms: int) -> None:
        """Its last sample, of `time_ms`, was there before its thresholds: a start, or a new threshold. What is silent
        by then is judged."""
        for threshold, state in zip(self.thresholds, self.states, strict=True):
            stale = threshold.missing == "resolve" and now_ms - time_ms >= threshold.missing_after_s * 1000
            missed = state.phase == "firing" and state.side == "missing" and state.since_ms >= time_ms
            if missed or (stale and state.phase == "ok"):
                self.silent.add(threshold.threshold_id)

    def dues(self, before_ms: int) -> list[tuple[int, set[str]]]:
        """When, while its value stood until `before_ms`, time alone decided something, and to which thresholds it did
        not speak any more by then: those for which such a silence ends an alert."""
        if self.last_ms is None or self.until_ms >= before_ms:
            return []
        zones = [quiet_zone(*each) for each in zip(self.thresholds, self.states, strict=True)]
        ends = [
            (each.threshold_id, self.last_ms + each.missing_after_s * 1000)
            for each in self.thresholds
            if each.missing == "resolve"
        ]
        return [
            (due_ms, {id_ for id_, end_ms in ends if end_ms <= due_ms})
            for due_ms in sorted({max(zone.until_ms, self.last_ms) for zone in zones if zone.until_ms < before_ms})
        ]

    def pass_over(self, value: float, at_ms: int) -> bool:
        """Whether this value changes nothing; it is remembered then."""
        if not (self.low <= value <= self.high and at_ms < self.until_ms):
            return False
        self.seen_low = value if value < self.seen_low else self.seen_low
        self.seen_high = value if value > self.seen_high else self.seen_high
        return True

    def pass_over_all(self, times: Times, values: Values) -> bool:
        """Many samples at once, if they come in order and all of them are quiet."""
        low, high, first, last = float(values.min()), float(values.max()), int(times[0]), int(times[-1])
        quiet = self.low <= low and high <= self.high and last < self.until_ms
        if not quiet or first < (self.last_ms or first) or not bool((times[1:] >= times[:-1]).all()):
            return False
        self.last_ms, self.last_value = last, float(values[-1])
        self.seen_low, self.seen_high = min(self.seen_low, low), max(self.seen_high, high)
        return True

    def state(self, index: int) -> AlertState:
        """With the peak that was passed over since."""
        if self.seen_low > self.seen_high:
            return self.states[index]
        return with_peak(self.thresholds[index], self.states[index], self.seen_low, self.seen_high)
