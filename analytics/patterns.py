"""Regularities of many metrics over days: what the pattern analyzer runs, and GET /historical answers with.

Pure: series in, lists of records out, everything finite. `frequency` and `prediction_window` are words for people;
numbers stand in `data`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from .catalogue import Catalogue, MetricSpec, title_from
from .correlation import correlations as related_pairs
from .cycle import HOUR_MS, DailyCycle, daily_cycle
from .deviation import baseline_deviation, expected_range, stretches
from .forecast import predictions as forecasts
from .records import Correlation, Pattern, PatternType, Prediction
from .robust import Times, Values, finite, rounded
from .trend import Trend, direction
from .words import duration, hour_of_day, number

MIN_SAMPLES: Final = 12
MAX_ANOMALIES: Final = 200


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A stretch in which a metric was far from its own baseline, told by its most extreme sample."""

    metric: str
    at_ms: int  # of the most extreme sample
    start_ms: int
    end_ms: int
    value: float
    expected_low: float
    expected_high: float
    score: float  # robust z of the most extreme sample, >= 0
    severity: Literal["low", "medium", "high"]
    description: str


class Analysis(NamedTuple):
    """Patterns by metric; correlations strongest first; anomalies newest first; predictions by metric and time."""

    patterns: list[Pattern]
    correlations: list[Correlation]
    anomalies: list[Anomaly]
    predictions: list[Prediction]


def analyze(
    series: Mapping[str, tuple[Times, Values]],
    now_ms: int,
    catalogue: Catalogue,
    *,
    patterns: bool = True,
    correlations: bool = True,
    anomalies: bool = True,
    predictions: bool = True,
) -> Analysis:
    """Look at `series` (name -> rising times in ms, finite values; samples or bucket means). What is switched off is
    not computed and comes back empty. States and counters have no patterns, anomalies or predictions of their own."""
    gauges = {
        name: (times, values) for name, (times, values) in series.items()
        if len(values) >= MIN_SAMPLES and catalogue.spec(name).kind == "gauge"
    }  # fmt: skip
    pairs = related_pairs(gauges) if correlations or patterns else []
    found: list[Pattern] = []
    ahead: list[Prediction] = []
    strange: list[Anomaly] = []
    for name in sorted(gauges):
        times, values = gauges[name]
        spec = catalogue.spec(name)
        if patterns or predictions:
            cycle, trend = daily_cycle(times, values), direction(times, values)
            if predictions:
                ahead += forecasts(name, times, values, trend=trend, cycle=cycle, spec=spec)
            if patterns:
                found += _patterns(name, times, spec, trend, cycle, now_ms, pairs)
        if anomalies:
            strange += find_anomalies(name, times, values, spec)
    strange.sort(key=lambda anomaly: (-anomaly.at_ms, anomaly.metric))
    return Analysis(found, pairs if correlations else [], strange[:MAX_ANOMALIES], ahead)


def find_anomalies(name: str, times: Times, values: Values, spec: MetricSpec) -> list[Anomaly]:
    """The anomalies of one metric in the window its samples span, oldest first."""
    deviations = baseline_deviation(values, spec)
    found = []
    for stretch in stretches(deviations, spec):
        low, high = expected_range(values, stretch.peak)
        value = float(values[stretch.peak])
        side = "above" if deviations[stretch.peak] > 0 else "below"
        at_ms = int(times[stretch.peak])
        found.append(
            Anomaly(
                metric=name,
                at_ms=at_ms,
                start_ms=int(times[stretch.first]),
                end_ms=int(times[stretch.last]),
                value=rounded(value),
                expected_low=rounded(low),
                expected_high=rounded(high),
                score=rounded(stretch.score, 4),
                severity="high" if stretch.score >= 20 else "medium" if stretch.score >= 10 else "low",
                description=f"{spec.title or title_from(name)} was {number(value, spec.unit)} at "
                f"{hour_of_day(at_ms)}, far {side} its usual {number(low, None)} to {number(high, spec.unit)}",
            )
        )
    return found


def _patterns(
    name: str, times: Times, spec: MetricSpec, trend: Trend, cycle: DailyCycle | None, now_ms: int,
    pairs: list[Correlation],
) -> list[Pattern]:  # fmt: skip
    title = spec.title or title_from(name)
    partners = _partners(name, pairs)
    found = []
    if cycle is not None:
        peak, low = cycle.peak_hour, cycle.low_hour
        found.append(
            _pattern(
                "cyclical", name, now_ms, partners,
                f"{title} follows the day: highest around {peak:02d}:00 UTC, lowest around {low:02d}:00 UTC, a "
                f"swing of {number(cycle.swing, spec.unit)}",
                confidence=min(0.99, cycle.r2 * (1.0 - cycle.p_value)),
                frequency="daily",
                prediction_window="24 hours",
                data={
                    "period_hours": 24, "days": cycle.days, "r2": rounded(cycle.r2, 4),
                    "p_value": rounded(cycle.p_value, 4),
                    "peak_hour": peak, "low_hour": low, "swing": rounded(cycle.swing),
                    "profile": [rounded(value) for value in cycle.profile.tolist()],
                },
            )
        )  # fmt: skip
    if trend.direction != "stable":
        span = int(times[-1]) - int(times[0])
        change = finite(trend.last - trend.first)
        words = "rises" if trend.direction == "up" else "falls"
        found.append(
            _pattern(
                "trending", name, now_ms, partners,
                f"{title} {words} by {number(abs(change), spec.unit)} in {duration(span)}, from "
                f"{number(trend.first, spec.unit)} to {number(trend.last, spec.unit)}",
                confidence=max(0.5, min(0.99, 1.0 - trend.p_value)),
                frequency=None,
                prediction_window=duration(span // 4),
                data={
                    "slope_per_hour": trend.slope_per_hour, "change": rounded(change),
                    "change_percent": trend.change_percent, "p_value": rounded(trend.p_value, 4),
                    "samples": trend.samples, "effective_samples": trend.effective_samples,
                    "hours": rounded(span / HOUR_MS, 4),
                },
            )
        )  # fmt: skip
    return found


def _pattern(
    kind: PatternType, metric: str, now_ms: int, partners: tuple[str, ...], description: str, *, confidence: float,
    frequency: str | None, prediction_window: str | None, data: dict[str, Any],
) -> Pattern:  # fmt: skip
    return Pattern(
        pattern_id=hashlib.sha256(f"{kind}:{metric}".encode()).hexdigest()[:16],
        pattern_type=kind,
        metric=metric,
        description=description,
        confidence=round(confidence, 3),
        frequency=frequency,
        correlation_factors=partners,
        prediction_window=prediction_window,
        created_at_ms=now_ms,
        data=data,
    )


def _partners(name: str, pairs: list[Correlation], limit: int = 5) -> tuple[str, ...]:
    """The metrics `name` moves with, closest first."""
    both = [(pair.metric_a, pair.metric_b) for pair in pairs if name in (pair.metric_a, pair.metric_b)]
    return tuple(b if a == name else a for a, b in both)[:limit]


def overall_confidence(analysis: Analysis) -> float:
    """The mean confidence of what was found, 0..1; 0 when nothing was."""
    levels = [pattern.confidence for pattern in analysis.patterns]
    levels += [prediction.confidence for prediction in analysis.predictions]
    levels += [min(1.0, abs(pair.coefficient)) for pair in analysis.correlations]
    return round(float(np.mean(levels)), 3) if levels else 0.0
