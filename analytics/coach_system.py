"""Checks of bus, core and sensors: a bus that carries much less, an interface that is slow or fails, a noisy sensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_log import SLOTS_A_DAY, Track
from .coach_sign import Sign, quantile
from .coach_view import CoachView, Mask, coverage, known
from .records import FindingKind
from .words import number

SHORT_H: Final = 0.25
HABIT: Final = SLOTS_A_DAY
HABIT_DAYS: Final = 7.0
RATE_LEFT: Final = 0.65  # of the least the bus ever carried at rest
SLOWER: Final = 4.0
LEAST_SLOWER: Final = 100.0  # ms: what is faster than this nobody feels
MORE_ERRORS: Final = 2.0  # %, or errors a second
TIMES_ERRORS: Final = 2.0  # as many more as were usual
NOISY_H: Final = 0.5
NOISIER: Final = 2.5
LEVEL: Final = 0.01  # the same as a share of where the metric stands
MOVES: Final = 0.03  # of what the metric covers in days: less between two neighbours is no noise worth a word


def rate_drop(view: CoachView) -> Iterator[Sign]:
    for track in view.all("bus_rate"):
        recent = view.last(SHORT_H)
        value = _least_dip(track, recent)
        habit = _habit(view, track, known(track.mean) > value / RATE_LEFT)
        if habit is None:
            continue
        usual = quantile(habit, 0.02)
        if usual <= 5:
            continue
        yield Sign(
            kind=FindingKind.RATE_DROP, track=track, strength=(1 - value / usual) / (1 - RATE_LEFT), span=recent,
            value=value, low=RATE_LEFT * usual, direction="below", cover=coverage(track.mean[recent]),
            facts={"usual": number(usual, track.spec.unit)}, numbers={"usual_at_least": usual},
        )  # fmt: skip


def slowed(view: CoachView) -> Iterator[Sign]:
    for track in view.all("response_time"):
        recent = view.last(SHORT_H)
        value = _least(track, recent)
        habit = _habit(view, track, known(track.mean, np.inf) < min(value - LEAST_SLOWER, value / SLOWER))
        if habit is None:
            continue
        usual = quantile(habit, 0.99)
        least = max(LEAST_SLOWER, (SLOWER - 1) * usual)
        yield Sign(
            kind=FindingKind.SLOWED, track=track, strength=(value - usual) / least, span=recent, value=value,
            high=usual + least, direction="above", cover=coverage(track.mean[recent]),
            facts={"usual": number(usual, track.spec.unit)}, numbers={"usual_at_most": usual},
        )  # fmt: skip


def errors(view: CoachView) -> Iterator[Sign]:
    for track in view.all("error_rate", "bus_errors"):
        recent = view.last(SHORT_H)
        value = _least(track, recent)
        habit = _habit(view, track, known(track.mean, np.inf) < min(value - MORE_ERRORS, value / (1 + TIMES_ERRORS)))
        if habit is None:
            continue
        usual = quantile(habit, 0.99)
        least = max(MORE_ERRORS, TIMES_ERRORS * usual)
        yield Sign(
            kind=FindingKind.ERRORS, track=track, strength=(value - usual) / least, span=recent, value=value,
            high=usual + least, direction="above", cover=coverage(track.mean[recent]),
            facts={"usual": number(usual, track.spec.unit)}, numbers={"usual_at_most": usual},
        )  # fmt: skip


def noisy(view: CoachView) -> Iterator[Sign]:
    """The distance between neighbouring samples, slot by slot, against the most restless slots before."""
    recent, before = view.last(NOISY_H), view.before(1, 5)
    for track in view.tracks():
        then, now = track.rough[before], track.rough[recent]
        if track.spec.kind != "gauge" or np.isfinite(then).sum() < HABIT // 4 or coverage(now) < 0.6:
            continue
        usual, value = quantile(then, 0.99), quantile(now, 0.25)
        typical = quantile(then, 0.5)
        then_level = track.mean[before]
        room = quantile(then_level, 0.95) - quantile(then_level, 0.05)
        scale = max(usual, 3 * typical, MOVES * room, LEVEL * abs(quantile(then_level, 0.5)))
        if scale <= 0:
            continue
        yield Sign(
            kind=FindingKind.NOISY, track=track, strength=value / scale / NOISIER, span=recent, value=value,
            high=NOISIER * scale, direction="above", cover=coverage(now),
            facts={"times": f"{value / max(typical, 1e-9):.0f}"}, numbers={"usual_step": typical, "step": value},
        )  # fmt: skip


def _habit(view: CoachView, track: Track, otherwise: Mask) -> np.ndarray | None:
    """What it did for days before it became what it is. None: too little is known.

    `otherwise`: the slots in which it was not as it is now. How long it has been so does not make it usual, for a week.
    """
    then = track.mean[view.before_run(otherwise, SHORT_H + 0.5, HABIT_DAYS)]
    if np.isfinite(then).sum() < HABIT:
        then = track.mean[view.before(SHORT_H + 0.5, HABIT_DAYS)]
    return then if np.isfinite(then).sum() >= HABIT else None


def _least(track: Track, recent: slice) -> float:
    """What each slot of the span exceeded: a single peak is nobody's trouble."""
    return quantile(track.mean[recent], 0.0)


def _least_dip(track: Track, recent: slice) -> float:
    return quantile(track.mean[recent], 1.0)
