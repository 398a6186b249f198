"""Where a metric is heading, as records: hours ahead, a limit, empty, full. Otherwise the answer is nothing.

- A metric with a daily or weekly cycle: hour by hour from `seasonal`, when that beat "as the last day on average" in
  its back-test. The interval is a 95 % one.
- A level (tank, propane, state of charge): when it will be empty, full, or at its limit, from `reach`. 90 %.
- A metric with a trend and no cycle: the robust line, on from its end, and when it reaches a limit. The same method is
  run from earlier origins of the same data, and the half-width is SAFETY times the 90 % quantile of the errors it made
  that far ahead. When that record says that it was no better than "stays as it is", there is no forecast. Nothing is
  said further ahead than a share of what is known.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from .catalogue import DEFAULT_SPEC, MetricSpec
from .local_time import HOUR_MS, UTC_TIME, LocalTime
from .reach import Reach, time_to
from .records import Prediction
from .robust import Times, Values, finite, median, quantile, rounded
from .seasonal import COVERAGE, forecast_hours
from .trend import Trend, grouped_medians, theil_sen

HORIZONS_MS: Final = (HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS)
REACH: Final = 0.25  # of the known span: how far ahead a trend is trusted
ORIGINS: Final = 12
POINTS: Final = 80  # of the series, for each line of the back-test
SAFETY: Final = 1.5
BETTER: Final = 0.8  # the back-test's errors must be below this share of those of the naive answer
MIN_POINTS: Final = 12
REACHED: Final = 0.9  # how often the interval of `reach` holds
TANKS: Final = frozenset({"fresh_tank", "waste_tank", "propane_tank", "fuel_tank", "tank"})
CHARGES: Final = frozenset({"battery_soc", "battery_soc_any"})
EMPTY: Final = 0.0  # %
FULL: Final = 100.0


class Record(Struct, frozen=True):
    """What a method did in the past: errors of its forecasts, and of the naive answer, as many of each."""

    errors: Values
    naive: Values

    @property
    def worth_telling(self) -> bool:
        return len(self.errors) >= 4 and float(self.errors.mean()) < BETTER * float(self.naive.mean())

    @property
    def half_width(self) -> float:
        return SAFETY * quantile(self.errors, 0.9)

    @property
    def confidence(self) -> float:
        """1 for a method without errors, falling to 0 where it was no better than the naive answer."""
        naive = float(self.naive.mean())
        return round(max(0.05, min(0.95, 1.0 - float(self.errors.mean()) / naive)), 3) if naive > 0 else 0.05


def predictions(
    metric: str, times: Times, values: Values, *, trend: Trend, cyclical: bool, spec: MetricSpec = DEFAULT_SPEC,
    local: LocalTime = UTC_TIME, now_ms: int | None = None,
) -> list[Prediction]:  # fmt: skip
    """Forecasts of one metric from samples in rising order of time (ms). `cyclical`: it has a daily or weekly cycle.
    `now_ms`: a level that was silent since its last sample has held until then."""
    if len(values) < MIN_POINTS or not _tame(values):
        return []
    if spec.role in TANKS:
        return _from_level(metric, times, values, spec, now_ms)
    if spec.role in CHARGES:
        ahead = _from_cycle(metric, times, values, spec, local) if cyclical else []
        return ahead + _from_level(metric, times, values, spec, now_ms)
    if cyclical:
        return _from_cycle(metric, times, values, spec, local)
    return [] if trend.shape not in ("line", "curve") else _from_trend(metric, times, values, spec)


def _tame(values: Values) -> bool:
    return max(abs(float(values.max())), abs(float(values.min()))) < 1e100


# -- hours ahead, with a cycle


def _from_cycle(metric: str, times: Times, values: Values, spec: MetricSpec, local: LocalTime) -> list[Prediction]:
    ahead = forecast_hours(local.wall(times), values, round(HORIZONS_MS[-1] / HOUR_MS))
    if ahead is None or not ahead.error < BETTER * ahead.level_error:
        return []
    offset_ms = local.offset_ms(int(times[-1]))
    found = []
    for horizon in HORIZONS_MS:
        place = horizon // HOUR_MS - 1
        at_ms = int(ahead.at_ms[place]) + HOUR_MS // 2 - offset_ms
        value, low, high = (float(each[place]) for each in (ahead.values, ahead.low, ahead.high))
        found.append(_prediction(metric, at_ms, value, low, high, COVERAGE, spec, f"hourly mean: {ahead.method}"))
    return found


# -- levels


def _from_level(metric: str, times: Times, values: Values, spec: MetricSpec, now_ms: int | None) -> list[Prediction]:
    tank = spec.role in TANKS
    low = EMPTY if spec.unit == "%" else spec.plausible_low
    high = FULL if spec.unit == "%" else spec.plausible_high
    if _fills(values, spec):
        limits = dict.fromkeys((spec.high, spec.critical_high), "limit") | {high: "full"}
    else:
        limits = dict.fromkeys((spec.low, spec.critical_low), "limit") | {low: "empty"}
    found = []
    for limit, name in limits.items():
        if limit is None:
            continue
        reach = time_to(times, values, limit, resets=tank, low=low, high=high, now_ms=now_ms)
        if reach is not None:
            found.append(_reached(metric, reach, name))
    return sorted(found, key=lambda each: (each.at_ms, each.method))


def _fills(values: Values, spec: MetricSpec) -> bool:
    """Whether use makes it rise. Where the role does not say: use is many small changes, a refill is few big ones."""
    if spec.role != "tank":
        return spec.role == "waste_tank"
    changes = np.diff(values)
    return int(np.count_nonzero(changes > 0)) > int(np.count_nonzero(changes < 0))


def _reached(metric: str, reach: Reach, name: str) -> Prediction:
    limit = rounded(reach.limit)
    return Prediction(
        metric=metric,
        at_ms=reach.at_ms,
        value=limit,
        low=limit,
        high=limit,
        confidence=REACHED,
        method=f"time to {name}: {reach.blocks} past days or parts of one, played on",
        earliest_ms=reach.earliest_ms,
        latest_ms=reach.latest_ms,
    )


# -- trends


def _from_trend(metric: str, times: Times, values: Values, spec: MetricSpec) -> list[Prediction]:
    found = []
    end = int(times[-1])
    reach = int((end - int(times[0])) * REACH)
    for ahead in HORIZONS_MS:
        record = _backtest(times, values, ahead) if ahead <= reach else None
        if record is not None and record.worth_telling:
            value, half = _bounded(_line(times, values, end + ahead), spec), record.half_width
            low, high = value - half, value + half
            found.append(_prediction(metric, end + ahead, value, low, high, record.confidence, spec, "robust trend"))
    crossing = _reaches_limit(times, values, spec, reach)
    if crossing is not None:
        at_ms, limit = crossing
        record = _backtest(times, values, at_ms - end)
        if record is not None and record.worth_telling:
            low, high = limit - record.half_width, limit + record.half_width
            words = "robust trend reaches limit"
            found.append(_prediction(metric, at_ms, limit, low, high, record.confidence, spec, words))
    return found


def _line(times: Times, values: Values, at_ms: int) -> float:
    positions = (times - int(times[0])) / HOUR_MS
    where, what = grouped_medians(positions, values, POINTS)
    slope = theil_sen(where, what)
    return median(what - slope * where) + slope * (at_ms - int(times[0])) / HOUR_MS


def _reaches_limit(times: Times, values: Values, spec: MetricSpec, reach: int) -> tuple[int, float] | None:
    end = int(times[-1])
    now, then = _line(times, values, end), _line(times, values, end + reach)
    bounds = (spec.warn_low, spec.critical_low) if then < now else (spec.warn_high, spec.critical_high)
    ahead = [bound for bound in bounds if bound is not None and min(now, then) <= bound <= max(now, then)]
    if not ahead or then == now or abs(ahead[0] - now) == 0.0:
        return None
    return end + max(1, int(reach * (ahead[0] - now) / (then - now))), ahead[0]


def _backtest(times: Times, values: Values, ahead: int) -> Record | None:
    """The line's errors `ahead` ms from ORIGINS earlier origins in the second half of what is known, and those of
    "stays as it is"."""
    first, end = int(times[0]), int(times[-1])
    earliest = first + (end - first) // 2
    latest = end - ahead
    if latest <= earliest:
        return None
    errors, naive = [], []
    for origin in np.linspace(earliest, latest, ORIGINS).astype(np.int64).tolist():
        known = int(np.searchsorted(times, origin, side="right"))
        target = int(np.searchsorted(times, origin + ahead))
        if known < MIN_POINTS // 2 or target >= len(times) or times[target] > origin + ahead + max(ahead, HOUR_MS):
            continue
        true = float(values[target])
        errors.append(abs(_line(times[:known], values[:known], int(times[target])) - true))
        naive.append(abs(float(values[known - 1]) - true))
    return Record(np.array(errors), np.array(naive)) if errors else None


def _bounded(value: float, spec: MetricSpec) -> float:
    """No forecast beyond what is plausible: a tank does not go below empty."""
    if spec.plausible_low is not None:
        value = max(value, spec.plausible_low)
    return value if spec.plausible_high is None else min(value, spec.plausible_high)


def _digits(low: float, high: float) -> int:
    """Six significant ones, or as many as it takes to tell the ends of the interval apart."""
    if not high > low:
        return 6
    shares = min(1e15, max(abs(low), abs(high)) / (high - low))
    return max(6, min(15, 3 + math.ceil(math.log10(shares))))


def _prediction(
    metric: str, at_ms: int, value: float, low: float, high: float, confidence: float, spec: MetricSpec, method: str
) -> Prediction:
    value, low, high = (finite(_bounded(each, spec)) for each in (value, low, high))
    digits = _digits(low, high)
    return Prediction(
        metric=metric,
        at_ms=at_ms,
        value=rounded(value, digits),
        low=rounded(low, digits),
        high=rounded(high, digits),
        confidence=confidence,
        method=method,
    )
