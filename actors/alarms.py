"""The alarms: thresholds between the recorder, who shows them every sample, and those who hear what came of it.

A plain object that survives every restart. Within the recorder's tick: the states change, the dashboards are told
(`alert`), the notifier gets what is news, and the steward is woken to store the states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import trio
from msgspec.structs import replace

from analytics.catalogue import Catalogue
from analytics.streaming import Part
from analytics.threshold import AlertEvent, AlertState, Threshold, alert_id
from analytics.threshold_watch import Standing, ThresholdWatch
from analytics.threshold_words import sentence

from .frames import seconds
from .hub import Hub
from .mailbox import Mailbox
from .messages import AlertChanged, NotifierMessage

ALERT: Final = "alert"


def notice_key(threshold_id: str, metric: str) -> str:
    """Under which people are told of it."""
    return f"threshold:{threshold_id}:{metric}"


class Alarms:
    """See the module docstring."""

    def __init__(
        self,
        catalogue: Catalogue,
        hub: Hub,
        notifier: Mailbox[NotifierMessage],
        running_s: Callable[[], float] = trio.current_time,
        latest: Callable[[], Mapping[str, Standing]] = dict,
    ) -> None:
        self.watch: Final = ThresholdWatch(catalogue)
        self._catalogue = catalogue
        self._hub = hub
        self._notifier = notifier
        self._running_s = running_s  # a clock that nobody sets
        self._latest = latest  # of every metric, as the recorder keeps it
        self._changed = trio.Event()

    def observe(self, parts: Sequence[Part], now_ms: int) -> None:
        """Samples as they arrive."""
        if not self.watch.idle:
            self._tell(self.watch.observe(parts, now_ms, self._running_ms()))

    def sweep(self, now_ms: int) -> None:
        """Time has passed."""
        if not self.watch.idle:
            self._tell(self.watch.sweep(now_ms, self._running_ms()))

    def expect(self, names: Iterable[str]) -> None:
        """Metrics that are known already: their silence counts from now on."""
        self.watch.expect(names, self._running_ms())

    def replace(self, thresholds: Iterable[Threshold], now_ms: int) -> None:
        """These are the thresholds from now on."""
        self._tell(self.watch.replace(thresholds, now_ms))
        if self.watch.changed():
            self._changed.set()

    def look(self, now_ms: int) -> None:
        """Thresholds were set: hold them against the values that stand."""
        if not self.watch.idle:
            self._tell(self.watch.stand(self._latest(), now_ms, self._running_ms()))

    def keep_peaks(self) -> None:
        """Peaks that grew are to be stored."""
        self.watch.keep_peaks()
        if self.watch.changed():
            self._changed.set()

    async def wait_changed(self) -> None:
        """Until there are states to store (`watch.changed()`)."""
        if not self.watch.changed():
            self._changed = trio.Event()
            await self._changed.wait()
        else:
            await trio.lowlevel.checkpoint()

    def active(self) -> list[dict[str, Any]]:
        """Alerts that fire or recover, as frames: the most severe first, then the newest. One that fires has the value
        that stands now, and not the one it fired at."""
        frames = []
        latest = self._latest()
        for (threshold_id, metric), state in self.watch.states().items():
            threshold = self.watch.threshold(threshold_id)
            if threshold is not None and state.active:
                stands = latest.get(metric)
                if stands is not None and state.phase == "firing" and state.side != "missing":
                    state = replace(state, value=stands.value)
                frames.append(self._frame(AlertEvent(threshold, metric, state, state, state.since_ms)))
        rank = {"critical": 0, "high": 1, "medium": 2, "low": 3}
        return sorted(frames, key=lambda frame: (rank[frame["severity"]], -frame["fired_at"], frame["alert_id"]))

    def standing(self) -> frozenset[str]:
        """Notice keys of the alerts that fire or recover."""
        return frozenset(notice_key(*key) for key, state in self.watch.states().items() if state.active)

    def states_of(self, threshold_id: str) -> Mapping[str, AlertState]:
        """By metric; those that are simply within their limits may be missing."""
        return {metric: state for (id_, metric), state in self.watch.states().items() if id_ == threshold_id}

    def words(self, event: AlertEvent) -> str:
        """The sentence a person reads."""
        spec = self._catalogue.spec(event.metric)
        return sentence(event, spec.title or event.metric, spec.unit)

    def _tell(self, events: Sequence[AlertEvent]) -> None:
        if not events:
            return
        self._changed.set()
        for event in events:
            if event.before.active or event.after.active:
                frame = self._frame(event)
                self._hub.publish(ALERT, frame, key=frame["alert_id"])
            if event.is_news:  # a value that flaps must not crowd others out of the notifier's mailbox
                self._notifier.put_nowait(AlertChanged(event))

    def _frame(self, event: AlertEvent) -> dict[str, Any]:
        threshold, state = event.threshold, event.after
        return {
            "type": "threshold",
            "alert_id": alert_id(threshold, event.metric, state if state.fired_ms is not None else event.before),
            "threshold_id": threshold.threshold_id,
            "name": threshold.name,
            "metric": event.metric,
            "state": state.phase,
            "severity": threshold.severity,
            "message": self.words(event),
            "recommendation": None,
            "value": state.value,
            "limit": threshold.limit(state.side),
            "side": state.side,
            "peak": state.peak,
            "since": seconds(state.since_ms),
            "fired_at": seconds(event.at_ms if state.fired_ms is None else state.fired_ms),
            "flaps": state.flaps,
        }

    def _running_ms(self) -> int:
        return int(self._running_s() * 1000)
