"""Where a metric is heading: only when it has a daily cycle or a trend; otherwise the answer is nothing.

With a daily cycle: the profile around the level of the last day. With a trend: the robust line, on from its end. The
interval is not theory but record: the same method is run from earlier origins of the same data, and the half-width is
SAFETY times the 90 % quantile of the errors it made that far ahead. When the record says that the method was no
better than the naive answer (with a trend "stays as it is", with a cycle "the mean of the last day"), there is no
forecast. Nothing is said further ahead than a share of what is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from .catalogue import DEFAULT_SPEC, MetricSpec
from .cycle import DAY_MS, HOUR_MS, DailyCycle
from .records import Prediction
from .robust import Times, Values, finite, median, quantile, rounded
from .trend import Trend, grouped_medians, theil_sen

HORIZONS_MS: Final = (HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS)
REACH: Final = 0.25  # of the known span: how far ahead a trend is trusted
ORIGINS: Final = 12
POINTS: Final = 80  # of the series, for each line of the back-test
SAFETY: Final = 1.5
BETTER: Final = 0.8  # the back-test's errors must be below this share of those of the naive answer
MIN_POINTS: Final = 12

Method = Callable[[Times, Values, int], float]  # (known times, known values, at_ms) -> value


@dataclass(frozen=True, slots=True)
class Record:
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
    metric: str, times: Times, values: Values, *, trend: Trend, cycle: DailyCycle | None,
    spec: MetricSpec = DEFAULT_SPEC,
) -> list[Prediction]:  # fmt: skip
    """Forecasts of one metric from samples in rising order of time (ms): at most one per horizon, and with a trend
    one for the time at which it reaches a limit of `spec`."""
    if len(values) < MIN_POINTS or not _tame(values):
        return []
    if cycle is not None:
        return _from_cycle(metric, times, values, cycle, spec)
    if trend.direction == "stable":
        return []
    return _from_trend(metric, times, values, spec)


def _tame(values: Values) -> bool:
    return max(abs(float(values.max())), abs(float(values.min()))) < 1e100


def _line(times: Times, values: Values, at_ms: int) -> float:
    positions = (times - int(times[0])) / HOUR_MS
    where, what = grouped_medians(positions, values, POINTS)
    slope = theil_sen(where, what)
    return median(what - slope * where) + slope * (at_ms - int(times[0])) / HOUR_MS


def _last(times: Times, values: Values, at_ms: int) -> float:
    return float(values[-1])


def _last_day(times: Times, values: Values, at_ms: int) -> float:
    return float(values[times > times[-1] - DAY_MS].mean())


def _from_trend(metric: str, times: Times, values: Values, spec: MetricSpec) -> list[Prediction]:
    found = []
    end = int(times[-1])
    span = end - int(times[0])
    reach = int(span * REACH)
    for ahead in HORIZONS_MS:
        record = _backtest(_line, _last, times, values, ahead) if ahead <= reach else None
        if record is not None and record.worth_telling:
            value = _bounded(_line(times, values, end + ahead), spec)
            found.append(_prediction(metric, end + ahead, value, record, spec, "robust trend"))
    crossing = _reaches_limit(times, values, spec, reach)
    if crossing is not None:
        at_ms, limit = crossing
        record = _backtest(_line, _last, times, values, at_ms - end)
        if record is not None and record.worth_telling:
            found.append(_prediction(metric, at_ms, limit, record, spec, "robust trend reaches limit"))
    return found


def _reaches_limit(times: Times, values: Values, spec: MetricSpec, reach: int) -> tuple[int, float] | None:
    end = int(times[-1])
    now, then = _line(times, values, end), _line(times, values, end + reach)
    bounds = (spec.warn_low, spec.critical_low) if then < now else (spec.warn_high, spec.critical_high)
    ahead = [bound for bound in bounds if bound is not None and min(now, then) <= bound <= max(now, then)]
    if not ahead or then == now or abs(ahead[0] - now) == 0.0:
        return None
    return end + max(1, int(reach * (ahead[0] - now) / (then - now))), ahead[0]


def _from_cycle(metric: str, times: Times, values: Values, cycle: DailyCycle, spec: MetricSpec) -> list[Prediction]:
    end = int(times[-1])

    def profile(known: Times, numbers: Values, at_ms: int) -> float:
        hours = _phase(known)
        recent = known > known[-1] - DAY_MS
        level = float((numbers[recent] - _read(cycle.profile, hours[recent])).mean())
        return level + float(_read(cycle.profile, _phase(np.array([at_ms])))[0])

    found = []
    for ahead in HORIZONS_MS:
        record = _backtest(profile, _last_day, times, values, ahead)
        if record is not None and record.worth_telling:
            value = _bounded(profile(times, values, end + ahead), spec)
            found.append(_prediction(metric, end + ahead, value, record, spec, "daily profile"))
    return found


def _phase(times: Times) -> Values:
    phase: Values = (times % DAY_MS) / HOUR_MS
    return phase


def _read(profile: Values, hours: Values) -> Values:
    """The profile on a line between the middles of its hours."""
    result: Values = np.interp(hours, np.arange(24) + 0.5, profile, period=24.0)
    return result


def _backtest(method: Method, naive_method: Method, times: Times, values: Values, ahead: int) -> Record | None:
    """The method's errors `ahead` ms from ORIGINS earlier origins in the second half of what is known."""
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
        forecast = method(times[:known], values[:known], int(times[target]))
        errors.append(abs(forecast - float(values[target])))
        guess = naive_method(times[:known], values[:known], int(times[target]))
        naive.append(abs(guess - float(values[target])))
    return Record(np.array(errors), np.array(naive)) if errors else None


def _bounded(value: float, spec: MetricSpec) -> float:
    """No forecast beyond what is plausible: a tank does not go below empty."""
    if spec.plausible_low is not None:
        value = max(value, spec.plausible_low)
    return value if spec.plausible_high is None else min(value, spec.plausible_high)


def _prediction(metric: str, at_ms: int, value: float, record: Record, spec: MetricSpec, method: str) -> Prediction:
    half = record.half_width
    return Prediction(
        metric=metric,
        at_ms=at_ms,
        value=rounded(finite(value)),
        low=rounded(_bounded(value - half, spec)),
        high=rounded(_bounded(value + half, spec)),
        confidence=record.confidence,
        method=method,
    )
