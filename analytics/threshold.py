"""A threshold a person has set, and the state of its alert for one metric: ok, pending, firing, recovering.

Pure: `advance` takes a state, a value and a time and gives the next state; `quiet_zone` says in which values and until
when nothing would change, so that a watcher of many thresholds can pass ordinary samples over. Promises
- a value on the limit is within it; a limit is crossed by a value beyond;
- an alert that fired ends when the value has been back inside, by the hysteresis, for the whole hold, without a break:
  a value that flaps around its limit, and is never back for RECOVER_AFTER_S, fires once and recovers once;
- where a shorter hold was set, an alert that comes back soon after it ended holds HOLD_LIMIT_MS from then on (flap
  damping): it can't tell of more than two firings, however long it flaps;
- the first firing is never delayed by any of this.

Times are unix milliseconds of the samples, values are in the metric's unit.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from .records import Category, Json, Severity

Crossing = Literal["above", "below", "outside"]
Phase = Literal["ok", "pending", "firing", "recovering"]
Side = Literal["above", "below", "missing", "none"]
Missing = Literal["keep", "alert", "resolve"]
Cause = Literal["value", "silence", "deleted", "switched off", "changed"]

RECOVER_AFTER_S: Final = 600.0  # unless set: the good half of a flapping that takes 20 minutes is shorter than this
FLAP_WINDOW_MS: Final = 15 * 60_000  # an alert that comes back sooner than this after its end is flapping
FLAP_HOLD_MS: Final = 60_000  # the hold after two relapses of one alert, doubled by each further one
HOLD_LIMIT_MS: Final = 15 * 60_000
NEVER_MS: Final = 2**62


class Threshold(Struct, frozen=True, kw_only=True):
    """What is watched (`metric`, or every metric of `role`) and when that is an alert.

    `low`: for below and outside; `high`: for above and outside. `hysteresis`: how far back inside a value must come.
    `min_duration_s`: how long it must be beyond before the alert fires. `recover_after_s`: how long it must be back
    before the alert ends. `missing`: what silence of `missing_after_s` means.
    """

    threshold_id: str
    name: str
    metric: str | None
    role: str | None
    condition: Crossing
    low: float | None
    high: float | None
    hysteresis: float = 0.0
    min_duration_s: float = 0.0
    recover_after_s: float = RECOVER_AFTER_S
    missing: Missing = "keep"
    missing_after_s: float = 300.0
    severity: Severity = "medium"
    category: Category = "reliability"
    enabled: bool = True

    def side(self, value: float) -> Side:
        """On which side `value` is beyond the limit."""
        if self.high is not None and value > self.high:
            return "above"
        if self.low is not None and value < self.low:
            return "below"
        return "none"

    @property
    def inside(self) -> tuple[float, float]:
        """Values that are back: within the limits by the hysteresis. Both ends count."""
        return (
            -math.inf if self.low is None else self.low + self.hysteresis,
            math.inf if self.high is None else self.high - self.hysteresis,
        )

    def is_back(self, value: float) -> bool:
        low, high = self.inside
        return low <= value <= high

    def limit(self, side: Side) -> float | None:
        return {"above": self.high, "below": self.low}.get(side)


class AlertState(Struct, frozen=True):
    """One threshold at one metric. `since_ms`: start of the phase; `fired_ms`, `side`, `peak`: of the present alert, or
    of the last one; `ended_ms`: end of the last one; `flaps`: how often it came back soon after it had ended or while
    it was recovering; `returns`: how often in a row it came back soon after it had ended."""

    phase: Phase = "ok"
    since_ms: int = 0
    side: Side = "none"
    value: float | None = None  # that decided the phase
    peak: float | None = None  # furthest beyond
    fired_ms: int | None = None
    ended_ms: int | None = None
    flaps: int = 0
    returns: int = 0

    @property
    def active(self) -> bool:
        """A person has been told, and not yet that it is over."""
        return self.phase in ("firing", "recovering")


INITIAL: Final = AlertState()


class Quiet(NamedTuple):
    """Values in [low, high] at times before `until_ms` change nothing."""

    low: float
    high: float
    until_ms: int


class AlertEvent(Struct, frozen=True):
    """A state that changed in a way a person may hear of: fired, began to recover, came back, ended. `cause`: a value
    (or time, while it stood), silence, or what was done to the threshold."""

    threshold: Threshold
    metric: str
    before: AlertState
    after: AlertState
    at_ms: int
    cause: Cause = "value"

    @property
    def is_news(self) -> bool:
        """Fired, or ended: what is worth a message. The rest is for who looks."""
        return self.before.active != self.after.active


def hold_ms(threshold: Threshold, state: AlertState) -> int:
    """How long a value must be back before the alert is over. An end that proved too early is not told again."""
    own = round(threshold.recover_after_s * 1000)
    if state.returns:
        return max(own, HOLD_LIMIT_MS)
    if state.flaps < 2:
        return own
    return max(own, min(FLAP_HOLD_MS << min(state.flaps - 2, 10), HOLD_LIMIT_MS))


def advance(threshold: Threshold, state: AlertState, value: float, at_ms: int) -> AlertState:
    """The state after `value`, which was sampled (or still stands) at `at_ms`. The same object: nothing changed."""
    side = threshold.side(value)
    match state.phase:
        case "ok":
            if side == "none":
                return state
            pending = replace(state, phase="pending", since_ms=at_ms, side=side, value=value, peak=value)
            return _fire(pending, value, at_ms) if threshold.min_duration_s <= 0 else pending
        case "pending":
            if side == "none":
                return replace(state, phase="ok", since_ms=at_ms, side="none", value=value, peak=None)
            state = state if side == state.side else replace(state, side=side)
            if at_ms - state.since_ms >= threshold.min_duration_s * 1000:
                return _fire(state, value, at_ms)
            return state
        case "firing":
            if _is_over(threshold, state, value):
                if hold_ms(threshold, state) <= 0:
                    return _end(state, value, at_ms)
                return replace(state, phase="recovering", since_ms=at_ms, value=value)
            if side not in ("none", state.side):
                return replace(state, side=side, value=value)
            return state
        case "recovering":
            if not _is_over(threshold, state, value):
                back = state.side if side == "none" else side
                return replace(state, phase="firing", since_ms=at_ms, side=back, value=value, flaps=state.flaps + 1)
            if at_ms - state.since_ms >= hold_ms(threshold, state):
                return _end(state, value, at_ms)
            return state


def fall_silent(threshold: Threshold, state: AlertState, at_ms: int) -> AlertState:
    """The state after no sample has come for `missing_after_s`."""
    if threshold.missing == "alert" and not state.active:
        return _fire(replace(state, side="missing", value=None, peak=None), None, at_ms)
    if threshold.missing == "alert" and state.phase == "recovering":  # silence is no sign of being back
        return replace(state, phase="firing", since_ms=at_ms, side="missing", value=None, flaps=state.flaps + 1)
    if threshold.missing == "resolve" and state.phase != "ok":
        return _end(state, None, at_ms) if state.active else replace(state, phase="ok", since_ms=at_ms, side="none")
    return state


def quiet_zone(threshold: Threshold, state: AlertState) -> Quiet:
    """Where `advance` gives back `state` itself."""
    low, high = threshold.inside
    match state.phase:
        case "ok":
            return Quiet(*_within(threshold), NEVER_MS)
        case "pending":
            return Quiet(*_beyond(threshold, state.side, 0.0), state.since_ms + round(threshold.min_duration_s * 1000))
        case "firing":
            return Quiet(*_beyond(threshold, state.side, threshold.hysteresis), NEVER_MS)
        case "recovering":
            if state.side == "missing":
                low, high = _within(threshold)
            return Quiet(low, high, state.since_ms + hold_ms(threshold, state))


def with_peak(threshold: Threshold, state: AlertState, low: float, high: float) -> AlertState:
    """`state` after values from `low` to `high`, all of them passed over as quiet."""
    if state.phase not in ("pending", "firing") or state.side not in ("above", "below"):
        return state
    reached = high if state.side == "above" else low
    further = state.peak is None or (reached > state.peak if state.side == "above" else reached < state.peak)
    return replace(state, peak=reached) if further else state


def shifted(state: AlertState, delta_ms: int) -> AlertState:
    """The same state on a clock that was set forward by `delta_ms`: what lasted a minute still lasted a minute."""
    return replace(
        state,
        since_ms=state.since_ms + delta_ms,
        ended_ms=None if state.ended_ms is None else state.ended_ms + delta_ms,
    )


def alert_id(threshold: Threshold, metric: str, state: AlertState) -> str:
    """One alert from its firing to its end."""
    text = f"{threshold.threshold_id}:{metric}:{state.fired_ms}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def threshold_from(threshold_id: str, document: Json) -> Threshold:
    """From what the gateway has checked and the control store kept."""
    return Threshold(threshold_id=threshold_id, **document)


def state_json(state: AlertState) -> dict[str, Any]:
    """For storage."""
    return {
        "phase": state.phase, "since_ms": state.since_ms, "side": state.side, "value": state.value,
        "peak": state.peak, "fired_ms": state.fired_ms, "ended_ms": state.ended_ms, "flaps": state.flaps,
        "returns": state.returns,
    }  # fmt: skip


def state_from(document: Json) -> AlertState:
    return AlertState(**document)


def _fire(state: AlertState, value: float | None, at_ms: int) -> AlertState:
    soon = state.ended_ms is not None and 0 <= at_ms - state.ended_ms < FLAP_WINDOW_MS
    return replace(
        state,
        phase="firing",
        since_ms=at_ms,
        fired_ms=at_ms,
        value=value,
        flaps=state.flaps + 1 if soon else 0,
        returns=state.returns + 1 if soon else 0,
    )


def _end(state: AlertState, value: float | None, at_ms: int) -> AlertState:
    return replace(state, phase="ok", since_ms=at_ms, ended_ms=at_ms, value=value)


def _is_over(threshold: Threshold, state: AlertState, value: float) -> bool:
    """Hysteresis is for values that were beyond; who was only silent is back with any value within."""
    return threshold.side(value) == "none" if state.side == "missing" else threshold.is_back(value)


def _within(threshold: Threshold) -> tuple[float, float]:
    return (
        -math.inf if threshold.low is None else threshold.low,
        math.inf if threshold.high is None else threshold.high,
    )


def _beyond(threshold: Threshold, side: Side, hysteresis: float) -> tuple[float, float]:
    """Values that are beyond the limit, or not back by `hysteresis` yet, on this side. Empty: low > high."""
    if side == "above" and threshold.high is not None:
        return math.nextafter(threshold.high - hysteresis, math.inf), math.inf
    if side == "below" and threshold.low is not None:
        return -math.inf, math.nextafter(threshold.low + hysteresis, -math.inf)
    return math.inf, -math.inf
