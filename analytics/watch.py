"""The streaming detectors of one metric: limits, plausibility, deviation from its own baseline, silence, anomalies.

Promises
- A finding when something starts or changes its level, one with `over=True` when it ends, nothing while it lasts.
- An ordinary sample costs a few comparisons: the bounds within which nothing can begin are two numbers.
- Samples must come in rising order to count; late ones are passed over, and so are those older than STALE_MS as far
  as judging goes (they still teach the baseline). Equal times count as one sample where samples are counted.
- An implausible value teaches nothing, is judged for nothing but its implausibility, and told of nothing else.
- Anomalies (spike, step, drift, shape, stuck: judge.py) are looked for in ticks; while a deviation is told they are not
  told as well, nor a deviation while an anomaly is: one event is one finding.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from .anomalies import Anomalies
from .cadence import Cadence
from .calm import FAR, LONG_MS, Calm
from .catalogue import MetricSpec
from .conditions import STALE_MS, Conditions
from .counter import CounterAnomalies
from .finding import silent_finding
from .limits import zones
from .local_time import UTC_TIME, LocalTime
from .records import Finding
from .robust import Times, Values, rising

CHUNK: Final = 4096  # samples between two looks at the baseline in a large part
SMALL: Final = 64  # samples up to which plain Python beats numpy
SEEN_TWICE: Final = 10  # samples after which its pace is known
CLOCK_MS: Final = 600_000  # a last sample this far ahead of the clock: the clock was set back
NEVER: Final = -FAR
FAR_MS: Final = 86_400_000  # the gap before a first sample, for want of a better one
REPLAY: Final = 64  # samples in a step of a replay
GAP_STEP: Final = 0.05  # weight of a new gap in the usual one


class MetricWatch:
    """The detectors of the metric `name`, judged by `spec`."""

    __slots__ = (
        "_baseline", "_conditions", "_count", "_gap_ms", "_last_implausible", "_last_ms", "_last_value", "_quiet_high",
        "_quiet_low", "anomalies", "cadence", "calm", "name", "quiet_since_ms", "spec",
    )  # fmt: skip

    def __init__(
        self, name: str, spec: MetricSpec, local: LocalTime = UTC_TIME, *, raised: float = 0.0, anomalies: bool = True
    ) -> None:
        """`anomalies`: whether to look for them at all; `raised`: how far beyond its level a score has to be."""
        self.name = name
        self.spec = spec
        self.anomalies: Anomalies | None = None
        if anomalies and spec.kind == "gauge":
            self.anomalies = Anomalies(name, spec, local, raised)
        elif anomalies and spec.kind == "counter" and not spec.intermittent:
            self.anomalies = CounterAnomalies(name, spec, local, raised)
        self.cadence = Cadence()
        self.calm = Calm()
        self.quiet_since_ms: int | None = None  # not None: its silence has been told
        self._conditions = Conditions(name, spec)
        self._baseline = self._conditions.baseline
        self._count = 0
        self._gap_ms = float(FAR_MS)  # usual time between samples
        self._last_ms = NEVER
        self._last_value = 0.0  # of those that can be
        self._last_implausible = 0.0
        self._quiet_low = self._quiet_high = 0.0
        self._set_quiet()

    def observe(self, times: Times, values: Values, now_ms: int) -> list[Finding]:
        """Take samples (ms, unit). `now_ms`: the wall clock at their arrival."""
        count = len(values)
        if count == 1:
            told = self.ordinary(times.item(0), values.item(0), now_ms)
            if told is not None:
                return told
        self.settle()
        if not count:
            return []
        if 1 < count <= SMALL:
            moments, numbers = times.tolist(), values.tolist()
            first, last = moments[0], moments[-1]
            low, high = min(numbers), max(numbers)
            if (
                first >= self._last_ms
                and self._quiet_low <= low
                and high <= self._quiet_high
                and last - first <= LONG_MS
                and moments == sorted(moments)
            ):
                self.cadence.note(now_ms)
                self._gap((last - max(self._last_ms, first - FAR_MS)) / count, count)
                self._last_ms = last
                self._last_value = numbers[-1]
                baseline = self._baseline
                if baseline is not None and last >= baseline.keep_at_ms:
                    for time_ms, value in zip(moments, numbers, strict=True):
                        if time_ms >= baseline.keep_at_ms and baseline.keep(time_ms, value):
                            self._set_quiet()
                findings = [] if self.quiet_since_ms is None else self._heard(now_ms)
                if self.anomalies is not None:
                    stale = now_ms - last > STALE_MS
                    findings += self.anomalies.add(sum(numbers), low, high, count, last, now_ms, hushed=stale)
                return findings
        self.cadence.note(now_ms)
        findings = [] if self.quiet_since_ms is None else self._heard(now_ms)
        if self._last_ms > now_ms + CLOCK_MS:
            self._last_ms = NEVER
        if count > 1:
            times, values = rising(times, values)
        for start in range(0, count, CHUNK):
            self._take(times[start : start + CHUNK], values[start : start + CHUNK], now_ms, findings)
        return findings

    def ordinary(self, at_ms: int, value: float, now_ms: int) -> list[Finding] | None:
        """`observe` one sample. None: nothing was taken, it is not an ordinary one."""
        if self.calm.until_ms != NEVER:
            self.settle()
        last_ms = self._last_ms
        if at_ms < last_ms or not self._quiet_low <= value <= self._quiet_high:
            return None
        self.cadence.note(now_ms)
        self._gap(at_ms - last_ms, 1)
        self._last_ms = at_ms
        self._last_value = value
        baseline = self._baseline
        if baseline is not None and at_ms >= baseline.keep_at_ms and baseline.keep(at_ms, value):
            self._set_quiet()
        heard = [] if self.quiet_since_ms is None else self._heard(now_ms)
        if self.anomalies is None:
            return heard
        told = self.anomalies.add(value, value, value, 1, at_ms, now_ms, hushed=now_ms - at_ms > STALE_MS)
        return heard + told if heard else told

    def arm(self) -> None:
        """After a sample was observed: how long parts may pass by (see `calm`) before the next has to be."""
        if self.quiet_since_ms is not None:
            return
        last_ms, arrived_ms = self._last_ms, self.cadence.last_ms
        until_ms = before_ms = FAR
        if self._baseline is not None:
            until_ms = self._baseline.keep_at_ms
        if self.anomalies is not None:
            due_ms, wall_ms = self.anomalies.calm(last_ms)
            if due_ms > last_ms:
                until_ms = min(until_ms, due_ms)
            elif wall_ms - arrived_ms < self.cadence.usual_ms:  # the next part will be due
                return
            else:
                before_ms = wall_ms
        self.calm.arm((self._quiet_low, self._quiet_high), last_ms, until_ms, arrived_ms, before_ms)

    def settle(self) -> None:
        """Hand on to the detectors what has passed by; the next part is for them to see."""
        calm = self.calm
        if calm.until_ms == NEVER:
            return
        calm.end()
        if calm.parts:
            self.cadence.note_many(calm.parts, calm.arrived_ms, calm.longest_ms)
            span = min(calm.last_ms - self._last_ms, FAR_MS)
            self._gap(span / calm.count, calm.count, calm.parts)
            self._last_ms, self._last_value = calm.last_ms, calm.value
            if self.anomalies is not None:
                self.anomalies.note(calm.total, calm.least, calm.most, calm.count)

    def replay(self, times: Times, values: Values) -> list[Finding]:
        """Take kept samples in rising order as if each part of them had just arrived."""
        self.settle()
        findings: list[Finding] = []
        for start in range(0, len(values), REPLAY):
            part = times[start : start + REPLAY]
            self._take(part, values[start : start + REPLAY], int(part[-1]), findings)
        self.cadence.learn(times)
        return findings

    @property
    def busy(self) -> bool:
        """Whether a condition is open or under way."""
        return self._quiet_low > self._quiet_high

    def wait(self, now_ms: int) -> list[Finding]:
        """What time alone decides: conditions that held long enough without another sample, a new normal."""
        self.settle()
        findings = self._conditions.wait(now_ms)
        self._conditions.adopt(now_ms, self._last_value, findings)
        self._set_quiet()
        return findings

    def silent(self, now_ms: int) -> Finding | None:
        """A finding when the metric has been quiet for much longer than its habit. Told once per silence."""
        if self.quiet_since_ms is not None or not self.overdue(now_ms):
            return None
        self.quiet_since_ms = self.cadence.last_ms
        last_value = self._last_implausible if self._conditions.implausible.level else self._last_value
        return silent_finding(self.name, self.cadence, last_value, now_ms)

    @property
    def missable(self) -> bool:
        """Whether its silence means something. Not that of states and intermittent metrics."""
        return not self.spec.intermittent and self.spec.kind != "state"

    def overdue(self, now_ms: int) -> bool:
        """Whether it has been quiet for longer than its habit allows, where that means something."""
        self.settle()
        if not self.missable:
            return False
        limit = self.cadence.limit_ms()
        return limit is not None and now_ms - self.cadence.last_ms > limit

    def active(self, now_ms: int) -> list[Finding]:
        """What has been told and is not over, told again."""
        self.settle()
        findings = self._conditions.active(self._last_ms, self._last_value, self._last_implausible)
        if self.anomalies is not None:
            findings += self.anomalies.active(self._last_value)
        if self.quiet_since_ms is not None:
            self.quiet_since_ms = None
            told = self.silent(now_ms)
            findings += [told] if told is not None else []
        return findings

    def _gap(self, gap_ms: float, count: int, parts: int = 1) -> None:
        """Learn how far apart samples are, and so how many of them make up a fact."""
        self._count = known = self._count + count
        if known > count:
            step = 1.0 if known == 2 else GAP_STEP if parts == 1 else 1.0 - (1.0 - GAP_STEP) ** parts
            self._gap_ms += step * (gap_ms - self._gap_ms)

    def _heard(self, now_ms: int) -> list[Finding]:
        since, self.quiet_since_ms = self.quiet_since_ms or now_ms, None
        return [silent_finding(self.name, self.cadence, None, now_ms, over_since_ms=since)]

    def _take(self, times: Times, values: Values, now_ms: int, findings: list[Finding]) -> None:
        if times[0] < self._last_ms:
            fresh = times >= self._last_ms
            times, values = times[fresh], values[fresh]
            if not len(times):
                return
        last_ms = int(times[-1])
        self._gap((last_ms - max(self._last_ms, int(times[0]) - FAR_MS)) / len(times), len(times))
        if self._quiet_low <= np.minimum.reduce(values) and np.maximum.reduce(values) <= self._quiet_high:
            self._keep(times, values)
            self._look(times, values, now_ms, findings)
            self._last_value = float(values[-1])
        else:
            self._judge(times, values, now_ms, findings)
        self._last_ms = last_ms

    def _keep(self, times: Times, values: Values) -> None:
        baseline = self._baseline
        if baseline is None or times[-1] < baseline.keep_at_ms:
            return
        if baseline.keep_many(times, values):
            self._set_quiet()

    def _look(self, times: Times, values: Values, now_ms: int, findings: list[Finding]) -> None:
        if self.anomalies is not None:
            hushed = self._conditions.deviation.level > 0 or now_ms - int(times[-1]) > STALE_MS
            findings += self.anomalies.add_many(times, values, now_ms, hushed=hushed)

    def _judge(self, times: Times, values: Values, now_ms: int, findings: list[Finding]) -> None:
        """The slow path: stretches of samples in one zone, one step each."""
        conditions = self._conditions
        conditions.pace(self._gap_ms, known=self._count >= SEEN_TWICE)
        for first, end in zones(values, conditions.bounds()):
            value = float(values[end - 1])
            begin_ms, end_ms = int(times[first]), int(times[end - 1])
            distinct = end - first if end - first == 1 else 1 + int(np.count_nonzero(np.diff(times[first:end])))
            if begin_ms == self._last_ms:  # the same moment again
                distinct -= 1
            if conditions.is_plausible(value, begin_ms, end_ms, distinct, now_ms, findings):
                told = self.anomalies is not None and self.anomalies.told is not None
                conditions.step(value, begin_ms, end_ms, distinct, now_ms, findings, told_otherwise=told)
                if conditions.deviation.level == 0:
                    self._keep(times[first:end], values[first:end])
                self._look(times[first:end], values[first:end], now_ms, findings)
                self._last_value = value
            else:
                self._last_implausible = value
            self._last_ms = end_ms
        conditions.adopt(int(times[-1]), self._last_value, findings)
        self._set_quiet()

    def _set_quiet(self) -> None:
        self._quiet_low, self._quiet_high = self._conditions.quiet()
