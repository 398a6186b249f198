"""The detectors of all metrics, by name: what the recorder hands samples to, and what the sweep asks.

Owns one MetricWatch per metric, and the view across them that no single one has: when the whole feed stops (the bus
gateway died, not four hundred sensors), that is one finding about the metric ALL, and the single ones stay hushed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from .budget import Budget
from .calm import PartSummary
from .catalogue import Catalogue
from .limits import is_beyond
from .local_time import UTC_TIME, LocalTime
from .records import Finding, FindingKind
from .robust import Times, Values
from .watch import SMALL, MetricWatch

__all__ = ["ALL", "EXAMINED", "MetricWatch", "Part", "Watchlist", "examine"]

ALL: Final = "*"  # the metric of findings about the feed as a whole
EXAMINED: Final = frozenset({FindingKind.LIMIT, FindingKind.IMPLAUSIBLE, FindingKind.SILENT})
MANY_PARTS: Final = 8  # from here on, one look at all of them costs less than one at each
MIN_METRICS: Final = 5  # fewer that stop together are told one by one
PROMPT_MS: Final = 30_000  # metrics never quiet for so long tell soonest that the feed stopped ...
MISSING_MS: Final = 45_000  # ... when they have been quiet for so long
SPARE: Final = 8  # an eighth more than the limit: looking for who goes takes a while
CLOCK_JUMP_MS: Final = 600_000  # no process sleeps so long between sweeps: the clock was set, or the computer slept


class Part(Protocol):
    """Samples of one metric (storage's SeriesPart fits)."""

    @property
    def name(self) -> str: ...
    @property
    def times(self) -> Times: ...
    @property
    def values(self) -> Values: ...


class Watchlist:
    """All metrics' detectors. Grows by one watch per name it meets; `forget` takes one away, and past a `limit` those
    go that have been quiet for longest."""

    def __init__(
        self, catalogue: Catalogue, local_time: LocalTime = UTC_TIME, budget: Budget | None = None, *,
        anomalies: bool = True, limit: int | None = None,
    ) -> None:  # fmt: skip
        """`anomalies`: whether to look for them; `budget`: how rare they have to be to be told; `limit`: of metrics
        that speak at one time."""
        self._limit = limit
        self._catalogue = catalogue
        self._local_time = local_time
        self._budget = budget
        self._anomalies = anomalies
        self._raised = 0.0
        self._watches: dict[str, MetricWatch] = {}
        self._away: dict[str, MetricWatch] = {}  # not to be judged by how long they have been quiet: see _back
        self._outage_since_ms: int | None = None
        self._hushed = 0  # how many the outage took
        self._sweeps = 0
        self._swept_ms = 0

    def __len__(self) -> int:
        return len(self._watches)

    def observe(self, part: Part, now_ms: int) -> list[Finding]:
        """Take the samples of one metric, which arrived at `now_ms`."""
        watch = self._watches.get(part.name)
        if watch is None:
            self._catalogue.place(part.name, part.values)
            watch = self._watch(part.name)
        elif self._away and part.name in self._away:
            self._back(part.name, now_ms)
        return watch.observe(part.times, part.values, now_ms)

    def observe_all(self, parts: Sequence[Part], now_ms: int) -> list[Finding]:
        """Take the samples of several parts, in order, as `observe` would take each."""
        findings: list[Finding] = []
        summaries = _summed_up(parts) if len(parts) >= MANY_PARTS and not self._away else None
        if summaries is None:
            for part in parts:
                findings += self.observe(part, now_ms)
            return findings
        watches = self._watches
        for part, summary in zip(parts, summaries, strict=True):
            watch = watches.get(part.name)
            if watch is None:
                findings += self.observe(part, now_ms)
            elif (count := summary[6]) > SMALL or not watch.calm.takes(summary, now_ms):
                told = watch.ordinary(summary[1], summary[4], now_ms) if count == 1 else None
                if told is None:
                    told = watch.observe(part.times, part.values, now_ms)
                findings += told
                watch.arm()
        return findings

    def sweep(self, now_ms: int) -> list[Finding]:
        """What time alone decides: conditions that have held long enough, metrics that fell silent. Call it every few
        seconds."""
        self._settle()
        if self._sweeps > 2 and abs(now_ms - self._swept_ms) > CLOCK_JUMP_MS:
            for watch in self._watches.values():
                watch.cadence.rebase(now_ms)
        self._sweeps += 1
        self._swept_ms = now_ms
        self._follow_budget(now_ms)
        if self._outage_since_ms is None and self._away:  # warmed up, not heard yet: quiet counts from now on
            for name in list(self._away):
                self._back(name, now_ms)
        findings: list[Finding] = []
        overdue: list[MetricWatch] = []
        for watch in self._watches.values():
            if watch.busy:
                findings += watch.wait(now_ms)
            if watch.quiet_since_ms is None and watch.overdue(now_ms):
                overdue.append(watch)
        return findings + self._silences(overdue, now_ms)

    def warm(self, name: str, times: Times, values: Values) -> None:
        """Teach a metric's detectors from kept samples, in rising order of time, without telling anything.

        What holds at their end stands in `active`, and its end will be told. Silence is counted from the next sweep
        on: how long the process was down says nothing of the sensor.
        """
        watch = self._watch(name)
        watch.replay(times, values)
        if len(times):
            self._away[name] = watch

    def active(self, now_ms: int) -> list[Finding]:
        """Everything told and not over, told again, in no particular order."""
        return [finding for watch in self._watches.values() for finding in watch.active(now_ms)]

    def hear(self, name: str, unit: str) -> None:
        """The sender of the metric says its unit. Where that makes it another metric, its detectors begin anew."""
        if self._catalogue.hear(name, unit):
            self.forget(name)

    def has_systems(self, name: str) -> bool:
        """Whether the metric belongs to one of several systems: see `place`."""
        return self._catalogue.spec(name).has_systems

    def is_beyond(self, name: str, value: float) -> bool:
        """Whether the value is beyond a limit of the metric."""
        return is_beyond(value, self._catalogue.spec(name))

    def place(self, name: str, values: Values) -> None:
        """A metric's latest values. Where they show it to be of another system, its detectors begin anew."""
        if self._catalogue.place(name, values):
            self.forget(name)

    def forget(self, name: str) -> None:
        """The metric is gone for good: its detectors end without a word."""
        self._watches.pop(name, None)
        self._away.pop(name, None)

    def pack(self) -> dict[str, list[Any]]:
        """What the anomaly detectors have learned, by metric, as plain values: what a restart must not lose. What the
        budget has spent stands under ALL."""
        self._settle()
        learned = {name: w.anomalies.pack() for name, w in self._watches.items() if w.anomalies is not None}
        return learned if self._budget is None else learned | {ALL: self._budget.pack()}

    def unpack(self, states: Mapping[str, Any]) -> int:
        """Take back what `pack` gave; what this version cannot read is left out. Returns how many metrics it was."""
        taken = 0
        for name, state in states.items():
            if name == ALL:
                self._take_over(state)
                continue
            watch = MetricWatch(name, self._catalogue.spec(name), self._local_time, raised=self._raised)
            if watch.anomalies is None:
                continue
            try:
                watch.anomalies.unpack(state)
            except (TypeError, ValueError, IndexError, KeyError):
                continue  # of another version: that metric learns anew
            known = self._watch(name)
            known.settle()
            known.anomalies = watch.anomalies
            taken += 1
        return taken

    def _settle(self) -> None:
        for watch in self._watches.values():
            watch.settle()

    def _take_over(self, spent: Any) -> None:
        try:
            if self._budget is not None:
                self._budget.unpack(spent)
        except (TypeError, ValueError):
            return  # of another version: the week begins anew

    def _follow_budget(self, now_ms: int) -> None:
        if self._budget is None:
            return
        judged = [
            w.anomalies for w in self._watches.values() if w.anomalies is not None and w.spec.bad_direction != "none"
        ]
        self._budget.metrics = len(judged)
        self._raised = self._budget.raised(now_ms)
        for anomalies in judged:
            anomalies.raised = self._raised

    def _watch(self, name: str) -> MetricWatch:
        watch = self._watches.get(name)
        if watch is None:
            spec = self._catalogue.spec(name)
            watch = MetricWatch(name, spec, self._local_time, raised=self._raised, anomalies=self._anomalies)
            if self._limit is not None and len(self._watches) >= self._limit + self._limit // SPARE + 1:
                self._forget_quiet_ones(self._limit)
            self._watches[name] = watch
        return watch

    def _forget_quiet_ones(self, left: int) -> None:
        by_quiet = sorted(self._watches.values(), key=lambda watch: watch.cadence.last_ms)
        for watch in by_quiet[: len(by_quiet) - left]:
            self.forget(watch.name)

    def _back(self, name: str, now_ms: int) -> None:
        """It is here again, and the pause was not of its own making: nothing is learned from it."""
        self._away.pop(name).cadence.rebase(now_ms)

    def _silences(self, overdue: list[MetricWatch], now_ms: int) -> list[Finding]:
        if self._outage_since_ms is not None:
            for watch in overdue:
                self._away.setdefault(watch.name, watch)
            self._hushed = max(self._hushed, len(self._away))
            if 2 * len(self._away) > self._hushed:
                return []
            since, self._outage_since_ms = self._outage_since_ms, None
            return [_feed(since, now_ms, self._hushed, over=True)]
        if not overdue:
            return []
        if self._feed_stopped(overdue, now_ms):
            self._outage_since_ms = max(watch.cadence.last_ms for watch in overdue)
            self._away.update((watch.name, watch) for watch in overdue)
            self._hushed = len(self._away)
            return [_feed(self._outage_since_ms, now_ms, self._hushed, over=False)]
        return [told for watch in overdue if (told := watch.silent(now_ms)) is not None]

    def _feed_stopped(self, overdue: list[MetricWatch], now_ms: int) -> bool:
        """Whether most metrics that are always prompt are missing; where there are few such, most whose silence means
        something, and nothing has been heard of the others since."""
        habits = [
            watch for watch in self._watches.values()
            if watch.quiet_since_ms is None and watch.cadence.limit_ms() is not None
        ]  # fmt: skip
        prompt = [watch.cadence for watch in habits if watch.cadence.longest_ms < PROMPT_MS]
        if len(prompt) >= MIN_METRICS:
            missing = sum(now_ms - cadence.last_ms > MISSING_MS for cadence in prompt)
            return missing >= MIN_METRICS and 2 * missing >= len(prompt)
        if len(overdue) < MIN_METRICS or 2 * len(overdue) < sum(watch.missable for watch in habits):
            return False
        since_ms = max(watch.cadence.last_ms + watch.cadence.usual_ms for watch in overdue)
        return not any(watch.cadence.last_ms > since_ms for watch in self._watches.values() if not watch.missable)


def _summed_up(parts: Sequence[Part]) -> list[PartSummary] | None:
    """All parts at once, in a few calls over one array. None: one is empty or does not rise, or they are long."""
    counts = [len(part.values) for part in parts]
    total = sum(counts)
    if min(counts) == 0 or total > SMALL * len(parts):
        return None
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    if total == len(parts):
        moments, numbers = times.tolist(), values.tolist()
        return list(zip(moments, moments, numbers, numbers, numbers, numbers, counts, strict=True))
    sizes = np.array(counts, dtype=np.int64)
    lasts = np.cumsum(sizes) - 1
    falls = times[1:] < times[:-1]
    falls[lasts[:-1]] = False  # from one part to the next
    if falls.any():
        return None
    firsts = lasts + 1 - sizes
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(values, firsts).tolist()
    return list(
        zip(
            times[firsts].tolist(), times[lasts].tolist(), np.minimum.reduceat(values, firsts).tolist(),
            np.maximum.reduceat(values, firsts).tolist(), values[lasts].tolist(), sums, counts, strict=True,
        )
    )  # fmt: skip


def _feed(since_ms: int, now_ms: int, metrics: int, *, over: bool) -> Finding:
    return Finding(
        FindingKind.SILENT, ALL, now_ms, since_ms, None, None, None,
        score=0.0 if over else 1.0, confidence=0.9, samples=metrics, level="critical", over=over,
    )  # fmt: skip


def examine(catalogue: Catalogue, windows: Mapping[str, tuple[Times, Values]], now_ms: int) -> list[Finding]:
    """What holds at `now_ms` as far as kept samples alone can tell: the kinds in EXAMINED, never `over`.

    Deviations are not among them: they rest on a longer memory than a window has.
    """
    watchlist = Watchlist(catalogue, anomalies=False)
    for name, (times, values) in windows.items():
        watchlist._watch(name).replay(times, values)
    found = watchlist.sweep(now_ms)
    feed = [finding for finding in found if finding.metric == ALL]
    return feed + [finding for finding in watchlist.active(now_ms) if finding.kind in EXAMINED]
