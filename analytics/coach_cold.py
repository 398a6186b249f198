"""Checks of refrigerator and freezer: getting warm, and a compressor that works harder than it used to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_sign import STAYS, Sign, mean, quantile
from .coach_view import CoachView, coverage, known
from .records import FindingKind
from .words import number

WARM_H: Final = 0.75
DUTY_H: Final = 24.0
HABIT_SLOTS: Final = 3 * 288
HABIT_DAYS: Final = 10.0
DUTY_MORE: Final = 0.3
LEAST_WARMER: Final = {"fridge_temperature": 0.8, "freezer_temperature": 1.2}  # °C
LEAST_DIFFERENCE: Final = 5.0  # °C between inside and the cold, below which the duty says nothing


def warming(view: CoachView) -> Iterator[Sign]:
    """The mean of the last three quarters of an hour is above what such means have been, and still rising; how long it
    has been so does not make it usual."""
    for track in view.all("fridge_temperature", "freezer_temperature"):
        recent, least = view.last(WARM_H), LEAST_WARMER[track.spec.role or ""]
        width, value = recent.stop - recent.start, mean(track.mean[recent])
        before = view.before_run(known(track.mean, np.inf) < value - least, WARM_H, HABIT_DAYS)
        if np.isfinite(track.mean[before]).sum() < HABIT_SLOTS:
            before = view.before(WARM_H, HABIT_DAYS)
        then = track.mean[before]
        if np.isfinite(then).sum() < HABIT_SLOTS:
            continue
        means = np.convolve(then, np.full(width, 1 / width), "valid")
        usual = quantile(means, 0.995)
        half = track.mean[recent.start : recent.start + width // 2]
        rising = mean(track.mean[recent.stop - width // 2 :]) > mean(half) - 0.1
        strength = (value - usual) / least
        yield Sign(
            kind=FindingKind.WARMING, track=track, strength=strength if rising else min(strength, STAYS), span=recent,
            value=value, high=usual + least, direction="above", cover=coverage(track.mean[recent]),
            facts={"usual": number(usual, track.spec.unit)}, numbers={"usual_at_most": usual},
        )  # fmt: skip


def duty_grew(view: CoachView) -> Iterator[Sign]:
    """Running time of the compressor for each degree between the room and the cold, against the days before. It says
    something only while it is about as cold inside as it was."""
    cold, inside = view.first("fridge_temperature"), view.first("interior_temperature")
    for track in view.all("fridge_state"):
        if cold is None or inside is None:
            return
        gap = inside.mean - cold.mean
        recent, before = view.last(DUTY_H), view.before(2 * DUTY_H)
        as_cold = cold.mean < quantile(cold.mean[before], 0.99) + LEAST_WARMER["fridge_temperature"]
        both = np.isfinite(gap) & np.isfinite(track.mean) & (gap > LEAST_DIFFERENCE) & as_cold

        def duty(span: slice, both: np.ndarray = both, gap: np.ndarray = gap, on: np.ndarray = track.mean) -> float:
            some = both[span]
            return float(on[span][some].sum() / gap[span][some].sum()) if some.any() else 0.0

        habit = [
            duty(slice(begin, begin + 288))
            for begin in range(before.stop - 288, before.start - 1, -288)
            if both[begin : begin + 288].sum() > 144
        ]
        if len(habit) < 3:
            continue
        usual, value = float(np.median(habit)), duty(recent)
        spread = (max(habit) - min(habit)) / usual if usual else 0.0
        if usual <= 0:
            continue
        yield Sign(
            kind=FindingKind.DUTY_GREW, track=track,
            strength=(value / usual - 1) / max(DUTY_MORE, spread), span=recent, value=mean(track.mean[recent]) * 100,
            unit="%", direction="above", cover=float(both[recent].mean()),
            facts={"share": number(100 * mean(track.mean[recent]), "%"), "times": f"{value / usual:.1f}"},
            numbers={"times_usual": value / usual, "days": len(habit)},
        )  # fmt: skip
