"""Where a series has gone: up, down or nowhere, by how much, and how surely.

Slope: Theil (1950) and Sen (1968), the median of all pairwise slopes, on at most 120 time-ordered group medians. What
counts as having gone somewhere, any of three:
- a line or a lasting step explains the series better than noise with memory does (`regression`): a random walk and a
  daily swing stay `stable`;
- it went one way all along, hardly a step back (a tank emptying along a bend);
- every change it made was to one side (a level that is only sent when it changes).

Direction and change agree: `change_percent` is the way from the first to the last level of that very line, step or
curve, and 0 where the series is stable.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .regression import LINE, NO_FIT, STEP, TINY, Fit, best_step, clipped, fit
from .robust import Times, Values, finite, mad_sigma, median, rounded, tamed

Places = NDArray[np.intp]
Direction = Literal["up", "down", "stable"]
Shape = Literal["none", "line", "step", "curve"]

POINTS: Final = 120  # pairwise slopes grow with the square
MIN_SAMPLES: Final = 5
MIN_EFFECT: Final = 1.0  # the rise must reach this many robust sigmas of the residuals to be worth a word
BLOCKS: Final = 16  # of which the medians follow one another ...
MIN_BLOCKS: Final = 12
STEPS_BACK: Final = 1  # ... with at most so many steps back: chance of a random walk 1 in 1,000
MONOTONE_SAMPLES: Final = 8  # all changes to one side: 1 in 64 by chance, fewer with more samples
MONOTONE_CHANGES: Final = 3  # one may be a lone bad sample at the end
MAX_PERCENT: Final = 1e6
HOUR_MS: Final = 3_600_000.0


class Trend(Struct, frozen=True):
    """`slope_per_hour` in the metric's unit. `first` and `last`: the level at the first and last sample, by the line,
    step or curve (`shape`) that was found; where none was, the robust line's.

    `change_percent` is `last - first` in percent of |first|, 0 when stable. Where |first| is below 1 % of |last| (a
    start at zero has no percentages) it is +-100. `scale`: robust sigma around the shape. `p_value` 1 when there is
    too little to say. `changed_at_ms`: the first sample of the new level, for a step.
    """

    direction: Direction
    slope_per_hour: float
    change_percent: float
    p_value: float
    samples: int
    first: float
    last: float
    scale: float
    effective_samples: float
    shape: Shape = "none"
    changed_at_ms: int | None = None


class _Course(NamedTuple):
    shape: Shape
    first: float
    last: float
    scale: float
    p_value: float
    memory: float
    changed_at: int | None = None  # place


def direction(times: Times, values: Values) -> Trend:
    """The trend of samples in rising order of time (ms). Any length, also 0; any finite values."""
    count = len(values)
    if count == 0:
        return Trend("stable", 0.0, 0.0, 1.0, 0, 0.0, 0.0, 0.0, 0.0)
    small, divisor = tamed(np.asarray(values, dtype=np.float64))
    hours = (np.asarray(times, dtype=np.int64) - int(times[0])) / HOUR_MS
    places, levels = grouped_medians(hours, small, POINTS)
    slope = theil_sen(places, levels) if count >= 3 else 0.0
    course = _course(places, levels, slope)
    rise = course.last - course.first
    # Beyond rounding, a line through exact points leaves nothing; what rounding leaves is not noise.
    dust = max(TINY, 1e-9 * max(abs(float(levels.max())), abs(float(levels.min()))))
    found: Direction = "stable"
    if course.shape != "none" and abs(rise) > dust:
        found = "up" if rise > 0 else "down"
    changed_at_ms = None
    if course.changed_at is not None and found != "stable":
        near = (hours >= places[course.changed_at - 1]) & (hours <= places[course.changed_at])
        changed_at_ms = int(times[near][_first_of_new_level(small[near], course.first, course.last)])
    return Trend(
        direction=found,
        slope_per_hour=rounded(finite(slope * divisor), 9),
        change_percent=change_percent(course.first, course.last) if found != "stable" else 0.0,
        p_value=course.p_value,
        samples=count,
        first=finite(course.first * divisor),
        last=finite(course.last * divisor),
        scale=finite(course.scale * divisor),
        effective_samples=round(_effective(len(levels), course.memory), 1),
        shape=course.shape if found != "stable" else "none",
        changed_at_ms=changed_at_ms,
    )


def _course(places: Values, levels: Values, slope: float) -> _Course:
    """The shape that explains `levels` best among those that are significant."""
    line = median(levels - slope * places) + slope * places
    scale = mad_sigma(levels - line, 0.0)
    first, last = float(line[0]), float(line[-1])
    if len(levels) < MIN_SAMPLES or places[-1] <= 0.0:
        return _Course("none", first, last, scale, 1.0, 0.0)
    tame = clipped(levels)
    straight = fit(tame, places, LINE)
    step_at = best_step(tame)
    stepped = NO_FIT
    candidates: list[tuple[float, _Course]] = []
    if step_at is not None:
        low, high = median(levels[:step_at]), median(levels[step_at:])
        flat = np.where(np.arange(len(levels)) < step_at, low, high)
        stepped = fit(tame, (np.arange(len(levels)) >= step_at).astype(np.float64), STEP)
        left = mad_sigma(levels - flat, 0.0)
        lasting = stepped.strength >= 1.0 and _ends_apart(levels, high - low)
        if lasting and abs(high - low) >= MIN_EFFECT * left:
            course = _Course("step", low, high, left, stepped.p_value, stepped.memory, step_at)
            candidates.append((float(np.abs(tame - flat).sum()), course))
    if straight.strength >= 1.0 and abs(last - first) >= MIN_EFFECT * scale:
        course = _Course("line", first, last, scale, straight.p_value, straight.memory)
        candidates.append((float(np.abs(tame - line).sum()), course))
    if candidates:
        return min(candidates, key=lambda each: each[0])[1]
    best: Fit = max(straight, stepped, key=lambda each: each.strength)
    if _goes_one_way(levels):
        edge = max(1, len(levels) // 8)
        first += median((levels - line)[:edge])
        last += median((levels - line)[-edge:])
        return _Course("curve", first, last, scale, 0.01, best.memory)
    return _Course("none", first, last, scale, best.p_value, best.memory)


def _first_of_new_level(values: Values, old: float, new: float) -> int:
    """Where the samples around a step change from one level to the other: the split with the smallest errors."""
    gain = np.abs(values - old) - np.abs(values - new)  # of counting a sample to the new level
    return int(np.cumsum(gain[::-1])[::-1].argmax())


def _ends_apart(levels: Values, rise: float) -> bool:
    """Whether the ends of the window lie apart as a step of `rise` says: a pulse that is over is no step."""
    edge = max(3, len(levels) // 16)
    return (median(levels[-edge:]) - median(levels[:edge])) * math.copysign(1.0, rise) >= 0.5 * abs(rise)


def _goes_one_way(levels: Values) -> bool:
    changes = np.diff(levels)
    rises, falls = int(np.count_nonzero(changes > 0)), int(np.count_nonzero(changes < 0))
    if len(levels) >= MONOTONE_SAMPLES and min(rises, falls) == 0:
        return max(rises, falls) >= MONOTONE_CHANGES
    if len(levels) < MIN_BLOCKS:
        return False
    steps = np.diff([median(block) for block in np.array_split(levels, min(BLOCKS, len(levels)))])
    ahead, back = int(np.count_nonzero(steps > 0)), int(np.count_nonzero(steps < 0))
    return max(ahead, back) >= MIN_BLOCKS - 2 and min(ahead, back) <= (STEPS_BACK if len(steps) > MIN_BLOCKS else 0)


def _effective(count: int, memory: float) -> float:
    """How many independent samples `count` samples of AR(1) noise are worth (Bayley & Hammersley 1946)."""
    memory = min(memory, 0.9999)
    return max(min(2.0, count), count * (1.0 - memory) / (1.0 + memory))


def change_percent(first: float, last: float) -> float:
    """From `first` to `last` in percent of |first|, at two digits; +-100 for a start at zero, 0 for no change."""
    largest = max(abs(first), abs(last))
    if largest == 0.0 or first == last:
        return 0.0
    if abs(first) < 0.01 * largest:
        return math.copysign(100.0, last - first)
    percent = 100.0 * ((last / largest) - (first / largest)) / (abs(first) / largest)
    return round(max(-MAX_PERCENT, min(MAX_PERCENT, percent)), 2)


def grouped_medians(positions: Values, values: Values, limit: int) -> tuple[Values, Values]:
    """At most `limit` points: medians of neighbouring groups of equal size, at their mean positions."""
    count = len(values)
    if count <= limit:
        return positions, values
    size = -(-count // limit)
    whole = count // size * size
    places = positions[:whole].reshape(-1, size).mean(axis=1)
    middles = np.median(values[:whole].reshape(-1, size), axis=1)
    if whole < count:
        places = np.append(places, positions[whole:].mean())
        middles = np.append(middles, np.median(values[whole:]))
    return places, middles


@lru_cache(maxsize=16)
def _pairs(count: int) -> tuple[Places, Places]:
    """All (earlier, later) pairs of places. Kept, since the callers ask for the same few counts again and again."""
    left, right = np.triu_indices(count, 1)
    return left, right


def theil_sen(positions: Values, values: Values) -> float:
    """Median of the slopes of all pairs at different positions; 0 when there is none."""
    if len(values) < 2:
        return 0.0
    left, right = _pairs(len(values))
    run = positions[right] - positions[left]
    rise = values[right] - values[left]
    if not (run > 0).all():
        rise, run = rise[run > 0], run[run > 0]
    return median(rise / run) if len(run) else 0.0
