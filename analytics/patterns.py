"""Regularities of many metrics over days: what the pattern analyzer runs, and GET /historical answers with.

Pure: series in, lists of records out, everything finite. `frequency` and `prediction_window` are words for people;
numbers stand in `data`. The work is cut so that a caller can do it in slices: `prepared`, `related_pairs`, then
`look_at` a metric at a time; `analyze` does all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from .catalogue import Catalogue, MetricSpec, title_from
from .correlation import correlations as related_pairs
from .deviation import baseline_deviation, expected_range, stretches
from .forecast import predictions as forecasts
from .local_time import UTC_TIME, LocalTime
from .rates import rates
from .records import Correlation, Pattern, Prediction
from .regularities import patterns_of, regularities
from .robust import Times, Values, rounded
from .words import number

Series = Mapping[str, tuple[Times, Values]]

MIN_SAMPLES: Final = 12
MAX_ANOMALIES: Final = 200
HUGE: Final = 1e100  # a metric beyond it is not looked at: squares of its values are none


class Anomaly(Struct, frozen=True):
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


class Wanted(Struct, frozen=True):
    """What is to be computed; the rest comes back empty."""

    patterns: bool = True
    correlations: bool = True
    anomalies: bool = True
    predictions: bool = True


def prepared(series: Series, catalogue: Catalogue) -> dict[str, tuple[Times, Values]]:
    """What can be looked at, by name: gauges as they are, counters as rates per hour. States have no patterns; what is
    not finite is left out."""
    found: dict[str, tuple[Times, Values]] = {}
    for name, (times, values) in sorted(series.items()):
        kind = catalogue.spec(name).kind
        there = np.isfinite(values)
        if not there.all():  # a file may have holes written as NaN
            times, values = times[there], values[there]
        if kind == "counter":
            times, values = rates(times, values)
        if kind != "state" and len(values) >= MIN_SAMPLES and float(np.abs(values).max()) < HUGE:
            found[name] = times, values
    return found


def look_at(
    name: str, times: Times, values: Values, spec: MetricSpec, now_ms: int, wanted: Wanted, *,
    local: LocalTime = UTC_TIME, pairs: list[Correlation] | None = None,
) -> Analysis:  # fmt: skip
    """One metric of `prepared`. `pairs`: all correlations that are known, for its partners."""
    found: list[Pattern] = []
    ahead: list[Prediction] = []
    kind = spec.kind
    if kind == "counter":  # what comes is its rate; that an engine runs now and then is no anomaly
        spec = MetricSpec(
            pattern=spec.pattern, title=spec.title, role=spec.role, unit=_per_hour(spec.unit),
            bad_direction="none" if spec.intermittent else spec.bad_direction,
        )  # fmt: skip
    if wanted.patterns or wanted.predictions:
        regular = regularities(times, values, local)
        if wanted.predictions:
            ahead = forecasts(
                name,
                times,
                values,
                trend=regular.trend,
                cyclical=regular.cyclical,
                spec=spec,
                local=local,
                now_ms=now_ms,
            )
            if spec.kind != kind:  # or who reads "0" would think of the counter's reading
                ahead = [replace(each, method=f"its growth per hour, {each.method}") for each in ahead]
        if wanted.patterns:
            partners = partners_of(name, pairs or [])
            found = patterns_of(name, times, values, spec, regular, now_ms=now_ms, local=local, partners=partners)
    strange = find_anomalies(name, times, values, spec, local) if wanted.anomalies else []
    return Analysis(found, [], strange, ahead)


def put_together(parts: list[Analysis], pairs: list[Correlation]) -> Analysis:
    """The parts of single metrics, in that order, as one."""
    strange = sorted((each for part in parts for each in part.anomalies), key=lambda each: (-each.at_ms, each.metric))
    return Analysis(
        [each for part in parts for each in part.patterns],
        pairs,
        strange[:MAX_ANOMALIES],
        [each for part in parts for each in part.predictions],
    )


def analyze(
    series: Series, now_ms: int, catalogue: Catalogue, *, local: LocalTime = UTC_TIME, patterns: bool = True,
    correlations: bool = True, anomalies: bool = True, predictions: bool = True,
) -> Analysis:  # fmt: skip
    """Look at `series` (name -> rising times in ms, values; samples or bucket means; NaN is a hole). What is switched
    off is not computed and comes back empty. States have nothing of their own, counters are looked at as rates."""
    ready = prepared(series, catalogue)
    pairs = related_pairs(ready) if correlations or patterns else []
    wanted = Wanted(patterns, correlations, anomalies, predictions)
    parts = [
        look_at(name, times, values, catalogue.spec(name), now_ms, wanted, local=local, pairs=pairs)
        for name, (times, values) in ready.items()
    ]
    return put_together(parts, pairs if correlations else [])


def _per_hour(unit: str | None) -> str | None:
    return None if unit is None else f"{unit}/h"


def partners_of(name: str, pairs: list[Correlation], limit: int = 5) -> tuple[str, ...]:
    """The metrics `name` moves with, closest first."""
    both = [(pair.metric_a, pair.metric_b) for pair in pairs if name in (pair.metric_a, pair.metric_b)]
    return tuple(b if a == name else a for a, b in both)[:limit]


def find_anomalies(
    name: str, times: Times, values: Values, spec: MetricSpec, local: LocalTime = UTC_TIME
) -> list[Anomaly]:
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
                f"{local.time_of_day(at_ms)}, far {side} its usual {number(low, None)} to {number(high, spec.unit)}",
            )
        )
    return found


def overall_confidence(analysis: Analysis) -> float:
    """The mean confidence of what was found, 0..1; 0 when nothing was."""
    levels = [pattern.confidence for pattern in analysis.patterns]
    levels += [prediction.confidence for prediction in analysis.predictions]
    levels += [min(1.0, abs(pair.coefficient)) for pair in analysis.correlations]
    return round(float(np.mean(levels)), 3) if levels else 0.0
