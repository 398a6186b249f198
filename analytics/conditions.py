"""The conditions one metric can be in: beyond a limit, implausible, off its own baseline.

Owns the three state machines, the baseline that the last one rests on, and the two bounds within which a sample can
begin none of them. False alarms are worse than misses: limits wait for the catalogue's hold time, and for a second
sample where samples come fast; deviation wants five samples and half a minute beyond a wide band (see baseline.py).
"""

from __future__ import annotations

import math
from typing import Final

from .baseline import Baseline
from .catalogue import MetricSpec
from .condition import Condition, Side, Turn
from .finding import finding
from .limits import limit_levels, stay_limits
from .records import Finding, FindingKind

STALE_MS: Final = 15 * 60_000
FAST_MS: Final = 10_000.0  # a metric heard from more often has to say it twice
ADOPT_MS: Final = 60 * 60_000  # a deviation that lasts so long is the new normal
DEVIATION_HOLD_MS: Final = 30_000


class Conditions:
    """Of the metric `name`, judged by `spec`."""

    __slots__ = ("_fixed", "_name", "_spec", "_stay", "baseline", "deviation", "implausible", "limit")

    def __init__(self, name: str, spec: MetricSpec) -> None:
        self._name = name
        self._spec = spec
        self._stay = stay_limits(spec)
        lows = (spec.plausible_low, spec.warn_low, spec.critical_low)
        highs = (spec.plausible_high, spec.warn_high, spec.critical_high)
        self._fixed = (
            max((low for low in lows if low is not None), default=-math.inf),
            min((high for high in highs if high is not None), default=math.inf),
        )
        self.limit = Condition(need=1, hold_ms=int(spec.hold_s * 1000))
        self.implausible = Condition(need=3, hold_ms=0)
        self.deviation = Condition(need=5, hold_ms=max(DEVIATION_HOLD_MS, int(spec.hold_s * 1000)))
        judged = spec.kind == "gauge" and spec.bad_direction != "none"
        self.baseline = Baseline(spec.min_deviation) if judged else None

    def pace(self, gap_ms: float, *, known: bool) -> None:
        """How far apart samples are, and so how many of them make up a fact. `known`: there were enough to tell."""
        self.limit.need = 2 if known and gap_ms < FAST_MS else 1
        self.deviation.need = 5 if gap_ms < 60_000 else 3

    def bounds(self) -> list[float | None]:
        """Every number at which some condition changes its mind."""
        spec, baseline = self._spec, self.baseline
        bounds = [spec.off_below, spec.plausible_low, spec.critical_low, spec.warn_low, *self._stay]
        bounds += [spec.warn_high, spec.critical_high, spec.plausible_high]
        if baseline is not None:
            bounds += [baseline.low, baseline.inner_low, baseline.inner_high, baseline.high]
        return bounds

    def quiet(self) -> tuple[float, float]:
        """The bounds within which an ordinary sample changes nothing; none when something is open or under way."""
        if not (self.limit.idle and self.implausible.idle and self.deviation.idle):
            return math.inf, -math.inf
        low, high = self._fixed
        baseline = self.baseline
        if baseline is not None:
            if self._spec.bad_direction != "above":
                low = max(low, baseline.low)
            if self._spec.bad_direction != "below":
                high = min(high, baseline.high)
        return low, high

    def is_plausible(
        self, value: float, begin_ms: int, end_ms: int, count: int, now_ms: int, findings: list[Finding]
    ) -> bool:
        """Whether a stretch in one zone, `value` its last, may be judged and learned from."""
        low, high = self._spec.plausible_low, self._spec.plausible_high
        side: Side = "none"
        if low is not None and value < low:
            side = "below"
        elif high is not None and value > high:
            side = "above"
        entry = int(side != "none")
        if entry == 0 and self.implausible.idle:
            return True
        if now_ms - end_ms <= STALE_MS:
            turn = self.implausible.step(entry, entry, side, value, begin_ms, end_ms, count)
            if turn is not None:
                findings.append(self._finding(FindingKind.IMPLAUSIBLE, turn))
        return entry == 0

    def step(
        self, value: float, begin_ms: int, end_ms: int, count: int, now_ms: int, findings: list[Finding], *,
        told_otherwise: bool,
    ) -> None:  # fmt: skip
        """A plausible stretch in one zone. `told_otherwise`: an anomaly is told, so that no deviation may begin."""
        if now_ms - end_ms > STALE_MS:
            return
        entry, stay, side = limit_levels(value, self._spec, self._stay, self.limit.side)
        if entry or not self.limit.idle:
            turn = self.limit.step(entry, stay, side, value, begin_ms, end_ms, count)
            if turn is not None:
                findings.append(self._finding(FindingKind.LIMIT, turn))
        baseline = self.baseline
        if baseline is None or not (baseline.ready or self.deviation.level):
            return
        if told_otherwise and not self.deviation.level:
            return
        entry, stay, side = baseline.levels(value, self._spec.bad_direction, self.deviation)
        if entry or not self.deviation.idle:
            turn = self.deviation.step(entry, stay, side, value, begin_ms, end_ms, count)
            if turn is not None:
                findings.append(self._finding(FindingKind.DEVIATION, turn))
                if turn.level:
                    baseline.stayed_at(value)

    def adopt(self, now_ms: int, last_value: float, findings: list[Finding]) -> None:
        """A deviation that lasts is the new normal."""
        if self.deviation.level and self.baseline is not None and now_ms - self.deviation.start_ms >= ADOPT_MS:
            findings.append(self._finding(FindingKind.DEVIATION, self.deviation.end(now_ms, last_value)))
            self.baseline.restart()

    def wait(self, now_ms: int) -> list[Finding]:
        """What time alone decides: conditions that held long enough without another sample."""
        findings = []
        for kind, condition in self._all():
            turn = None if condition.idle else condition.wait(now_ms)
            if turn is not None:
                findings.append(self._finding(kind, turn))
        return findings

    def active(self, last_ms: int, last_value: float, last_implausible: float) -> list[Finding]:
        """What has been told and is not over, told again: by the last value of those that can be, or that cannot."""
        last = {FindingKind.IMPLAUSIBLE: last_implausible}
        return [
            self._finding(kind, held.told(max(held.start_ms, last_ms), last.get(kind, last_value)))
            for kind, held in self._all()
            if held.level
        ]

    def _all(self) -> tuple[tuple[FindingKind, Condition], ...]:
        return (
            (FindingKind.IMPLAUSIBLE, self.implausible),
            (FindingKind.LIMIT, self.limit),
            (FindingKind.DEVIATION, self.deviation),
        )

    def _finding(self, kind: FindingKind, turn: Turn) -> Finding:
        return finding(self._name, self._spec, self.baseline, kind, turn)
