"""GET /api/analytics/charts: several metrics over one span on one grid, with what a chart draws besides the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from quart import Response

from analytics.catalogue import Catalogue, MetricSpec, title_from
from analytics.deviation import anomaly_score, baseline_deviation, expected_band
from analytics.patterns import find_anomalies
from analytics.records import Insight
from storage.grid import means
from storage.models import Buckets

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..charge import charge
from ..compute import in_thread
from ..problems import Problem
from ..rounding import known, numbers, seconds
from ..routes import Route, json_response
from ..steps import count_of

MAX_METRICS: Final = 32
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
# Every width divides a day, so that grids of neighbouring zoom levels lie on each other.
GRID_MS: Final = tuple(
    [each * 1000 for each in (1, 2, 5, 10, 15, 30)]
    + [each * MINUTE_MS for each in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)]
    + [DAY_MS, 7 * DAY_MS]
)
LONG_MS: Final = 90 * DAY_MS  # a longer span is first looked through for where data begins
GAP_STEPS: Final = 3.0  # this many times the usual distance between points, ...
GAP_MIN_MS: Final = 120_000  # ... and at least so long, is a gap
COLUMNS: Final = ("metric_name", "timestamp", "value", "min", "max", "count")


async def get_charts(backend: Backend, query: schemas.dashboard.ChartsQuery) -> Response:
    names = list(dict.fromkeys((*(query.metrics or ()), *(query.metric or ()))))
    if not 1 <= len(names) <= MAX_METRICS:
        message = f"expected 1 to {MAX_METRICS} names"
        raise Problem(422, f"metrics: {message}", errors=[{"parameter": "metrics", "message": message}])
    now_ms = backend.wall_ms()
    end_ms = now_ms + 1 if query.end is None else round(query.end * 1000)
    start_ms = end_ms - DAY_MS if query.start is None else round(query.start * 1000)
    if start_ms >= end_ms:
        message = "must be before end"
        raise Problem(422, f"start: {message}", errors=[{"parameter": "start", "message": message}])
    if end_ms - start_ms > LONG_MS:
        start_ms = await _first_ms(backend, names, start_ms, end_ms)
    step_ms = next((step for step in GRID_MS if count_of(start_ms, end_ms, step) <= query.max_points), GRID_MS[-1])
    from_ms = start_ms - start_ms % step_ms  # whole buckets: the first one too
    read = await backend.history.buckets(names, from_ms, end_ms, step_ms)
    charge(backend, read.buckets.values())
    if query.format == "csv":
        return await _csv(names, read.buckets)
    is_line = query.detail == "line"
    drawn = await in_thread(_draw, names, read.buckets, step_ms, backend.catalogue, is_line)
    insights = () if is_line else backend.book.insights()
    for each in drawn:
        each["notes"] = [
            _note(insight)
            for insight in insights
            if insight.metric == each["metric"] and _touches(insight, from_ms, end_ms)
        ]
    return json_response(
        {
            "start": start_ms / 1000,
            "end": end_ms / 1000,
            "step_seconds": step_ms / 1000,
            "series": drawn,
            "generated_at": now_ms / 1000,
            "complete": read.complete,
            "incomplete_reason": read.reason,
        }
    )


async def _first_ms(backend: Backend, names: Sequence[str], start_ms: int, end_ms: int) -> int:
    """The minute of the oldest sample, found by its day; no sample: a day before the end."""
    until_ms = end_ms
    for step_ms in (DAY_MS, MINUTE_MS):
        read = await backend.history.buckets(names, start_ms, until_ms, step_ms)
        first_ms = min((int(some.starts[0]) for some in read.buckets.values() if len(some)), default=end_ms - DAY_MS)
        start_ms = min(max(start_ms, first_ms), end_ms - 1)
        until_ms = min(start_ms + DAY_MS, end_ms)
    return start_ms


def _draw(
    names: Sequence[str], buckets: Mapping[str, Buckets], step_ms: int, catalogue: Catalogue, is_line: bool
) -> list[dict[str, Any]]:
    """Runs in a thread."""
    return [_series(name, buckets.get(name), step_ms, catalogue.spec(name), is_line=is_line) for name in names]


def _series(name: str, buckets: Buckets | None, step_ms: int, spec: MetricSpec, *, is_line: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "metric": name,
        "title": spec.title or title_from(name),
        "unit": spec.unit,
        "kind": spec.kind,
        "times": [],
        "values": [],
        "mins": [],
        "maxs": [],
        "counts": [],
        "scores": [],
        "expected_low": None,
        "expected_high": None,
        "gaps": [],
        "anomalies": [],
        "notes": [],
        "low": spec.low,
        "high": spec.high,
    }
    if buckets is None or not len(buckets):
        return shown
    levels = means(buckets)
    if is_line:
        gaps = _gaps(buckets, step_ms, spec)
        return shown | {"times": seconds(buckets.starts), "values": numbers(levels), "gaps": gaps}
    deviations = baseline_deviation(levels, spec)
    band = expected_band(levels, spec)
    shown |= {
        "times": seconds(buckets.starts),
        "values": numbers(levels),
        "mins": numbers(buckets.minimum),
        "maxs": numbers(buckets.maximum),
        "counts": buckets.count.tolist(),
        "scores": anomaly_score(deviations).round(3).tolist(),
        "gaps": _gaps(buckets, step_ms, spec),
        "anomalies": [
            {
                "start": each.start_ms / 1000,
                "end": (each.end_ms + step_ms) / 1000,
                "timestamp": each.at_ms / 1000,
                "value": known(each.value),
                "severity": each.severity,
                "description": each.description,
            }
            for each in find_anomalies(name, buckets.starts, levels, spec)
        ],
    }
    if band is not None:
        shown |= {"expected_low": numbers(band[0]), "expected_high": numbers(band[1])}
    return shown


def _gaps(buckets: Buckets, step_ms: int, spec: MetricSpec) -> list[list[float]]:
    """Where a metric that is heard from regularly was not. What may be silent has no gaps."""
    if spec.intermittent or spec.kind == "state" or len(buckets) < 2:
        return []
    distances = np.diff(buckets.starts)
    longest = max(GAP_STEPS * float(np.median(distances)), GAP_MIN_MS)
    return [
        [(int(buckets.starts[at]) + step_ms) / 1000, int(buckets.starts[at + 1]) / 1000]
        for at in np.flatnonzero(distances > longest).tolist()
    ]


def _touches(insight: Insight, start_ms: int, end_ms: int) -> bool:
    first, last = _span(insight)
    return first < end_ms and last >= start_ms


def _span(insight: Insight) -> tuple[int, int]:
    """When the condition held, as far as its evidence says."""
    start, end = insight.evidence.get("start"), insight.evidence.get("end")
    first = round(start * 1000) if isinstance(start, int | float) else insight.created_at_ms
    last = round(end * 1000) if isinstance(end, int | float) else insight.updated_at_ms
    return first, max(first, last)


def _note(insight: Insight) -> dict[str, Any]:
    first, last = _span(insight)
    return {
        "insight_id": insight.insight_id,
        "title": insight.title,
        "severity": insight.severity,
        "start": first / 1000,
        "end": last / 1000,
        "status": insight.status,
    }


async def _csv(names: Sequence[str], buckets: Mapping[str, Buckets]) -> Response:
    response = Response(await in_thread(_rows, names, buckets), content_type="text/csv; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = 'attachment; filename="chart.csv"'
    return response


def _rows(names: Sequence[str], buckets: Mapping[str, Buckets]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for name in names:
        some = buckets.get(name)
        if some is not None:
            columns = (numbers(means(some)), numbers(some.minimum), numbers(some.maximum), some.count.tolist())
            writer.writerows((name, *row) for row in zip(seconds(some.starts), *columns, strict=True))
    return text.getvalue().encode()


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/charts",
        handler=get_charts,
        summary="Metrics as a chart draws them",
        description=f"""Up to {MAX_METRICS} metrics over [`start`, `end`) on one grid, in columns: mean, minimum,
maximum
and count of each bucket that holds a sample, its anomaly score, the band in which it would have been ordinary
(a robust one, from the span itself and the point's surroundings), spans in which samples are missing, anomalies, and
the insights that were raised there. The grid is the finest with at most `max_points` buckets; `start=0` begins with the
minute of the oldest sample. The first bucket is whole: it may begin before `start`. `format=csv` gives the same rows;
`detail=line` the mean alone.""",
        tag="Dashboard",
        query=lambda: schemas.dashboard.ChartsQuery,
        answers=lambda: {
            200: Answer(
                "The charts",
                schemas.dashboard.ChartsResponse,
                also=("text/csv",),
                example={
                    "start": 1759996800.0,
                    "end": 1760000400.0,
                    "step_seconds": 3600.0,
                    "series": [
                        {
                            "metric": "battery.house.voltage",
                            "title": "House battery voltage",
                            "unit": "V",
                            "kind": "gauge",
                            "times": [1759996800.0],
                            "values": [13.12],
                            "mins": [12.98],
                            "maxs": [13.4],
                            "counts": [7200],
                            "scores": [0.0],
                            "expected_low": None,
                            "expected_high": None,
                            "gaps": [],
                            "anomalies": [],
                            "notes": [],
                            "low": 12.0,
                            "high": 14.8,
                        }
                    ],
                    "generated_at": 1760000400.0,
                    "complete": True,
                    "incomplete_reason": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={404: "Analytics dashboard disabled", 422: f"metrics: expected 1 to {MAX_METRICS} names"},
            ),
        },
        gated=True,
    ),
)
