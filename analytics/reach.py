"""When a level will reach a limit: a tank empty or full, a battery down, the propane gone; with an honest interval.

Use comes in bursts, is low at night, and differs from day to day, so no line is drawn. Instead the past is played on:
the changes of whole past days, aligned to the present hour, are drawn at random, in runs where days resemble their
neighbours, and strung together to many possible futures, and the time each of them first passes the limit is noted
(stationary bootstrap, Politis & Romano 1994). How often each day is drawn is itself random (Bayesian bootstrap, Rubin
1981), so that few days give a wide answer. A refill, or a dump of a waste tank, is not use: it is taken out of the
past and does not happen in the futures.

The interval from `earliest_ms` to `latest_ms` is to hold the truth in 9 of 10 cases, provided nobody refills before;
tests/accuracy/time_to.py measures that.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .robust import Times, Values, mad_sigma, median, quantile

Matrix = NDArray[np.float64]

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MIN_STEP_MS: Final = 60_000
MIN_STEPS: Final = 24  # of the grid
MIN_BLOCKS: Final = 3  # days; or shorter blocks where there are not so many days
SHORT_BLOCKS: Final = 8  # into which a history of less than three days is cut
BLOCK_STEPS: Final = 6  # in each of them
PATHS: Final = 400
MAX_DAYS: Final = 60  # ahead
MAX_HISTORY_DAYS: Final = 28
HALF_LIFE_DAYS: Final = 10.0  # of what a past day says about the next
LOW_QUANTILE: Final = 0.05
HIGH_QUANTILE: Final = 0.95
RESET_SHARE: Final = 0.04  # of the range: a jump back by more is a refill
DOUBT: Final = 0.5  # over the square root of the number of blocks: how badly the pace is known (log scale)
DOUBT_SHORT: Final = 0.25  # the same within one or two days, and where use may be negative (a charger)
RESTLESS: Final = 0.6  # times the memory of one day for the next: spells change, however long the past (log scale)
PRIOR_MEMORY: Final = 0.5  # before any is seen ...
PRIOR_DAYS: Final = 6.0  # ... which counts as much as so many days
SEED: Final = 5_005  # the same input gives the same answer


class Reach(Struct, frozen=True):
    """`at_ms`: half of the futures are there by then. `earliest_ms`, `latest_ms`: 5 % and 95 % of them.

    `latest_ms` None: more than 5 % do not get there within `MAX_DAYS`. `blocks`: days (or parts of one) it rests on.
    """

    limit: float
    at_ms: int
    earliest_ms: int
    latest_ms: int | None
    blocks: int
    per_day: float  # mean change of the level in a day, refills left out


def time_to(
    times: Times, values: Values, limit: float, *, resets: bool, low: float | None = None, high: float | None = None,
    now_ms: int | None = None,
) -> Reach | None:  # fmt: skip
    """When the level passes `limit`, from `now_ms` (default: the last of the samples at rising times, ms) on. None:
    already there, too little known, not even half of the futures get there, or they need a longer past to be told.

    `resets`: jumps away from the limit are refills or dumps (tanks); False where the level moves both ways by itself (a
    battery). `low`, `high`: what the level cannot leave. Sparse samples are fine: a level holds until the next.
    """
    if len(values) < MIN_STEPS // 4 or values[-1] == limit:
        return None
    sign = 1.0 if limit > float(values[-1]) else -1.0
    end = int(times[-1]) if now_ms is None else max(now_ms, int(times[-1]))
    span = min(end - int(times[0]), MAX_HISTORY_DAYS * DAY_MS)
    step_ms = HOUR_MS if span >= MIN_BLOCKS * DAY_MS else max(MIN_STEP_MS, span // (SHORT_BLOCKS * BLOCK_STEPS))
    levels = _levels(times, values, end, span, step_ms)
    if len(levels) < MIN_STEPS:
        return None
    now = float(levels[-1])
    if sign * (limit - now) <= 0.0:
        return None
    changes = np.diff(levels)
    if resets:
        changes = _without_resets(levels, changes, sign, low, high)
    blocks = _blocks(changes, DAY_MS // step_ms if step_ms == HOUR_MS else BLOCK_STEPS)
    if len(blocks) < MIN_BLOCKS or sign * float(blocks.sum()) <= 0.0:
        return None
    steps = _first_passages(now, limit, sign, blocks, step_ms, low, high, days=step_ms == HOUR_MS)
    if quantile(np.minimum(steps, 1e12), 0.5) >= 1e11:
        return None
    early, middle, late = (quantile(np.minimum(steps, 1e12), part) for part in (LOW_QUANTILE, 0.5, HIGH_QUANTILE))
    return Reach(
        limit=limit,
        at_ms=end + round((middle - 0.5) * step_ms),  # somewhere within the step
        earliest_ms=end + round((early - 1.0) * step_ms),
        latest_ms=end + round(late * step_ms) if late < 1e11 else None,
        blocks=len(blocks),
        per_day=float(blocks.mean(axis=0).sum()) * DAY_MS / (blocks.shape[1] * step_ms),
    )


def _levels(times: Times, values: Values, end: int, span: int, step_ms: int) -> Values:
    """The level at the end of each step back from `end`: the median of its last three samples, or as before."""
    size = span // step_ms
    back = (end - times) // step_ms
    inside = back < size
    places = (size - 1 - back[inside]).astype(np.intp)
    levels = np.full(size, np.nan)
    given = values[inside]
    first = np.flatnonzero(np.diff(places, prepend=-1))
    for start, stop in zip(first.tolist(), [*first[1:].tolist(), len(places)], strict=True):
        levels[places[start]] = median(given[stop - 3 : stop]) if stop - start > 2 else given[stop - 1]
    known = np.flatnonzero(np.isfinite(levels))
    if not len(known):
        return np.empty(0)
    held = np.maximum.accumulate(np.where(np.isfinite(levels), np.arange(size), known[0]))
    result: Values = levels[held][known[0] :]
    return result


def _without_resets(levels: Values, changes: Values, sign: float, low: float | None, high: float | None) -> Values:
    """Changes with the jumps back left out. A jump may take several steps; what the sensor's noise does is no jump."""
    full = (high if high is not None else float(levels.max())) - (low if low is not None else float(levels.min()))
    noise = mad_sigma(changes[changes != 0.0], 0.0) if np.count_nonzero(changes) > MIN_STEPS else 0.0
    bar = max(RESET_SHARE * full, min(4.0 * noise, 0.15 * full))
    back = changes * sign < 0
    result = changes.copy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], back.astype(np.int8), [0]))))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if -sign * float(changes[start:stop].sum()) > bar:
            result[start:stop] = 0.0
    return result


def _blocks(changes: Values, length: int) -> Matrix:
    """Rows of `length` steps, the newest first; each begins at the present hour of its day."""
    count = len(changes) // length
    result: Matrix = changes[len(changes) - count * length :].reshape(count, length)[::-1]
    return result


def _first_passages(
    now: float, limit: float, sign: float, blocks: Matrix, step_ms: int, low: float | None, high: float | None, *,
    days: bool,
) -> Values:  # fmt: skip
    """Steps until each of PATHS futures passes the limit; infinite for those that don't."""
    rng = np.random.default_rng(SEED)
    count, length = blocks.shape
    ages = np.arange(count) * (1.0 if days else 0.0)
    weights = rng.standard_gamma(np.tile(0.5 ** (ages / HALF_LIFE_DAYS), (PATHS, 1)))
    bounds = np.cumsum(weights, axis=1)
    use = sign * blocks.sum(axis=1)
    memory, doubt, recent = 0.0, DOUBT_SHORT / count**0.5, 1.0
    if days and bool((use > 0.0).all()):
        memory, doubt, recent, scale = _pace(use)
        blocks = blocks * scale[:, np.newaxis]
    pace = np.exp(rng.normal(0.0, doubt, PATHS))
    drawn = np.zeros(PATHS, dtype=np.intp)
    level = np.full(PATHS, now)
    steps = np.full(PATHS, np.inf)
    bottom, top = (-np.inf if low is None else low), (np.inf if high is None else high)
    horizon = MAX_DAYS if days else min(MAX_DAYS, 2 * count)
    for block in range(horizon):
        fresh_draw = (bounds < (rng.random(PATHS) * bounds[:, -1])[:, np.newaxis]).sum(axis=1)
        goes_on = (rng.random(PATHS) < memory) & (drawn > 0)
        drawn = np.where(goes_on, drawn - 1, fresh_draw)
        now_pace = pace * recent ** (memory ** (block + 1.0))
        courses = level[:, np.newaxis] + np.cumsum(blocks[drawn] * now_pace[:, np.newaxis], axis=1)
        passed = sign * (courses - limit) >= 0
        fresh = passed.any(axis=1) & np.isinf(steps)
        steps[fresh] = block * length + 1 + passed[fresh].argmax(axis=1)
        if np.isfinite(steps).all():
            break
        level = np.clip(courses[:, -1], bottom, top)
    return steps


def _pace(use: Values) -> tuple[float, float, float, Values]:
    """Of the use of past days, the newest first: how much a day resembles the one before, how badly the pace is known
    (log scale), the recent pace over the mean one, and what makes each day as far from the mean as such days are in the
    long run. A cold spell lasts: the next days are like the last ones, and few days have not seen both ends."""
    count = len(use)
    logs = np.log(use / use.mean())
    deviations = logs - logs.mean()
    total = float(deviations @ deviations)
    seen = float(deviations[1:] @ deviations[:-1]) / total if total > 0.0 else 0.0
    seen += (1.0 + 4.0 * max(seen, 0.0)) / count  # an estimated mean takes that off (Marriott & Pope 1954)
    memory = min(0.9, max(0.0, (count * seen + PRIOR_DAYS * PRIOR_MEMORY) / (count + PRIOR_DAYS)))
    inflation = (1.0 + memory) / (1.0 - memory)  # of the variance of a mean of days that resemble each other
    lost = min(0.6, (inflation - 1.0) / max(1, count - 1))  # of the spread, which few such days do not show
    spread = (total / max(1, count - 1) / (1.0 - lost)) ** 0.5
    doubt = max(DOUBT, spread * inflation**0.5) / count**0.5
    fades = memory ** np.arange(count)
    recent = float(np.exp(fades @ deviations / fades.sum()))
    doubt = (doubt * doubt + (RESTLESS * memory) ** 2) ** 0.5
    scale: Values = np.exp(((1.0 - lost) ** -0.5 - 1.0) * deviations)
    return memory, min(1.0, doubt), min(3.0, max(1.0 / 3.0, recent)), scale
