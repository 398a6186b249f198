"""All thresholds at all metrics: what the recorder shows every sample to.

Owns the alert states, and per metric the band of values in which none of its thresholds changes: a sample in the band
costs two comparisons, however many thresholds there are. Promises
- without thresholds nothing is done;
- samples older than the newest one seen of their metric are passed over: what came late does not raise an alarm;
- a clock that is set moves the marks of all states along (`rebase`): it neither fires nor ends anything by itself;
- `changed()` hands out the states that have to be stored, until `stored` takes them off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from .catalogue import Catalogue
from .robust import Times, Values
from .threshold import (
    INITIAL,
    NEVER_MS,
    AlertEvent,
    AlertState,
    Threshold,
    advance,
    fall_silent,
    quiet_zone,
    shifted,
    with_peak,
)

CLOCK_STEP_MS: Final = 2_000  # a wall clock that leaves the running one by more was set
FEW: Final = 16  # samples that are looked at one by one at once
MAX_NAMES: Final = 20_000  # metrics without thresholds that are remembered as such

StateKey = tuple[str, str]  # threshold id, metric


class Part(Protocol):
    """Samples of one metric (storage's SeriesPart fits)."""

    @property
    def name(self) -> str: ...
    @property
    def times(self) -> Times: ...
    @property
    def values(self) -> Values: ...


@dataclass(slots=True)
class _Metric:
    """One metric that has thresholds. `low`, `high`, `until_ms`: the quiet band; `seen_*`: values passed over since."""

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


class ThresholdWatch:
    """See the module docstring. `running_ms` is a clock nobody sets; `now_ms` is the wall clock."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._thresholds: dict[str, Threshold] = {}
        self._by_metric: dict[str, tuple[Threshold, ...]] = {}
        self._by_role: dict[str, tuple[Threshold, ...]] = {}
        self._metrics: dict[str, _Metric | None] = {}  # None: it has none
        self._states: dict[StateKey, AlertState] = {}
        self._changed: dict[StateKey, AlertState | None] = {}  # None: gone
        self._offset_ms: int | None = None

    @property
    def idle(self) -> bool:
        """There is no threshold."""
        return not self._thresholds

    def thresholds(self) -> list[Threshold]:
        return list(self._thresholds.values())

    def replace(self, thresholds: Iterable[Threshold], now_ms: int) -> list[AlertEvent]:
        """These are the thresholds from now on. States of those that stay the same go on; one that was changed starts
        anew. Returns the ends of alerts whose threshold is gone or another."""
        new = {each.threshold_id: each for each in thresholds if each.enabled}
        ended: list[AlertEvent] = []
        for key, state in list(self._states.items()):
            old = self._thresholds.get(key[0])
            if old is None or new.get(key[0]) == old:
                continue
            if state.active:
                over = replace(state, phase="ok", since_ms=now_ms, ended_ms=now_ms)
                ended.append(AlertEvent(old, key[1], state, over, now_ms))
            del self._states[key]
            self._changed[key] = None
        self._thresholds = new
        self._by_metric = _grouped(new.values(), lambda each: each.metric)
        self._by_role = _grouped(new.values(), lambda each: each.role)
        known, self._metrics = self._metrics, {}
        for name, metric in known.items():
            if metric is not None:
                self._take_over(name, metric)
        return ended

    def restore(self, states: Mapping[StateKey, AlertState], now_ms: int) -> None:
        """Take back what was stored, before the first sample. Marks of a clock that ran ahead are brought to now."""
        for key, state in states.items():
            if key[0] not in self._thresholds or key in self._states:
                continue
            ahead = max(state.since_ms - now_ms, 0)
            self._states[key] = shifted(state, -ahead) if ahead else state
        for name, metric in list(self._metrics.items()):
            if metric is not None:
                self._take_over(name, metric)

    def observe(self, parts: Sequence[Part], now_ms: int, running_ms: int) -> list[AlertEvent]:
        """The events of these samples, in order."""
        self._mind_the_clock(now_ms, running_ms)
        events: list[AlertEvent] = []
        for part in parts:
            try:
                metric = self._metrics[part.name]
            except KeyError:
                metric = self._meet(part.name, running_ms)
            if metric is not None and len(part.values):
                self._observe(metric, part, running_ms, events)
        return events

    def sweep(self, now_ms: int, running_ms: int) -> list[AlertEvent]:
        """What time alone decides. Call it every second or so."""
        self._mind_the_clock(now_ms, running_ms)
        events: list[AlertEvent] = []
        for metric in self._metrics.values():
            if metric is None:
                continue
            if metric.last_ms is not None and now_ms >= metric.until_ms:
                self._step(metric, metric.last_value, max(now_ms, metric.last_ms), events)
            if running_ms - metric.heard_ms >= metric.missing_after_ms:
                self._judge_silence(metric, now_ms, running_ms, events)
        return events

    def expect(self, names: Iterable[str], running_ms: int) -> None:
        """These metrics are known: their silence counts from now on."""
        for name in names:
            if name not in self._metrics:
                self._meet(name, running_ms)

    def states(self) -> dict[StateKey, AlertState]:
        """Every state that is not the initial one."""
        return {key: self._full(key, state) for key, state in self._states.items()}

    def threshold(self, threshold_id: str) -> Threshold | None:
        return self._thresholds.get(threshold_id)

    def changed(self) -> dict[StateKey, AlertState | None]:
        """What has to be stored (None: deleted). Stays until `stored`."""
        return dict(self._changed)

    def stored(self, states: Mapping[StateKey, AlertState | None]) -> None:
        """These very states are stored; one that changed in the meantime is still to come."""
        for key, state in states.items():
            if key in self._changed and self._changed[key] is state:
                del self._changed[key]

    def _meet(self, name: str, running_ms: int) -> _Metric | None:
        if len(self._metrics) >= MAX_NAMES:
            self._metrics = {known: metric for known, metric in self._metrics.items() if metric is not None}
        return self._take_over(name, _Metric(name, (), [], heard_ms=running_ms))

    def _take_over(self, name: str, metric: _Metric) -> _Metric | None:
        """`metric` with the thresholds that are its own now."""
        found = self._by_metric.get(name, ())
        role = self._catalogue.spec(name).role if self._by_role else None
        if role is not None:
            found += self._by_role.get(role, ())
        metric.thresholds = found
        metric.states = [self._states.get((each.threshold_id, name), INITIAL) for each in found]
        metric.missing_after_ms = min(
            (round(each.missing_after_s * 1000) for each in found if each.missing != "keep"), default=NEVER_MS
        )
        metric.silent.clear()
        self._metrics[name] = metric if found else None
        self._narrow(metric)
        return self._metrics[name]

    def _observe(self, metric: _Metric, part: Part, running_ms: int, events: list[AlertEvent]) -> None:
        metric.heard_ms = running_ms
        if metric.silent:
            metric.silent.clear()
        times, values = part.times, part.values
        if len(values) > FEW and self._pass_over(metric, times, values):
            return
        samples = list(zip(times.tolist(), values.tolist(), strict=True))
        if len(samples) > 1:
            samples.sort(key=lambda sample: sample[0])
        for at_ms, value in samples:
            if metric.last_ms is not None and at_ms < metric.last_ms:
                continue
            metric.last_ms, metric.last_value = at_ms, value
            if metric.low <= value <= metric.high and at_ms < metric.until_ms:
                metric.seen_low = value if value < metric.seen_low else metric.seen_low
                metric.seen_high = value if value > metric.seen_high else metric.seen_high
            else:
                self._step(metric, value, at_ms, events)

    def _pass_over(self, metric: _Metric, times: Times, values: Values) -> bool:
        """Many samples at once, if they come in order and all of them are quiet."""
        low, high, first, last = float(values.min()), float(values.max()), int(times[0]), int(times[-1])
        quiet = metric.low <= low and high <= metric.high and last < metric.until_ms
        if not quiet or first < (metric.last_ms or first) or not bool((times[1:] >= times[:-1]).all()):
            return False
        metric.last_ms, metric.last_value = last, float(values[-1])
        metric.seen_low, metric.seen_high = min(metric.seen_low, low), max(metric.seen_high, high)
        return True

    def _step(self, metric: _Metric, value: float, at_ms: int, events: list[AlertEvent]) -> None:
        for index, threshold in enumerate(metric.thresholds):
            before = self._peaked(metric, index)
            after = advance(threshold, before, value, at_ms)
            if after is not before:
                self._put(metric, index, after)
                events.append(AlertEvent(threshold, metric.name, before, after, at_ms))
            elif before is not metric.states[index]:
                self._put(metric, index, before)
        metric.seen_low, metric.seen_high = value, value
        self._narrow(metric)

    def _judge_silence(self, metric: _Metric, now_ms: int, running_ms: int, events: list[AlertEvent]) -> None:
        for index, threshold in enumerate(metric.thresholds):
            due = running_ms - metric.heard_ms >= threshold.missing_after_s * 1000
            if threshold.missing == "keep" or threshold.threshold_id in metric.silent or not due:
                continue
            metric.silent.add(threshold.threshold_id)
            before = self._peaked(metric, index)
            after = fall_silent(threshold, before, now_ms)
            if after is not before:
                self._put(metric, index, after)
                events.append(AlertEvent(threshold, metric.name, before, after, now_ms))
        self._narrow(metric)

    def _put(self, metric: _Metric, index: int, state: AlertState) -> None:
        key = (metric.thresholds[index].threshold_id, metric.name)
        metric.states[index] = self._states[key] = self._changed[key] = state

    def _peaked(self, metric: _Metric, index: int) -> AlertState:
        if metric.seen_low > metric.seen_high:
            return metric.states[index]
        return with_peak(metric.thresholds[index], metric.states[index], metric.seen_low, metric.seen_high)

    def _full(self, key: StateKey, state: AlertState) -> AlertState:
        """With the peak that was passed over since."""
        metric = self._metrics.get(key[1])
        threshold = self._thresholds.get(key[0])
        if metric is None or threshold is None or metric.seen_low > metric.seen_high:
            return state
        return with_peak(threshold, state, metric.seen_low, metric.seen_high)

    def _narrow(self, metric: _Metric) -> None:
        zones = [quiet_zone(*each) for each in zip(metric.thresholds, metric.states, strict=True)]
        metric.low = max((zone.low for zone in zones), default=-math.inf)
        metric.high = min((zone.high for zone in zones), default=math.inf)
        metric.until_ms = min((zone.until_ms for zone in zones), default=NEVER_MS)

    def _mind_the_clock(self, now_ms: int, running_ms: int) -> None:
        offset = now_ms - running_ms
        if self._offset_ms is None:
            self._offset_ms = offset
        elif abs(offset - self._offset_ms) > CLOCK_STEP_MS:
            self._rebase(offset - self._offset_ms)
            self._offset_ms = offset

    def _rebase(self, delta_ms: int) -> None:
        for key, state in self._states.items():
            self._states[key] = self._changed[key] = shifted(state, delta_ms)
        for metric in self._metrics.values():
            if metric is not None:
                metric.states = [
                    self._states.get((each.threshold_id, metric.name), INITIAL) for each in metric.thresholds
                ]
                if metric.last_ms is not None:
                    metric.last_ms += delta_ms
                self._narrow(metric)


def _grouped(
    thresholds: Iterable[Threshold], key: Callable[[Threshold], str | None]
) -> dict[str, tuple[Threshold, ...]]:
    groups: dict[str, tuple[Threshold, ...]] = {}
    for each in thresholds:
        name = key(each)
        if name is not None:
            groups[name] = (*groups.get(name, ()), each)
    return groups
