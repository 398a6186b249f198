"""Which periods a series has, of any length, gaps allowed; and none where there is none.

Method (DETECTION study, section 8): samples on a grid, without outliers and slow drift; candidates are the biggest
peaks of the periodogram and of the autocorrelation, the latter computed over the pairs that exist (Vlachos, Yu &
Castelli 2005 for the pair of views). A candidate is accepted when the autocorrelation there is a hill between two
valleys, and when odd cycles predict even ones and the reverse (cross-validated R2): noise with memory has hills, too,
but its cycles know nothing of each other. Of the accepted the shortest that predicts about as well as the best is
first; its multiples are dropped.

Two things repeat and are no cycle of what is measured. Rounding: a tank that empties steadily falls by a whole step
again and again. And what is too fast for the grid: sampled every hour, forty minutes look like some other period; so
the newest samples are looked at as they came, and what is found there too short for the grid is told instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .robust import Times, Values, mad_sigma, median, tamed

Places = NDArray[np.intp]
Baseline = Callable[[Places, Values, int], Values]  # (filled cells, values there, size) -> level of every cell

HOUR_MS: Final = 3_600_000.0
MAX_POINTS: Final = 4096  # on the grid
MIN_POINTS: Final = 24  # of them filled
MIN_FILLED: Final = 0.25
MIN_CYCLES: Final = 3
MIN_PERIOD: Final = 3.0  # points: with fewer a cycle has no shape
CANDIDATES: Final = 12  # of either view
CLIP: Final = 6.0  # robust sigmas
ALPHA: Final = 1e-3  # of a peak of the periodogram
MIN_CORRELATION: Final = 0.2
MIN_Z: Final = 2.6  # of the correlation, over 1/sqrt(pairs)
MIN_HILL: Final = 0.15  # how far above both valleys
MIN_R2: Final = 0.1  # with many cycles; noise with memory reaches more with few, so there more is asked for:
R2_CYCLES: Final = 2.0  # over the number of cycles
AS_STRONG: Final = 0.88
PHASES: Final = 48  # at most, of a folded cycle
MULTIPLES: Final = 12  # of a period, to tell it finely
TRIES: Final = 40  # to either side of a whole lag
FAR_MULTIPLES: Final = 48  # of a period that is nearly known
FINER: Final = 8  # times, from one look at the multiples to the next
NEAR_MULTIPLE: Final = 0.06
ROUNDED: Final = 3  # values that come again: with fewer there are states, and no steps
STEP_AND_MORE: Final = 1.2  # of the steps values are rounded to: a smaller cycle of what wanders over steps is rounding
WANDERS: Final = 2.0  # steps
LEAST_SHARE: Final = 0.01  # of how far a metric wanders: a smaller cycle is none
ALTERNATING: Final = 2  # cells: the longest period that no cell-by-cell view can show, but for its multiples


class Period(Struct, frozen=True):
    """`strength`: autocorrelation one period apart, 0..1. `r2`: how much of a cycle the other cycles predict.
    `cycles`: how many the series holds."""

    period_ms: float
    strength: float
    r2: float
    cycles: float


class _Grid(NamedTuple):
    step_ms: float
    values: Values  # without drift, mean 0; 0 where absent
    present: Values  # 1 or 0
    least: float  # from trough to peak: a smaller cycle is none


def find_periods(times: Times, values: Values, *, limit: int = 3) -> list[Period]:
    """The periods of samples at rising times (ms), the most telling first. Any cadence; empty when there is none."""
    laid_out = _laid_out(times, values)
    if laid_out is None:
        return []
    step_ms, raw, present, rounding = laid_out
    if len(values) > MAX_POINTS:
        newest = find_periods(times[-MAX_POINTS:], values[-MAX_POINTS:], limit=limit)
        if newest and newest[0].period_ms < MIN_PERIOD * step_ms:
            return newest
    for baseline in (_quadratic, _block_medians):
        grid = _without(baseline, step_ms, raw, present, rounding)
        if grid is not None:
            found = _periods(grid)
            if found:
                return found[:limit]
    return []


def is_too_fast(times: Times, values: Values, period_ms: float) -> bool:
    """Whether what repeats after `period_ms` is up and down from one sample to the next: too fast for them."""
    laid_out = _laid_out(times, values)
    grid = None if laid_out is None else _without(_quadratic, *laid_out)
    if grid is None:
        return False
    correlation, _ = _autocorrelation(grid)
    peak = round(period_ms / grid.step_ms)
    return ALTERNATING + 1 < peak < len(correlation) and _alternates(correlation, peak)


def identities(periods: Sequence[Period]) -> list[str]:
    """What each is known by from one look to the next, no two alike: a period wanders, and noise makes it differ.

    What is shorter than an hour is "short" (a compressor's cycle follows the weather); longer ones are told apart by
    powers of two. Of two that are alike by that the shorter comes first.
    """
    found = [""] * len(periods)
    for place in sorted(range(len(periods)), key=lambda place: periods[place].period_ms):
        hours = periods[place].period_ms / HOUR_MS
        name = "short" if hours < 1.0 else f"long:{round(math.log2(hours))}"
        alike = sum(each.startswith(name + "/") for each in found)
        found[place] = f"{name}/{alike + 1}"
    return found


def _laid_out(times: Times, values: Values) -> tuple[float, Values, Values, float] | None:
    """Step, means per cell, which cells have any, and the step that values are rounded to (0: none that shows)."""
    if len(values) < MIN_POINTS or times[-1] <= times[0]:
        return None
    gaps = np.diff(times)
    usual = float(
        np.quantile(gaps[gaps > 0], 0.25)
    )  # where half of the samples are missing, the median gap is two steps
    step = max(usual, (int(times[-1]) - int(times[0])) / (MAX_POINTS - 1))
    cells = ((times - int(times[0])) / step + 0.5).astype(np.intp)
    size = int(cells[-1]) + 1
    counts = np.bincount(cells, minlength=size)
    present = (counts > 0).astype(np.float64)
    if present.sum() < max(MIN_POINTS, MIN_FILLED * size):
        return None
    small, _ = tamed(np.asarray(values, dtype=np.float64))
    small = small / (float(np.abs(small).max()) or 1.0)  # squares of tiny values would be none
    means = np.bincount(cells, weights=small, minlength=size) / np.maximum(counts, 1)
    return step, means, present, _rounding(small)


def _rounding(values: Values) -> float:
    """The distance of the values that come again and again, where most do."""
    levels, counts = np.unique(values, return_counts=True)
    often = counts > 1
    if often.sum() < ROUNDED or counts[often].sum() < 0.5 * len(values):
        return 0.0
    return median(np.diff(levels[often]))


def _without(baseline: Baseline, step_ms: float, raw: Values, present: Values, rounding: float) -> _Grid | None:
    there = present > 0
    level = np.zeros(len(raw))
    where = np.flatnonzero(there)
    inside = raw[there]
    dust = 1e-9 * float(np.abs(inside).max())
    for _ in range(2):  # the second time without what the first showed to be outliers
        level = baseline(where, inside, len(raw))
        rest = raw[there] - level[there]
        middle = median(rest)
        scale = mad_sigma(rest, middle) or float(np.abs(rest - middle).mean()) * 1.25
        if scale <= dust:
            return None
        inside = level[there] + np.clip(rest, middle - CLIP * scale, middle + CLIP * scale)
    rest = inside - level[there]
    result = np.zeros(len(raw))
    result[there] = rest - rest.mean()
    wandered = float(level.max() - level.min())
    least = max(LEAST_SHARE * wandered, STEP_AND_MORE * rounding if wandered > WANDERS * rounding else 0.0)
    return _Grid(step_ms, result, present, least)


def _quadratic(where: Places, inside: Values, size: int) -> Values:
    """Least squares parabola."""
    scaled = np.linspace(-1.0, 1.0, size)
    shapes = np.stack([np.ones(size), scaled, scaled * scaled])
    at = shapes[:, where]
    result: Values = np.linalg.lstsq(at @ at.T, at @ inside, rcond=None)[0] @ shapes
    return result


def _block_medians(where: Places, inside: Values, size: int) -> Values:
    """A line through the medians of ten blocks: what drifts more freely than a parabola."""
    blocks = [block for block in np.array_split(np.arange(len(where)), 10) if len(block)]
    middles = [float(where[block].mean()) for block in blocks]
    result: Values = np.interp(np.arange(size), middles, [median(inside[block]) for block in blocks])
    return result


def _periods(grid: _Grid) -> list[Period]:
    size = len(grid.values)
    correlation, pairs = _autocorrelation(grid)
    accepted: list[tuple[float, float, float]] = []  # (period in cells, strength, r2)
    seen: set[int] = set()
    for candidate in [*_spectral(grid), *_hills(correlation, size // MIN_CYCLES)]:
        peak = _climb(correlation, candidate)
        if peak in seen or not MIN_PERIOD <= peak <= size / MIN_CYCLES:
            continue
        seen.add(peak)
        strength = float(correlation[peak])
        if strength < max(MIN_CORRELATION, MIN_Z / math.sqrt(max(1.0, float(pairs[peak])))):
            continue
        valleys = correlation[max(1, peak // 2) : peak], correlation[peak : peak + peak // 2 + 1]
        if strength - max(float(each.min()) for each in valleys) < MIN_HILL or _alternates(correlation, peak):
            continue
        period = _refined(correlation, peak)
        r2 = _cross_validated(grid, period)
        if r2 >= max(MIN_R2, R2_CYCLES / (size / period)):
            accepted.append((period, strength, r2))
    if not accepted:
        return []
    accepted = _apart(accepted)
    best = max(r2 for _, _, r2 in accepted)
    first = min(each for each in accepted if each[2] >= _as_strong(each[0]) * best)
    kept: list[tuple[float, float, float]] = []
    for each in sorted(accepted):  # a multiple says nothing new, unless it says far more (a week beside its days)
        better = each[2] >= AS_STRONG * best
        if not any(
            _multiple(each[0], other[0]) and not (better and other[2] < _as_strong(other[0]) * each[2])
            for other in kept
        ):
            kept.append(each)
    kept.sort(key=lambda each: (each is not first, -each[2]))
    return [
        Period(period * grid.step_ms, min(1.0, strength), min(1.0, r2), size / period) for period, strength, r2 in kept
    ]


def _alternates(correlation: Values, peak: int) -> bool:
    """Whether a lag is but a multiple of what goes up and down from cell to cell."""
    between = correlation[ALTERNATING] - max(correlation[1], correlation[3])
    return peak % ALTERNATING == 0 and bool(
        between > MIN_HILL and correlation[ALTERNATING] > AS_STRONG * correlation[peak]
    )


def _as_strong(period: float) -> float:
    """The share of a longer period's R2 with which a shorter one says the same. Folded, a period that is no whole
    number of cells is blurred by up to a cell."""
    return AS_STRONG if abs(period - round(period)) < 0.05 else AS_STRONG * (1.0 - 1.0 / period)


def _apart(accepted: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Of periods that are the same but for their exactness, the one that predicts best."""
    kept: list[tuple[float, float, float]] = []
    for each in sorted(accepted, key=lambda each: -each[2]):
        if all(abs(each[0] / other[0] - 1.0) > NEAR_MULTIPLE for other in kept):
            kept.append(each)
    return kept


def _autocorrelation(grid: _Grid) -> tuple[Values, Values]:
    """By lag up to half the series: over the pairs that exist, and their number."""
    size = len(grid.values)
    room = 1 << (2 * size - 1).bit_length()
    lags = size // 2 + 1
    products = np.fft.irfft(np.abs(np.fft.rfft(grid.values, room)) ** 2, room)[:lags]
    pairs = np.rint(np.fft.irfft(np.abs(np.fft.rfft(grid.present, room)) ** 2, room)[:lags])
    means = products / np.maximum(pairs, 1.0)
    correlation: Values = np.where(pairs >= 8, means / means[0], 0.0)
    return correlation, pairs


def _spectral(grid: _Grid) -> list[int]:
    """Lags of the biggest significant peaks of the periodogram (Hann window, zero-padded once)."""
    size = len(grid.values)
    power = np.abs(np.fft.rfft(grid.values * np.hanning(size), 2 * size)) ** 2
    floor = median(power[1:]) / math.log(2.0) * math.log(len(power) / ALPHA)  # power of noise is exponential
    places = _maxima(power)
    places = places[(power[places] > floor) & (places >= 2 * MIN_CYCLES - 1)]
    biggest = places[np.argsort(-power[places])][:CANDIDATES]
    return [round(2 * size / place) for place in biggest.tolist()]


def _hills(correlation: Values, longest: int) -> list[int]:
    places = _maxima(correlation[: longest + 2])
    return places[np.argsort(-correlation[places])][:CANDIDATES].tolist()  # type: ignore[no-any-return]


def _maxima(values: Values) -> Places:
    inner = values[1:-1]
    places: Places = np.flatnonzero((inner > values[:-2]) & (inner >= values[2:])) + 1
    return places


def _climb(correlation: Values, lag: int) -> int:
    """The highest lag near by."""
    reach = max(1, round(0.08 * lag))
    low, high = max(1, lag - reach), min(len(correlation) - 1, lag + reach)
    return low + int(correlation[low : high + 1].argmax()) if low <= high else 0


def _refined(correlation: Values, lag: int) -> float:
    """A period in fractions of a cell: the one whose multiples all lie on hills."""
    reach = max(1.0, 0.05 * lag)
    lags = np.arange(len(correlation))
    most = int((len(correlation) - 1) / (lag + reach))
    period, farthest = float(lag), 0
    while farthest < most:  # many cycles need a finer period, and farther multiples tell it
        farthest = min(most, max(MULTIPLES, FINER * farthest))
        multiples = np.unique(np.linspace(1, farthest, FAR_MULTIPLES if farthest > MULTIPLES else MULTIPLES).round())
        tries = np.linspace(period - reach, period + reach, 2 * TRIES + 1)
        heights = np.interp(tries[:, np.newaxis] * multiples, lags, correlation).mean(axis=1)
        period = float(tries[heights.argmax()])
        reach /= FINER
    return period


def _cross_validated(grid: _Grid, period: float) -> float:
    """R2 of every cycle predicted by the mean of the cycles of the other parity."""
    cells = np.arange(len(grid.values))
    phases = max(3, min(PHASES, round(period)))
    phase = np.minimum((cells % period) / period * phases, phases - 1).astype(np.intp)
    parity = (cells / period).astype(np.intp) % 2
    there = grid.present > 0
    where = (parity * phases + phase)[there]
    values = grid.values[there]
    counts = np.bincount(where, minlength=2 * phases)
    profile = np.bincount(where, weights=values, minlength=2 * phases) / np.maximum(counts, 1)
    other = (where + phases) % (2 * phases)
    known = counts[other] > 0
    total = float(values[known] @ values[known])
    if total <= 0.0 or known.mean() < 0.5:
        return 0.0
    both = (profile[:phases] + profile[phases:]) / 2.0
    if float(both.max() - both.min()) < grid.least:
        return 0.0
    left = values[known] - profile[other][known]
    return 1.0 - float(left @ left) / total


def _multiple(longer: float, shorter: float) -> bool:
    """Whether one is (nearly) a multiple of the other, or the same."""
    ratio = longer / shorter
    return abs(ratio - round(ratio)) <= NEAR_MULTIPLE * max(1.0, round(ratio) / 2)
