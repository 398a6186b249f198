"""One metric's trend, as /trends tells it: what is asked of the tiers, the answer made of it, and a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from analytics.catalogue import MetricSpec
from analytics.deviation import anomaly_count, anomaly_score, baseline_deviation
from analytics.kpis import DataQuality, data_quality
from analytics.records import Insight
from analytics.trend import Trend, direction
from storage.grid import coarser, means
from storage.models import Buckets, Window

from ..backend import Backend
from ..rounding import known, number, numbers, seconds
from ..steps import STEP_MS
from .insights import ACTION_REQUIRED

FINE_POINTS: Final = 300
FEW_BUCKETS: Final = 20
KEY_INSIGHTS: Final = 5
NOTABLE_PERCENT: Final = 5.0


class Asked(Struct, frozen=True):
    """What a thread needs to know of one metric."""

    name: str
    spec: MetricSpec
    current: float | None
    buckets: Buckets | None  # on the grid that was asked for
    fine: Buckets | None  # on the grid that direction is told by
    samples: Window | None  # all samples of the window, where they are few and in memory
    end_ms: int  # of the window


def fine_step_ms(span_ms: int) -> int:
    """The finest grid with at most FINE_POINTS buckets in the span: direction must not hang on the resolution."""
    return next((step for step in STEP_MS.values() if span_ms // step <= FINE_POINTS), max(STEP_MS.values()))


def ask(
    backend: Backend, name: str, read: Buckets | None, steps_ms: tuple[int, int], start_ms: int, now_ms: int
) -> Asked:
    """`read`: the window's samples on a grid as fine as both of `steps_ms`, the one asked for and the fine one."""
    step_ms, fine_ms = steps_ms
    fine = None if read is None else coarser(read, fine_ms)
    latest = backend.memory.latest_of(name)
    samples = None
    if fine is not None and len(fine) < FEW_BUCKETS:
        samples = backend.memory.window(name, start_ms, now_ms + 1)
        if len(samples) != int(fine.count.sum()):
            samples = None  # memory has not all of them
    return Asked(
        name,
        backend.catalogue.spec(name),
        latest.value if latest is not None else None,
        None if read is None else coarser(read, step_ms),
        fine,
        samples,
        now_ms + 1,
    )


def _direction(fine: Buckets, samples: Window | None) -> Trend:
    """Told by the samples where they are few, else by the fine grid."""
    if samples is not None:
        return direction(samples.times, samples.values)
    return direction(fine.starts + fine.step_ms // 2, means(fine))


def _quality(fine: Buckets, samples: Window | None, end_ms: int) -> DataQuality:
    """From a metric's first sample on: a service that has run for an hour does not lack the other 23."""
    times = fine.starts if samples is None else samples.times
    return data_quality(times, int(times[0]), end_ms)


def trends(asked: Sequence[Asked]) -> dict[str, dict[str, Any]]:
    """Runs in a thread."""
    return {each.name: _trend(each) for each in asked}


def _trend(asked: Asked) -> dict[str, Any]:
    spec, buckets, fine = asked.spec, asked.buckets, asked.fine
    if buckets is None or fine is None or not len(buckets):
        return {
            "trend_direction": "stable",
            "change_percent": 0.0,
            "anomaly_count": 0,
            "data_quality": "no_data",
            "current_value": number(asked.current),
            "unit": spec.unit,
            "data_points": [],
        }
    levels = means(buckets)
    trend = _direction(fine, asked.samples)
    deviations = baseline_deviation(levels, spec)
    current = asked.current if asked.current is not None else float(levels[-1])
    return {
        "trend_direction": trend.direction,
        "change_percent": known(trend.change_percent),
        "anomaly_count": anomaly_count(deviations, spec),
        "data_quality": _quality(fine, asked.samples, asked.end_ms),
        "current_value": number(current),
        "unit": spec.unit,
        "data_points": [
            {
                "timestamp": start,
                "value": mean,
                "min": low,
                "max": high,
                "count": count,
                "baseline_deviation": deviation,
                "anomaly_score": score,
            }
            for start, mean, low, high, count, deviation, score in zip(
                seconds(buckets.starts),
                numbers(levels),
                numbers(buckets.minimum),
                numbers(buckets.maximum),
                buckets.count.tolist(),
                deviations.round(3).tolist(),
                anomaly_score(deviations).round(4).tolist(),
                strict=True,
            )
        ],
    }


def key_insights(
    asked: Sequence[Asked], metrics: Mapping[str, Mapping[str, Any]], insights: Sequence[Insight]
) -> list[str]:
    """A few sentences: what is open and severe, then the largest changes, then what stood out."""
    titles = {each.name: each.spec.title or each.name for each in asked}
    said = [each.title for each in insights if each.severity in ACTION_REQUIRED]
    moving = sorted(
        (name for name, metric in metrics.items() if metric["trend_direction"] != "stable"),
        key=lambda name: -abs(metrics[name]["change_percent"]),
    )
    said += [
        f"{titles[name]} went {metrics[name]['trend_direction']} by {_percent(metrics[name]['change_percent'])}"
        for name in moving
        if abs(metrics[name]["change_percent"]) >= NOTABLE_PERCENT
    ]
    said += [
        f"{titles[name]}: {count} {'anomaly' if count == 1 else 'anomalies'}"
        for name, metric in metrics.items()
        if (count := metric["anomaly_count"])
    ]
    return said[:KEY_INSIGHTS]


def _percent(change: float) -> str:
    size = abs(change)
    return f"{size:.3g} %" if size < 999.5 else f"{size:,.0f} %"
