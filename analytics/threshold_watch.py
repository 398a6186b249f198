"""All thresholds at all metrics: what the recorder shows every sample to.

Owns the alert states, and per metric the band of values in which none of its thresholds changes (threshold_band.py).
Promises
- without thresholds nothing is done;
- samples older than the newest one seen of their metric are passed over: what came late does not raise an alarm;
- what silence ended, only the next sample brings back: neither time nor a threshold that was set does;
- a value stands until the next one of its metric, also within a batch that came late: what time decided meanwhile is
  decided as of then;
- a clock that is set moves the marks of all states along (`rebase`): it neither fires nor ends anything by itself;
- `changed()` hands out the states that have to be stored, until `stored` takes them off; a peak that only grew is among
  them once `keep_peaks` was called: it may grow with every sample.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from .catalogue import Catalogue
from .streaming import Part
from .threshold import INITIAL, AlertEvent, AlertState, Cause, Threshold, advance, fall_silent, shifted, with_peak
from .threshold_band import Band

CLOCK_STEP_MS: Final = 2_000  # a wall clock that leaves the running one by more was set
FEW: Final = 16  # samples that are looked at one by one at once
MAX_NAMES: Final = 20_000  # metrics without thresholds that are remembered as such

StateKey = tuple[str, str]  # threshold id, metric


class Standing(Protocol):
    """The newest sample of a metric (storage's Latest fits)."""

    @property
    def time_ms(self) -> int: ...
    @property
    def value(self) -> float: ...


class ThresholdWatch:
    """See the module docstring. `running_ms` is a clock nobody sets; `now_ms` is the wall clock."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._thresholds: dict[str, Threshold] = {}
        self._by_metric: dict[str, tuple[Threshold, ...]] = {}
        self._by_role: dict[str, tuple[Threshold, ...]] = {}
        self._metrics: dict[str, Band | None] = {}  # None: it has none
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
        given = {each.threshold_id: each for each in thresholds}
        new: dict[str, Threshold] = {}
        for id_, each in given.items():
            known = self._thresholds.get(id_)
            if each.enabled:  # what stays the same stays the same object: metrics that have only such are left alone
                new[id_] = known if known is not None and known == each else each
        ended: list[AlertEvent] = []
        for key, state in list(self._states.items()):
            old = self._thresholds.get(key[0])
            if old is None or new.get(key[0]) is old:
                continue
            if state.active:
                over = replace(state, phase="ok", since_ms=now_ms, ended_ms=now_ms)
                cause: Cause = "changed" if key[0] in new else "switched off" if key[0] in given else "deleted"
                ended.append(AlertEvent(old, key[1], state, over, now_ms, cause))
            del self._states[key]
            self._changed[key] = None
        self._thresholds = new
        self._by_metric = _grouped(new.values(), lambda each: each.metric)
        self._by_role = _grouped(new.values(), lambda each: each.role)
        metrics, self._metrics = self._metrics, {}
        for name, metric in metrics.items():
            if metric is not None and metric.thresholds == self._thresholds_of(name):
                self._metrics[name] = metric
            elif metric is not None:
                self._take_over(name, metric)
        return ended

    def restore(self, states: Mapping[StateKey, AlertState], now_ms: int) -> None:
        """Take back what was stored and did not change since. Marks of a clock that ran ahead are brought to now."""
        restored = set()
        for key, state in states.items():
            if key[0] not in self._thresholds or key in self._states or key in self._changed:
                continue
            ahead = max(state.since_ms - now_ms, 0)
            self._states[key] = shifted(state, -ahead) if ahead else state
            restored.add(key[1])
        for name in restored:
            metric = self._metrics.get(name)
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
            self._judge_silence(metric, now_ms, running_ms, events)
            if metric.last_ms is not None and now_ms >= metric.until_ms:
                self._step(metric, metric.last_value, max(now_ms, metric.last_ms), events, metric.silent)
        return events

    def expect(self, names: Iterable[str], running_ms: int) -> None:
        """These metrics are known: their silence counts from now on."""
        for name in names:
            if name not in self._metrics:
                self._meet(name, running_ms)

    def stand(self, latest: Mapping[str, Standing], now_ms: int, running_ms: int) -> list[AlertEvent]:
        """The events of values that stand already, as a threshold that was just set meets them: what sends only when it
        changes may not send for hours."""
        self._mind_the_clock(now_ms, running_ms)
        events: list[AlertEvent] = []
        self.expect(latest, running_ms)
        for name, metric in self._metrics.items():
            if metric is None or not metric.thresholds:
                continue
            if metric.last_ms is None:
                known = latest.get(name)
                if known is None or known.time_ms > now_ms:
                    continue
                metric.last_ms, metric.last_value = known.time_ms, known.value
                metric.adopt(known.time_ms, now_ms)
            self._judge_silence(metric, now_ms, running_ms, events)
            if not metric.pass_over(metric.last_value, metric.last_ms):
                self._step(metric, metric.last_value, metric.last_ms, events, metric.silent)
        return events

    def states(self) -> dict[StateKey, AlertState]:
        """Every state that is not the initial one."""
        return {key: self._full(key, state) for key, state in self._states.items()}

    def threshold(self, threshold_id: str) -> Threshold | None:
        return self._thresholds.get(threshold_id)

    def changed(self) -> dict[StateKey, AlertState | None]:
        """What has to be stored (None: deleted). Stays until `stored`."""
        return dict(self._changed)

    def keep_peaks(self) -> None:
        """Peaks that grew since their state changed have to be stored as well."""
        for metric in filter(None, self._metrics.values()):
            for index in range(len(metric.thresholds)):
                state = metric.state(index)
                if state is not metric.states[index]:
                    self._put(metric, index, state)

    def stored(self, states: Mapping[StateKey, AlertState | None]) -> None:
        """These very states are stored; one that changed in the meantime is still to come."""
        for key, state in states.items():
            if key in self._changed and self._changed[key] is state:
                del self._changed[key]

    def _meet(self, name: str, running_ms: int) -> Band | None:
        if len(self._metrics) >= MAX_NAMES:
            self._metrics = {known: metric for known, metric in self._metrics.items() if metric is not None}
        return self._take_over(name, Band(name, (), [], heard_ms=running_ms))

    def _thresholds_of(self, name: str) -> tuple[Threshold, ...]:
        found = self._by_metric.get(name, ())
        role = self._catalogue.spec(name).role if self._by_role else None
        return found if role is None else (*found, *self._by_role.get(role, ()))

    def _take_over(self, name: str, metric: Band) -> Band | None:
        """`metric` with the thresholds that are its own now."""
        found = self._thresholds_of(name)
        metric.take_over(found, [self._states.get((each.threshold_id, name), INITIAL) for each in found])
        self._metrics[name] = metric if found else None
        return self._metrics[name]

    def _observe(self, metric: Band, part: Part, running_ms: int, events: list[AlertEvent]) -> None:
        metric.heard_ms = running_ms
        if metric.silent:
            metric.silent.clear()
        times, values = part.times, part.values
        if len(values) > FEW and metric.pass_over_all(times, values):
            return
        samples = list(zip(times.tolist(), values.tolist(), strict=True))
        if len(samples) > 1:
            samples.sort(key=lambda sample: sample[0])
        for at_ms, value in samples:
            if metric.last_ms is not None:
                if at_ms < metric.last_ms:
                    continue
                for due_ms, deaf in metric.dues(at_ms):
                    self._step(metric, metric.last_value, due_ms, events, deaf)
            metric.last_ms, metric.last_value = at_ms, value
            if not metric.pass_over(value, at_ms):
                self._step(metric, value, at_ms, events)

    def _step(
        self, metric: Band, value: float, at_ms: int, events: list[AlertEvent], deaf: Container[str] = ()
    ) -> None:
        """`deaf`: ids of thresholds that this value does not speak to."""
        for index, threshold in enumerate(metric.thresholds):
            if threshold.threshold_id in deaf:
                continue
            before = metric.state(index)
            after = advance(threshold, before, value, at_ms)
            if after is not before:
                self._put(metric, index, after)
                events.append(AlertEvent(threshold, metric.name, before, after, at_ms))
            elif before is not metric.states[index]:
                self._put(metric, index, before)
        metric.seen_low, metric.seen_high = value, value
        metric.narrow()

    def _judge_silence(self, metric: Band, now_ms: int, running_ms: int, events: list[AlertEvent]) -> None:
        if running_ms - metric.heard_ms < metric.missing_after_ms:
            return
        for index, threshold in enumerate(metric.thresholds):
            due = running_ms - metric.heard_ms >= threshold.missing_after_s * 1000
            if threshold.missing == "keep" or threshold.threshold_id in metric.silent or not due:
                continue
            metric.silent.add(threshold.threshold_id)
            before = metric.state(index)
            after = fall_silent(threshold, before, now_ms)
            if after is not before:
                self._put(metric, index, after)
                events.append(AlertEvent(threshold, metric.name, before, after, now_ms, "silence"))
        metric.narrow()

    def _put(self, metric: Band, index: int, state: AlertState) -> None:
        key = (metric.thresholds[index].threshold_id, metric.name)
        metric.states[index] = self._states[key] = self._changed[key] = state

    def _full(self, key: StateKey, state: AlertState) -> AlertState:
        """With the peak that was passed over since."""
        metric = self._metrics.get(key[1])
        threshold = self._thresholds.get(key[0])
        if metric is None or threshold is None or metric.seen_low > metric.seen_high:
            return state
        return with_peak(threshold, state, metric.seen_low, metric.seen_high)

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
                metric.narrow()


def _grouped(
    thresholds: Iterable[Threshold], key: Callable[[Threshold], str | None]
) -> dict[str, tuple[Threshold, ...]]:
    groups: dict[str, tuple[Threshold, ...]] = {}
    for each in thresholds:
        name = key(each)
        if name is not None:
            groups[name] = (*groups.get(name, ()), each)
    return groups
