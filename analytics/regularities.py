"""The regularities of one metric as patterns: cycles, periods, trends, new levels; each with what it is worth.

Every pattern's `data` says `strength` (0..1), `support` (what it rests on), `predicts` (in words) and how well that
did: `last_error`, the mean absolute error with which the newest cycle (or stretch) was foretold by the ones before,
beside `error_without`, that of "nothing changes", both in the metric's unit.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
from msgspec import Struct

from .catalogue import MetricSpec, title_from
from .change_points import change_points
from .cycle import DAY, HOUR_MS, MIN_R2, WEEK, Cycle, daily_cycle, turn_of_day, weekly_cycle
from .local_time import LocalTime
from .periods import Period, find_periods, identities, is_too_fast
from .records import Pattern, PatternType
from .robust import Times, Values, finite, median, rounded
from .trend import Trend, direction, grouped_medians, theil_sen
from .words import difference, duration, number

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_CONFIDENT: Final = 0.99
CLEAR_R2: Final = 0.5
SMALL_SHARE: Final = 0.01  # of a level: a smaller change is not told
SMALL_PERCENT: Final = 3.0  # points, of what is measured in %
AS_GOOD: Final = 0.7  # of the R2 of hourly means, which have less noise than what the period was found in
NEAR_DAY: Final = 0.06  # a period so near to a day or a week is that


class Regularities(Struct, frozen=True):
    """What one metric has of each kind."""

    daily: Cycle | None
    weekly: Cycle | None
    periods: tuple[Period, ...]
    trend: Trend

    @property
    def cyclical(self) -> bool:
        return self.daily is not None or self.weekly is not None


def regularities(times: Times, values: Values, local: LocalTime) -> Regularities:
    """Of samples at rising times (ms)."""
    wall = local.wall(times)
    periods = tuple(find_periods(times, values, limit=2))
    daily = _unless_shorter(daily_cycle(wall, values), periods)
    weekly = _unless_shorter(weekly_cycle(wall, values), periods)
    if (daily is not None or weekly is not None) and not periods and is_too_fast(times, values, DAY * HOUR_MS):
        daily = weekly = None
    return Regularities(daily, weekly, periods, direction(times, values))


def _unless_shorter(cycle: Cycle | None, periods: tuple[Period, ...]) -> Cycle | None:
    """None for a day that is four cycles of six hours: what repeats within it tells the same, and more exactly."""
    if cycle is None or not periods:
        return cycle
    first = periods[0]
    ratio = cycle.hours * HOUR_MS / first.period_ms
    divides = ratio > 1.5 and abs(ratio - round(ratio)) <= NEAR_DAY * ratio / 2
    is_day = abs(first.period_ms / (DAY * HOUR_MS) - 1.0) <= NEAR_DAY
    return None if divides and not is_day and first.r2 >= AS_GOOD * cycle.r2 else cycle


def patterns_of(
    metric: str, times: Times, values: Values, spec: MetricSpec, found: Regularities, *, now_ms: int, local: LocalTime,
    partners: tuple[str, ...] = (),
) -> list[Pattern]:  # fmt: skip
    """`found` as records. `partners`: the metrics it moves with."""
    teller = _Teller(metric, spec, now_ms, partners)
    told: list[Pattern] = []
    if found.daily is not None:
        told.append(teller.daily(found.daily))
    if found.weekly is not None:
        told.append(teller.weekly(found.weekly))
    new = [each for each in found.periods if _is_new(each, found)]
    told += [teller.period(each, times, values, id_) for each, id_ in zip(new, identities(new), strict=True)]
    told = [each for each in told if _holds(each)]
    if found.trend.shape != "none" and _matters(found.trend, spec):
        if found.trend.shape == "step":
            told.append(teller.level(found.trend, times, values, local))
        else:
            told.append(teller.trend(found.trend, times, values))
    return told


def short_period_patterns(
    metric: str, times: Times, values: Values, spec: MetricSpec, *, now_ms: int, partners: tuple[str, ...] = ()
) -> list[Pattern]:
    """Only what repeats within a short look: a compressor, a pump."""
    teller = _Teller(metric, spec, now_ms, partners)
    periods = find_periods(times, values, limit=1)
    told = [teller.period(each, times, values, id_) for each, id_ in zip(periods, identities(periods), strict=True)]
    return [each for each in told if _holds(each)]


def _holds(cycle: Pattern) -> bool:
    """Whether a cycle is worth telling: what it predicts is worth something, and it did not just come to an end.

    One odd day does not end a clear cycle.
    """
    if cycle.data["r2"] < MIN_R2:
        return False
    odd_day = cycle.frequency in ("daily", "weekly") and cycle.data["r2"] >= CLEAR_R2
    return bool(odd_day or cycle.data["last_error"] < cycle.data["error_without"])


def _matters(trend: Trend, spec: MetricSpec) -> bool:
    """A change may be beyond doubt and yet too small for words: one step of a coarse sensor."""
    change = abs(trend.last - trend.first)
    least = SMALL_SHARE * max(abs(trend.first), abs(trend.last))
    if spec.unit == "%":
        least = SMALL_PERCENT
    return change >= max(least, 0.0 if spec.min_deviation is None else 0.5 * spec.min_deviation)


def _is_new(period: Period, found: Regularities) -> bool:
    hours = period.period_ms / HOUR_MS
    known = [cycle.hours for cycle in (found.daily, found.weekly) if cycle is not None]
    return all(abs(hours / each - 1.0) > NEAR_DAY for each in known)


class _Teller:
    """Words and numbers for one metric."""

    def __init__(self, metric: str, spec: MetricSpec, now_ms: int, partners: tuple[str, ...]) -> None:
        self._metric, self._spec, self._now_ms, self._partners = metric, spec, now_ms, partners
        self._title = spec.title or title_from(metric)

    def daily(self, cycle: Cycle) -> Pattern:
        peak, low = cycle.peak_hour, cycle.low_hour
        words = (
            f"{self._title} follows the day: highest around {turn_of_day(cycle.profile, peak, cycle.within)}, "
            f"lowest around {turn_of_day(cycle.profile, low, cycle.within)}, a swing of {self._difference(cycle.swing)}"
        )
        members = {"period_hours": DAY, "peak_hour": peak, "low_hour": low, "days": cycle.cycles}
        return self._cycle(cycle, words, "daily", "24 hours", "the next day by hour", "days", members)

    def weekly(self, cycle: Cycle) -> Pattern:
        by_day = cycle.profile.reshape(7, DAY).mean(axis=1)
        high, low = DAYS[int(by_day.argmax())], DAYS[int(by_day.argmin())]
        words = (
            f"{self._title} follows the week: highest on {high}s, lowest on {low}s, a difference of "
            f"{self._difference(float(by_day.max() - by_day.min()))} on the day's average"
        )
        members = {"period_hours": WEEK, "peak_day": high, "low_day": low, "weeks": cycle.cycles}
        return self._cycle(cycle, words, "weekly", "7 days", "what the next week adds to its days", "weeks", members)

    def _cycle(
        self, cycle: Cycle, words: str, frequency: str, window: str, predicts: str, unit: str, members: dict[str, Any]
    ) -> Pattern:
        worth = self._worth(cycle.r2, f"{cycle.cycles} {unit}", predicts, cycle.last_error, cycle.flat_error)
        return self._pattern(
            "cyclical", frequency, words, cycle.r2 * (1.0 - cycle.p_value), window,
            members | worth | {
                "r2": rounded(cycle.r2, 4), "p_value": rounded(cycle.p_value, 4), "swing": rounded(cycle.swing),
                "profile": [rounded(value, 5) for value in cycle.profile.tolist()],
            },
        )  # fmt: skip

    def period(self, period: Period, times: Times, values: Values, identity: str) -> Pattern:
        every = duration(period.period_ms)
        error, without = _next_cycle(times, values, period.period_ms)
        worth = self._worth(period.r2, f"{period.cycles:.1f} cycles", f"the next {every}", error, without)
        members = {
            "period_hours": rounded(period.period_ms / HOUR_MS, 4),
            "period_seconds": rounded(period.period_ms / 1000, 4),
            "r2": rounded(period.r2, 4), "autocorrelation": rounded(period.strength, 4),
            "cycles": rounded(period.cycles, 3),
        }  # fmt: skip
        frequency = f"every {every}"
        return self._pattern(
            "cyclical", frequency, f"{self._title} repeats every {every}", period.r2, every, members | worth,
            identity=identity,
        )  # fmt: skip

    def trend(self, trend: Trend, times: Times, values: Values) -> Pattern:
        span = int(times[-1]) - int(times[0])
        change = finite(trend.last - trend.first)
        words = (
            f"{self._title} {'rises' if change > 0 else 'falls'} by {self._difference(abs(change))} in "
            f"{duration(span)}, from {self._number(trend.first)} to {self._number(trend.last)}"
        )
        error, without = _next_quarter(times, values)
        strength = abs(change) / (abs(change) + trend.scale) if change else 0.0
        worth = self._worth(strength, f"{trend.samples} values in {duration(span)}", "the same pace", error, without)
        return self._pattern(
            "trending", None, words, max(0.5, 1.0 - trend.p_value), duration(span // 4),
            worth | _trend_members(trend, span, change),
        )  # fmt: skip

    def level(self, trend: Trend, times: Times, values: Values, local: LocalTime) -> Pattern:
        since_ms = trend.changed_at_ms if trend.changed_at_ms is not None else int(times[0])
        ago = duration(max(0, self._now_ms - since_ms))
        words = (
            f"{self._title} has a new level: {self._number(trend.last)} since {local.time_of_day(since_ms)}, "
            f"{ago} ago; before that {self._number(trend.first)}"
        )
        after = values[times >= since_ms]
        error, without = (finite(float(np.abs(after - each).mean())) for each in (trend.last, trend.first))
        change = finite(trend.last - trend.first)
        span = int(times[-1]) - int(times[0])
        points = [
            {"timestamp": each.at_ms / 1000, "before": rounded(each.before), "after": rounded(each.after)}
            for each in change_points(times, values)
        ]
        strength = abs(change) / (abs(change) + trend.scale) if change else 0.0
        worth = self._worth(strength, f"{len(after)} values since", "it stays at the new level", error, without)
        return self._pattern(
            "baseline", None, words, max(0.5, 1.0 - trend.p_value), duration(max(1, int(times[-1]) - since_ms)),
            worth | _trend_members(trend, span, change) | {"since": since_ms / 1000, "change_points": points},
        )  # fmt: skip

    def _difference(self, value: float) -> str:
        return difference(value, self._spec.unit)

    def _number(self, value: float) -> str:
        return number(value, self._spec.unit)

    def _worth(self, strength: float, support: str, predicts: str, error: float, without: float) -> dict[str, Any]:
        return {
            "strength": rounded(min(1.0, max(0.0, strength)), 4),
            "support": support,
            "predicts": predicts,
            "last_error": rounded(error, 4),
            "error_without": rounded(without, 4),
        }

    def _pattern(
        self, kind: PatternType, frequency: str | None, words: str, confidence: float, window: str,
        data: dict[str, Any], identity: str = "",
    ) -> Pattern:  # fmt: skip
        key = ":".join((kind, self._metric, identity or frequency or ""))
        return Pattern(
            pattern_id=hashlib.sha256(key.encode()).hexdigest()[:16],
            pattern_type=kind,
            metric=self._metric,
            description=words,
            confidence=round(min(MOST_CONFIDENT, max(0.0, confidence)), 3),
            frequency=frequency,
            correlation_factors=self._partners,
            prediction_window=window,
            created_at_ms=self._now_ms,
            data=data,
        )


def _trend_members(trend: Trend, span: int, change: float) -> dict[str, Any]:
    return {
        "slope_per_hour": trend.slope_per_hour, "change": rounded(change), "change_percent": trend.change_percent,
        "p_value": rounded(trend.p_value, 4), "samples": trend.samples,
        "effective_samples": trend.effective_samples, "hours": rounded(span / HOUR_MS, 4),
    }  # fmt: skip


def _next_cycle(times: Times, values: Values, period_ms: float) -> tuple[float, float]:
    """Mean absolute error of the newest cycle as foretold by the mean of the ones before; and by "it lies still".

    Both around the newest cycle's own level: what drifts besides is not the cycle's to tell. Of many short cycles the
    newest tenth counts: one of a compressor's runs says little.
    """
    cycles = (int(times[-1]) - int(times[0])) / period_ms
    newest = times > times[-1] - period_ms * max(1, round(cycles / 10))
    before = ~newest
    hours = (times - int(times[0])) / HOUR_MS
    off = hours - hours.mean()
    rest = values - values.mean()
    rest = rest - off * (float(off @ rest) / float(off @ off))
    phases = max(3, min(48, int(len(times) / cycles)))
    phase = np.minimum(((times - int(times[0])) % period_ms) / period_ms * phases, phases - 1).astype(np.intp)
    counts = np.bincount(phase[before], minlength=phases)
    foretold = (np.bincount(phase[before], weights=rest[before], minlength=phases) / np.maximum(counts, 1))[
        phase[newest]
    ]
    true = rest[newest]
    left = true - foretold
    return finite(float(np.abs(left - median(left)).mean())), finite(float(np.abs(true - median(true)).mean()))


def _next_quarter(times: Times, values: Values) -> tuple[float, float]:
    """Mean absolute error of the last quarter as foretold by the line through the first three; and by "stays so"."""
    cut = max(2, 3 * len(values) // 4)
    hours = (times - int(times[0])) / HOUR_MS
    places, levels = grouped_medians(hours[:cut], values[:cut], 80)
    slope = theil_sen(places, levels)
    line = median(levels - slope * places) + slope * hours[cut:]
    last = median(values[max(0, cut - 3) : cut])
    true = values[cut:]
    return finite(float(np.abs(true - line).mean())), finite(float(np.abs(true - last).mean()))
