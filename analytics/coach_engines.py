"""Checks of generator and engine: running on for nothing, more load than ever, warmer at work than before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_log import SLOT_MS, SLOTS_A_DAY, Track
from .coach_sign import Sign, mean, quantile
from .coach_view import CoachView, Mask, coverage, known, last_run, runs
from .records import FindingKind
from .robust import Values, mad_sigma
from .words import difference, duration, number

FULL: Final = 97.0  # % of charge: nothing left to do for a generator
CHARGES: Final = 1.0  # % of charge gained in an hour: it has something to do
IDLE_H: Final = 0.75
LONGER: Final = 1.5
WARM_SLOTS: Final = 5  # an engine needs 25 minutes to reach its working temperature
LEAST_HOTTER: Final = 4.0  # °C
JOURNEYS: Final = 2
LOAD_SLOTS: Final = 4
COMFORTABLE: Final = 60.0  # % that any generator carries for long, where its own habit is not known
LOAD_MORE: Final = 25.0  # % of the rated load beyond anything before


def long_run(view: CoachView) -> Iterator[Sign]:
    """The generator runs though the battery is full, or much longer than it ever did and not to charge the battery.
    Once it stops that is over."""
    state = view.first("generator_state")
    if state is None or math.isnan(state.mean[-1]):
        return
    count = last_run(view.generator)
    span = slice(view.slots - max(1, count), view.slots)
    soc = view.first("battery_soc")
    full = last_run(view.generator & (known(np.full(view.slots, 0.0) if soc is None else soc.mean) >= FULL))
    earlier = [end - begin for begin, end in runs(view.generator[: span.start]) if end - begin > 2]
    longest = max(earlier, default=0)
    idle, long = full / (IDLE_H * 12), count / max(LONGER * longest, longest + 24) if longest else 0.0
    if soc is not None and not full and _gain(soc.mean[view.last(1)]) >= CHARGES:
        long = 0.0  # it runs for the battery, which sun has not filled as on other days
    strength = max(idle, long)
    charge = "unknown" if soc is None else number(float(known(soc.mean, 0.0)[-1]), "%")
    why = f"its longest run before was {duration(longest * SLOT_MS)}"
    if idle >= long:
        why = f"the battery has been full for {duration(full * SLOT_MS)}, and nothing else is known to need it"
    if view.all("air_conditioner_state") and mean(view.all("air_conditioner_state")[0].mean[-12:]) > 0.1:
        strength = 0.0  # it runs for the air conditioner
    yield Sign(
        kind=FindingKind.LONG_RUN, track=state, strength=strength, span=span, value=count / 12,
        high=longest / 12 or None, unit="h", direction="above", cover=coverage(state.mean[span]),
        facts={"span": duration(count * SLOT_MS), "charge": charge, "why": why},
        numbers={"hours": count / 12, "longest_before_hours": longest / 12},
    )  # fmt: skip


def _gain(values: Values) -> float:
    """From the first to the last known; 0 where there are not two."""
    some = values[np.isfinite(values)]
    return float(some[-1] - some[0]) if len(some) else 0.0


def load_grew(view: CoachView) -> Iterator[Sign]:
    """The generator's load over twenty minutes, against the highest of its earlier runs (or of the days before, when
    it runs for days)."""
    count = last_run(view.generator)
    for track in view.all("generator_load"):
        recent, before = view.last(LOAD_SLOTS / 12), view.before(1 if count > SLOTS_A_DAY else max(1, count / 12))
        running = bool(view.generator[recent].all())
        if not running and view.generator[-1]:
            continue  # it has just begun; once it stops, it carries nothing
        known_h = view.generator[before].sum() / 12
        usual, said = COMFORTABLE, "is what any generator carries with ease"
        if known_h >= 1:
            usual, said = quantile(track.mean[before][view.generator[before]], 0.98), "was the most before"
        value = mean(track.mean[recent])
        strength = (value - usual) / LOAD_MORE if running else 0.0
        yield Sign(
            kind=FindingKind.LOAD_GREW, track=track, strength=strength, span=recent, value=value,
            high=usual + LOAD_MORE, direction="above", cover=coverage(track.mean[recent]),
            facts={"usual": f"{number(usual, track.spec.unit)} {said}"}, numbers={"usual_at_most": usual},
        )  # fmt: skip


def warm(running: Mask) -> list[tuple[int, int]]:
    """Spans of at least a quarter of an hour in which an engine is at its working temperature."""
    return [(begin + WARM_SLOTS, end) for begin, end in runs(running) if end - begin >= WARM_SLOTS + 3]


def running_hotter(view: CoachView) -> Iterator[Sign]:
    """Coolant of an engine at work, this journey's median against those of the journeys before."""
    for track in view.all("engine_temperature", "generator_temperature"):
        running = view.generator if track.spec.role == "generator_temperature" else view.engine
        yield from _hotter(view, track, running)


def _hotter(view: CoachView, track: Track, running: Mask) -> Iterator[Sign]:
    works = [span for span in warm(running) if np.isfinite(track.mean[slice(*span)]).any()]
    if len(works) <= JOURNEYS or works[-1][1] < view.slots - 1:
        return
    medians = np.array([quantile(track.mean[begin:end], 0.5) for begin, end in works])
    begin, end = works[-1]
    value, earlier = quantile(track.mean[max(begin, end - 6) : end], 0.5), medians[:-1]
    usual = float(np.median(earlier))
    least = max(LEAST_HOTTER, 5 * mad_sigma(earlier))
    if math.isnan(value):
        return
    yield Sign(
        kind=FindingKind.RUNNING_HOTTER, track=track, strength=(value - usual) / least, span=slice(begin, end),
        value=value, high=usual + least, direction="above", cover=coverage(track.mean[begin:end]),
        facts={"usual": number(usual, track.spec.unit), "more": difference(value - usual, track.spec.unit)},
        numbers={"usual": usual, "journeys": len(earlier)},
    )  # fmt: skip
