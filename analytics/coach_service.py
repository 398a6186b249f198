"""The check of what is due by hours run: a counter that passes a multiple of the interval in its catalogue entry.

Nobody tells the service when an engine was serviced, so only the passing of a multiple counts, and only one that was
seen: between two readings of the coach's log (two weeks, after a restart from the archive). The usual interval of RV
generator makers: 150 h, after a first oil change at 20 to 50 h.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from .catalogue import HOURS
from .coach_log import HELD_SLOTS
from .coach_sign import Sign
from .coach_view import SLOTS_AN_HOUR, CoachView
from .records import FindingKind
from .robust import Values
from .words import number

SHOWN_H: Final = 168.0
DUE: Final = 2.0  # a strength: that the counter passed is no guess
COARSE_SLOTS: Final = HELD_SLOTS + 2  # a reading may be so old, or the counter count whole hours


def service_due(view: CoachView) -> Iterator[Sign]:
    """The multiple that was passed last, for a week at most; sooner, where the next one may come sooner."""
    for track in view.tracks():
        every = track.spec.service_every
        if every is None:
            continue
        hours = HOURS[track.spec.unit or "h"]
        passed = last_passed(track.low, track.high, every, 1 / hours / SLOTS_AN_HOUR)
        if passed is None:
            continue
        slot, multiple = passed
        shown = view.slots - slot <= min(SHOWN_H, every * hours) * SLOTS_AN_HOUR
        yield Sign(
            kind=FindingKind.SERVICE_DUE, track=track, strength=DUE if shown else 0.0, span=slice(slot, view.slots),
            value=float(track.high[np.isfinite(track.high)][-1]), high=multiple, direction="above",
            facts={"hours": number(multiple * hours, "h"), "every": number(every * hours, "h")},
            numbers={"service_every": every},
        )  # fmt: skip


def last_passed(low: Values, high: Values, every: float, a_slot: float) -> tuple[int, float] | None:
    """The last slot in which a counter passed a multiple of `every`, and the multiple; None: that was not seen.

    `low`, `high`: its least and greatest reading by slot, NaN for none; `a_slot`: what it counts in a slot at most.
    What grew faster than that was not counted but sent by mistake, or by another counter. One that is smaller than
    before has begun anew, unless it comes back above where it was.
    """
    known = np.flatnonzero(np.isfinite(high))
    if not len(known):
        return None
    found: tuple[int, float] | None = None
    last, last_slot = float(low[known[0]]), int(known[0])
    before, before_slot = math.inf, 0  # where it stood before it became smaller
    for slot, value in zip(known.tolist(), high[known].tolist(), strict=True):
        if value < last:
            if before == math.inf:
                before, before_slot = last, last_slot
        else:
            if value >= before:
                last, last_slot, before = before, before_slot, math.inf
            multiple = math.floor(value / every) * every
            if last < multiple and value - last <= (slot - last_slot + COARSE_SLOTS) * a_slot:
                found = slot, multiple
        last, last_slot = value, slot
    return found if found is not None and found[1] <= last else None
