"""Forecasts of tanks: when fresh water or propane will be used up, when a waste tank will be full.

By this coach's own use at each hour of the day, as much as it was lately. The battery's forecast is in
`coach_battery.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from .coach_log import SLOTS_A_DAY, Track
from .coach_sign import Sign, mean
from .coach_use import falls, rises, serviced
from .coach_view import CoachView, coverage
from .records import FindingKind
from .robust import Values
from .words import duration

HORIZON_H: Final = {"fresh_tank": 10.0, "waste_tank": 10.0, "propane_tank": 24.0}
END: Final = {"fresh_tank": 2.0, "waste_tank": 98.0, "propane_tank": 2.0}
FAR_H: Final = 96  # hours ahead that are looked at
HABIT_DAYS: Final = 2.0
LATELY: Final = (0.5, 3.0)  # how far the last day may move the habit


def tanks_ahead(view: CoachView) -> Iterator[Sign]:
    for track in view.all("fresh_tank", "waste_tank", "propane_tank"):
        role = track.spec.role or ""
        waste = role == "waste_tank"
        level = float(track.mean[-1])
        use = _use_by_hour(view, track, waste=waste)
        if use is None or math.isnan(level):
            continue
        left = END[role] - level if waste else level - END[role]
        hours = _hours_until(left, use, float(view.hour[-1]))
        if left <= 0:
            continue
        at_ms = view.now_ms + int(min(hours, FAR_H) * 3_600_000)
        rate = float(use.mean())
        direction: Literal["above", "below"] = "above" if waste else "below"
        yield Sign(
            kind=FindingKind.FULL_AHEAD if waste else FindingKind.EMPTY_AHEAD, track=track,
            strength=HORIZON_H[role] / hours, span=view.last(24), value=level, direction=direction,
            low=None if waste else END[role], high=END[role] if waste else None,
            cover=coverage(track.mean[view.last(24)]),
            facts={"by": view.clock(at_ms), "within": duration(hours * 3_600_000), "rate": f"{24 * rate:.0f} % a day"},
            numbers={"hours_left": min(hours, 999.0), "percent_per_day": 24 * rate},
        )  # fmt: skip


def _use_by_hour(view: CoachView, track: Track, *, waste: bool) -> Values | None:
    """% an hour by local hour, shape (24,). None: less than HABIT_DAYS are known."""
    used = rises(track.mean) if waste else falls(track.mean)
    calm = np.isfinite(track.mean) & ~serviced(track.mean, waste=waste)
    span = view.last(7 * 24)
    if calm[span].sum() < HABIT_DAYS * SLOTS_A_DAY:
        return None
    hours = view.hour[span].astype(int)
    usual = np.array([mean(used[span][calm[span] & (hours == hour)]) * 12 for hour in range(24)])
    if np.isnan(usual).any():
        return None
    day = view.last(24)
    expected = float(usual[view.hour[day].astype(int)][calm[day]].sum()) / 12
    lately = float(used[day][calm[day]].sum()) / expected if expected > 0 else 1.0
    result: Values = usual * min(LATELY[1], max(LATELY[0], lately))
    return result


def _hours_until(left: float, use: Values, hour: float) -> float:
    """When so much will be used, from local `hour` on; infinite beyond FAR_H."""
    for ahead in range(FAR_H):
        one = float(use[int(hour + ahead) % 24])
        if one >= left > 0:
            return ahead + left / one
        left -= one
    return math.inf
