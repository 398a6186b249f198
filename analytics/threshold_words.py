"""What people read of an alert.

Promises: a sentence is true at the moment it speaks of. What recovers is not said to be beyond its limit; an end says
what brought it about; two numbers that are compared have the digits that tell them apart.
"""

from __future__ import annotations

from .threshold import AlertEvent
from .words import apart, duration, number


def sentence(event: AlertEvent, title: str, unit: str | None) -> str:
    """What has become of the alert, without a full stop."""
    if event.before.active and not event.after.active:
        return _ended(event, title, unit)
    threshold, state = event.threshold, event.after
    recovers, value, limit = state.phase == "recovering", state.value, threshold.limit(state.side)
    if state.side == "missing":
        span = duration(threshold.missing_after_s * 1000)
        if recovers and value is not None:
            return f"{title} had sent nothing for {span}, then {number(value, unit)}"
        return f"{title} has sent nothing for {span}"
    if limit is None or value is None:
        return f"{title}: {threshold.name}"
    beyond, shown = apart(limit, value, unit)
    if recovers:
        return f"{title} was {state.side} {beyond}, came back to {shown}"
    if threshold.side(value) == "none":  # it came back, and went again into what the hysteresis still holds beyond
        return f"{title} was {state.side} {beyond}, is not far enough back: {shown}"
    return f"{title} is {state.side} {beyond}: {shown}"


def _ended(event: AlertEvent, title: str, unit: str | None) -> str:
    since_ms = event.at_ms if event.before.fired_ms is None else event.before.fired_ms
    peak = "" if event.after.peak is None else f", at its furthest {number(event.after.peak, unit)}"
    after = f"after {duration(max(0, event.at_ms - since_ms))}{peak}"
    match event.cause:
        case "value":
            return f"{title} is back within its limit {after}"
        case "silence":
            span = duration(event.threshold.missing_after_s * 1000)
            return f"{title} has sent nothing for {span}, which ended its alert {after}"
        case "deleted" | "switched off" | "changed":
            return f"The threshold on {title} was {event.cause}, which ended its alert {after}"
