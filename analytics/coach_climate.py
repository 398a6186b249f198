"""Checks of furnace and air conditioner: cutting out after minutes, and running without cooling."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_log import SLOTS_A_DAY
from .coach_sign import Sign, mean
from .coach_view import CoachView, coverage, known, last_run
from .records import FindingKind
from .robust import Values
from .words import duration, number

CYCLING_H: Final = 2.0
MANY_STARTS: Final = 7
SHORT_MIN: Final = 4.5  # an air furnace needs longer than this for one turn
COOLING_H: Final = 0.75
WARMER: Final = 1.5  # °C above the set-point
WEAK: Final = 0.5  # share of its usual effect
EFFECT_H: Final = 3.0  # hours of cooling that teach the effect


def short_cycling(view: CoachView) -> Iterator[Sign]:
    """Many starts, short runs, shorter than this furnace's own."""
    for track in view.all("furnace_state"):
        recent, before = view.last(CYCLING_H), view.before(CYCLING_H)
        starts, minutes = _starts_and_minutes(track.starts[recent], track.mean[recent])
        earlier, burnt = _starts_and_minutes(track.starts[before], track.mean[before])
        usual = burnt / earlier if earlier >= 5 else math.nan
        run = minutes / starts if starts else math.inf
        limit = SHORT_MIN if math.isnan(usual) else min(SHORT_MIN, 0.6 * usual)
        yield Sign(
            kind=FindingKind.SHORT_CYCLING, track=track, strength=min(starts / MANY_STARTS, limit / max(run, 0.1)),
            span=recent, value=starts, high=float(MANY_STARTS), direction="above",
            cover=coverage(track.mean[recent]),
            facts={
                "starts": f"{starts:.0f}", "run": "unknown" if math.isinf(run) else duration(run * 60_000),
                "usual": "unknown" if math.isnan(usual) else duration(usual * 60_000),
            },
            numbers={"minutes_per_start": min(run, 999.0)},
        )  # fmt: skip


def not_cooling(view: CoachView) -> Iterator[Sign]:
    """What the air conditioner takes off the temperature's climb, against what it used to."""
    state, inside = view.first("air_conditioner_state"), view.first("interior_temperature")
    wanted, outside = view.first("cool_setpoint"), view.first("exterior_temperature")
    if state is None or inside is None:
        return
    on = known(state.mean, 0.0) > 0.9
    count = last_run(on)
    if count < COOLING_H * 12:
        return
    target = mean(wanted.mean[-6:]) if wanted is not None else math.nan
    value = mean(inside.mean[-3:])
    span = slice(view.slots - count, view.slots)
    climb = np.diff(inside.mean, prepend=np.nan) * 12  # °C an hour
    effect = _effect(view, climb, inside.mean, None if outside is None else outside.mean, on, span)
    hot = math.isnan(target) or value > target + WARMER
    late = slice(max(span.start + 3, view.slots - 18), view.slots)
    falling = mean(climb[late]) < -0.5
    if effect is None:  # nothing to compare with: only the plain case
        strength = min(count / 24, (value - target - WARMER) / 2) if not math.isnan(target) and not falling else 0.0
    else:
        strength = (1 - effect) / (1 - WEAK) if hot and not falling else 0.0
    yield Sign(
        kind=FindingKind.NOT_COOLING, track=inside, strength=strength, span=span, value=value,
        high=None if math.isnan(target) else target, direction="above", cover=coverage(inside.mean[span]),
        facts={
            "span": duration(count * 86_400_000 / SLOTS_A_DAY),
            "wanted": "unknown" if math.isnan(target) else number(target, inside.spec.unit),
        },
        numbers={"degrees_per_hour": mean(climb[late])} | ({} if effect is None else {"share_of_usual": effect}),
    )  # fmt: skip


def _effect(
    view: CoachView, climb: Values, inside: Values, outside: Values | None, on: np.ndarray, span: slice
) -> float | None:
    """The cooling now as a share of what it was, both beyond what the warmth outside and the hour explain."""
    gap = np.zeros(view.slots) if outside is None else outside - inside
    sun = np.maximum(0.0, np.cos((view.hour - 13) / 24 * 2 * np.pi))
    columns = np.column_stack((np.ones(view.slots), gap, sun, on.astype(float)))
    good = np.isfinite(columns).all(axis=1) & np.isfinite(climb)
    steady = on == np.append(on[:1], on[:-1])
    before = np.zeros(view.slots, dtype=np.bool_)
    before[view.before(12)] = True
    past = good & steady & before & (np.abs(climb) < 20)
    if (past & on).sum() < EFFECT_H * 12 or (past & ~on).sum() < 72:
        return None
    factors = np.linalg.lstsq(columns[past], climb[past], rcond=None)[0]
    if factors[3] > -0.3:
        return None
    now = np.zeros(view.slots, dtype=np.bool_)
    now[max(span.start + 2, view.slots - 24) : view.slots] = True
    now &= good
    if now.sum() < 5:
        return None
    rest = climb[now] - columns[now, :3] @ factors[:3]
    return float(np.median(rest) / factors[3])


def _starts_and_minutes(starts: Values, on: Values) -> tuple[float, float]:
    return float(np.nansum(starts)), float(np.nansum(on)) * 5
