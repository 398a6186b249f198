"""GET /api/analytics/aggregation: figures of windows that end now, beside those of the windows before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from quart import Response

from analytics.catalogue import MetricSpec
from analytics.kpis import summarise, summarise_buckets
from storage.history import History
from storage.models import Buckets, Window

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..charge import charge
from ..compute import in_thread
from ..names import Chosen, choose
from ..rounding import known, number
from ..routes import Route, json_response
from .insights import ACTION_REQUIRED, by_weight

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
# window: (length, buckets it is computed from where its samples are many)
WINDOWS: Final = {
    "1h": (HOUR_MS, MINUTE_MS // 2),
    "6h": (6 * HOUR_MS, 2 * MINUTE_MS),
    "1d": (24 * HOUR_MS, 5 * MINUTE_MS),
    "1w": (168 * HOUR_MS, HOUR_MS),
}
EXACT_SAMPLES: Final = 50_000  # of one metric in a window and the one before: up to here the samples are read
EXACT_TOTAL: Final = 1_000_000  # in one answer
MAX_METRICS: Final = 200
ALL_NAMES: Final = 1_000_000
RECOMMENDATIONS: Final = 10

Figures = dict[str, Any]


class _Read(Struct, frozen=True):
    """What a thread needs for one window. Times: the present window, [start, end); the one before is as long."""

    window: str
    start_ms: int
    end_ms: int
    buckets: Mapping[str, Buckets]

    @property
    def before_ms(self) -> int:
        """The start of the window before."""
        return 2 * self.start_ms - self.end_ms


def group_of(name: str) -> str:
    """battery.house.voltage -> battery; a name without a separator is in `other`."""
    first, *rest = re.split(r"[./:]", name, maxsplit=1)
    return first if rest and first else "other"


async def get_metrics_aggregation(backend: Backend, query: schemas.aggregation.AggregationQuery) -> Response:
    now_ms = backend.wall_ms()
    chosen = await _choose(backend, query)
    reads: list[_Read] = []
    reason: str | None = None
    end_ms = now_ms + 1
    for window in sorted(query.aggregation_windows, key=lambda window: WINDOWS[window][0]):
        length_ms, step_ms = WINDOWS[window]
        found = await backend.history.buckets(chosen.names, end_ms - 2 * length_ms, end_ms, step_ms)
        charge(backend, found.buckets.values())
        reads.append(_Read(window, end_ms - length_ms, end_ms, found.buckets))
        reason = reason or found.reason
    samples = await _read_samples(backend.history, reads)
    charge(backend, samples.values())
    figured = await in_thread(_aggregate, reads, samples)
    windows = {window: figured[window] for window in query.aggregation_windows}
    longest = max(query.aggregation_windows, key=lambda window: WINDOWS[window][0], default=None)
    trends = (
        {name: figures["trend_direction"] for group in windows[longest].values() for name, figures in group.items()}
        if longest is not None
        else {}
    )
    insights = by_weight(backend.control.marks.visible(now_ms))
    benchmarks = _benchmarks(backend, chosen.names)
    return json_response(
        {
            "windows": windows,
            "kpis": _kpis(backend, now_ms, chosen, trends, benchmarks),
            "trends": trends,
            "benchmarks": benchmarks,
            "recommendations": list(dict.fromkeys(text for each in insights for text in each.recommendations))[
                :RECOMMENDATIONS
            ],
            "generated_at": now_ms / 1000,
            "truncated": chosen.truncated,
            "complete": reason is None,
            "incomplete_reason": reason,
        }
    )


async def _choose(backend: Backend, query: schemas.aggregation.AggregationQuery) -> Chosen:
    if query.metric_groups is None:
        return await choose(backend, None, MAX_METRICS)
    everything = await choose(backend, None, ALL_NAMES)
    names = [name for name in everything.names if group_of(name) in query.metric_groups]
    return Chosen(names[:MAX_METRICS], len(names))


async def _read_samples(history: History, reads: Sequence[_Read]) -> dict[tuple[str, str], Window]:
    """(window, metric) -> its samples and those of the window before, where these are few. `reads`: shortest first."""
    wanted: dict[int, list[str]] = {}  # position of the longest window that holds few -> metrics
    left = EXACT_TOTAL
    for name in {name: None for read in reads for name in read.buckets}:
        counts = [int(read.buckets[name].count.sum()) if name in read.buckets else 0 for read in reads]
        at = max((n for n, count in enumerate(counts) if count <= min(EXACT_SAMPLES, left)), default=None)
        if at is not None:
            left -= counts[at]
            wanted.setdefault(at, []).append(name)
    samples: dict[tuple[str, str], Window] = {}
    for at, names in wanted.items():
        found = await history.window(names, reads[at].before_ms, reads[at].end_ms)
        if not found.complete:
            continue
        for read in reads[: at + 1]:
            samples |= {(read.window, name): window for name, window in found.windows.items()}
    return samples


def _aggregate(
    reads: Sequence[_Read], samples: Mapping[tuple[str, str], Window]
) -> dict[str, dict[str, dict[str, Figures]]]:
    """Runs in a thread."""
    windows: dict[str, dict[str, dict[str, Figures]]] = {}
    for read in reads:
        groups = windows.setdefault(read.window, {})
        for name, buckets in read.buckets.items():
            figures = _figures(buckets, samples.get((read.window, name)), read.start_ms, read.end_ms)
            if figures is not None:
                groups.setdefault(group_of(name), {})[name] = figures
    return windows


def _figures(buckets: Buckets, samples: Window | None, start_ms: int, end_ms: int) -> Figures | None:
    if samples is not None:
        summary = summarise(samples.times, samples.values, start_ms, end_ms)
    else:
        summary = summarise_buckets(
            buckets.starts, buckets.count, buckets.total, buckets.minimum, buckets.maximum,
            start_ms - start_ms % buckets.step_ms, end_ms,
        )  # fmt: skip
    if summary is None:
        return None
    return {
        "avg": known(summary.avg),
        "min": known(summary.min),
        "max": known(summary.max),
        "sum": known(summary.sum),
        "count": summary.count,
        "p50": known(summary.p50),
        "p95": known(summary.p95),
        "previous": number(summary.previous),
        "change_percent": number(summary.change_percent),
        "trend_direction": summary.trend_direction,
    }


def _benchmarks(backend: Backend, names: Sequence[str]) -> dict[str, Figures]:
    """The last plausible value of each metric that has limits, beside them."""
    found: dict[str, Figures] = {}
    for name in names:
        spec: MetricSpec = backend.catalogue.spec(name)
        value = None if spec.low is None and spec.high is None else backend.history.last_plausible(name)
        if value is None:
            continue
        found[name] = {
            "value": known(value),
            "unit": spec.unit,
            "low": spec.low,
            "high": spec.high,
            "within": (spec.low is None or value >= spec.low) and (spec.high is None or value <= spec.high),
        }
    return found


def _kpis(
    backend: Backend,
    now_ms: int,
    chosen: Chosen,
    trends: Mapping[str, str],
    benchmarks: Mapping[str, Figures],
) -> dict[str, float | str]:
    memory = backend.memory.status()
    insights = backend.control.marks.visible(now_ms)
    kpis: dict[str, float | str] = {
        "metrics_tracked": chosen.total,
        "samples_in_memory": memory.samples,
        "memory_used_percent": known(100 * memory.bytes / memory.budget_bytes),
        "open_insights": len(insights),
        "action_required": sum(each.severity in ACTION_REQUIRED for each in insights),
        "metrics_with_limits": len(benchmarks),
        "metrics_outside_limits": sum(not each["within"] for each in benchmarks.values()),
        "trending_up": sum(each == "up" for each in trends.values()),
        "trending_down": sum(each == "down" for each in trends.values()),
        "patterns_known": len(backend.book.patterns()),
        "persistence": backend.progress.state,
    }
    for id_, known_value in backend.control.kpis.values.items():
        if known_value.value is not None:
            kpis[id_] = known(known_value.value)
    if benchmarks:
        inside = sum(each["within"] for each in benchmarks.values())
        kpis["within_limits_percent"] = known(100 * inside / len(benchmarks))
    return kpis


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/aggregation",
        handler=get_metrics_aggregation,
        summary="Figures of the last hour, six hours, day and week",
        description=f"""Windows end now; `previous` is the average of the window of the same length before,
`change_percent` goes from it to `avg`. all figures are those of the samples (percentiles between two of them are
interpolated). A metric with more than {EXACT_SAMPLES} samples in a window and the one before is summed up by
30 s (1h), 2 minutes (6h), 5 minutes (1d) or hour (1w) instead: its window begins on such a line, and p50 and p95
are those of the means, weighted by samples. Metrics and groups without a sample in a window are left out of it.

At most {MAX_METRICS} metrics take part: those with an open insight first, then those in memory, by name;
`truncated` says that there are more. `kpis` holds figures of the service, and the latest value of each KPI of
/api/analytics/kpis under its id.""",
        tag="Analysis",
        query=lambda: schemas.aggregation.AggregationQuery,
        answers=lambda: {
            200: Answer(
                "The figures",
                schemas.aggregation.MetricsAggregationResponse,
                example={
                    "windows": {
                        "1h": {
                            "battery": {
                                "battery.house.voltage": {
                                    "avg": 13.1,
                                    "min": 12.9,
                                    "max": 13.4,
                                    "sum": 47160.0,
                                    "count": 3600,
                                    "p50": 13.1,
                                    "p95": 13.3,
                                    "previous": 13.0,
                                    "change_percent": 0.77,
                                    "trend_direction": "stable",
                                }
                            }
                        }
                    },
                    "kpis": {"metrics_tracked": 61, "open_insights": 3, "persistence": "on"},
                    "trends": {"battery.house.voltage": "stable"},
                    "benchmarks": {
                        "battery.house.voltage": {
                            "value": 13.1,
                            "unit": "V",
                            "low": 12.0,
                            "high": 14.8,
                            "within": True,
                        }
                    },
                    "recommendations": ["Check that the door is closed and the cooling runs."],
                    "generated_at": 1760000000.0,
                    "truncated": False,
                    "complete": True,
                    "incomplete_reason": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={
                    404: "Analytics dashboard disabled",
                    422: "aggregation_windows: '1h', '6h', '1d' or '1w'",
                },
            ),
        },
        gated=True,
    ),
)
