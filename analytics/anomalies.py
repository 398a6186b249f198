"""What the anomaly detector of one metric tells: samples into ticks, ticks to the judge, verdicts to findings.

Promises
- An ordinary sample costs a comparison and a few additions; a tick costs some 50 µs, and ticks are rare (ticks.py).
- A metric the catalogue calls harmless (`bad_direction: none`) is told of only when it is stuck, and costs less still.
- Nothing is told of the harmless side, of less than the catalogue's `min_deviation`, or while hushed; what was not told
  when it began is not told when it ends.
"""

from __future__ import annotations

from typing import Any, Final

from .catalogue import MetricSpec
from .finding import anomaly_finding
from .judge import Judge, Verdict
from .local_time import LocalTime
from .records import Finding, FindingKind
from .robust import TAME, Times, Values
from .ticks import Tick, Ticker

ONE_SIDED: Final = (FindingKind.SPIKE, FindingKind.STEP, FindingKind.DRIFT)


class Anomalies:
    """`told` is the kind that has been told and is not over. `raised`: how far beyond its level a score has to be."""

    __slots__ = ("_judge", "_name", "_spec", "_ticker", "raised", "told")

    def __init__(self, name: str, spec: MetricSpec, local: LocalTime, raised: float = 0.0) -> None:
        self._name = name
        self._spec = spec
        self._ticker = Ticker()
        self._judge = Judge(local, scored=spec.bad_direction != "none")
        self.raised = raised
        self.told: FindingKind | None = None

    def calm(self, last_ms: int) -> tuple[int, int]:
        """(a time of samples, a time of arrival): before either of them samples after `last_ms` complete no tick, as
        long as no clock is set back."""
        return self._ticker.calm(last_ms)

    def note(self, total: float, low: float, high: float, count: int) -> None:
        """Take samples by their sum and range, which complete no tick."""
        self._ticker.add(total, low, high, count)

    def add(
        self, total: float, low: float, high: float, count: int, last_ms: int, now_ms: int, *, hushed: bool
    ) -> list[Finding]:
        """Take a few samples, the last of them at `last_ms`."""
        tick = self._ticker.take(total, low, high, count, last_ms, now_ms)
        return [] if tick is None else self._look(tick, hushed)

    def add_many(self, times: Times, values: Values, now_ms: int, *, hushed: bool) -> list[Finding]:
        """Take any number of rising samples."""
        findings: list[Finding] = []
        for tick in self._ticker.cut(times, values, now_ms):
            findings += self._look(tick, hushed)
        return findings

    def active(self, value: float) -> list[Finding]:
        """What has been told and is not over, told again."""
        verdict = self._judge.held(value) if self.told is not None else None
        return [] if verdict is None else [self._finding(verdict, verdict.start_s)]

    def _look(self, tick: Tick, hushed: bool) -> list[Finding]:
        if not (tick.low > -TAME and tick.high < TAME):
            return []
        findings = []
        for verdict in self._judge.take(tick, self.raised):
            if verdict.over:
                if self.told is verdict.kind:
                    findings.append(self._finding(verdict, tick.at_ms / 1000))
                self.told = None
            elif not hushed and self._matters(verdict):
                self.told = verdict.kind
                findings.append(self._finding(verdict, tick.at_ms / 1000))
        return findings

    def _matters(self, verdict: Verdict) -> bool:
        spec = self._spec
        if verdict.kind is FindingKind.STUCK:
            return True
        if spec.bad_direction != "both" and spec.bad_direction != verdict.side:
            return False
        least = spec.min_deviation
        if least is None or verdict.kind not in ONE_SIDED:
            return True
        return abs(verdict.value - (verdict.low + verdict.high) / 2) >= least

    def _finding(self, verdict: Verdict, at_s: float) -> Finding:
        return anomaly_finding(self._name, verdict, round(at_s * 1000), self._judge.run)

    def pack(self) -> list[Any]:
        """What it has learned as plain values, for `unpack`; what is told is not part of it."""
        return [self._ticker.pack(), self._judge.pack()]

    def unpack(self, state: list[Any]) -> None:
        """Raises ValueError or TypeError when `state` was not made by this version's `pack`."""
        ticker, judge = state
        self._ticker.unpack(ticker)
        self._judge.unpack(judge)
