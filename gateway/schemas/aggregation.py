"""GET /api/analytics/aggregation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from .base import Answered, Asked, Direction, UnixSeconds

WindowName = Literal["1h", "6h", "1d", "1w"]


class AggregationQuery(Asked):
    aggregation_windows: list[WindowName] = Field(
        ["1h", "6h", "1d", "1w"], description="Windows that end now: comma-separated, or repeated"
    )
    metric_groups: list[str] | None = Field(
        None,
        description="Only these groups. A group is what stands before the first dot of a metric's name "
        "(`battery` of battery.house.voltage); `other` holds the names without one",
    )


class MetricWindow(Answered):
    avg: FiniteFloat
    min: FiniteFloat
    max: FiniteFloat
    sum: FiniteFloat
    count: int
    p50: FiniteFloat
    p95: FiniteFloat
    previous: FiniteFloat | None = Field(description="Average of the window of the same length before")
    change_percent: FiniteFloat | None = Field(description="Of avg against previous")
    trend_direction: Direction


class Benchmark(Answered):
    """A metric's last value beside its limits in the catalogue."""

    value: FiniteFloat
    unit: str | None
    low: FiniteFloat | None
    high: FiniteFloat | None
    within: bool


class MetricsAggregationResponse(Answered):
    windows: dict[str, dict[str, dict[str, MetricWindow]]] = Field(description="window -> group -> metric")
    kpis: dict[str, FiniteFloat | str]
    trends: dict[str, Direction] = Field(description="By metric, in the longest window asked for")
    benchmarks: dict[str, Benchmark]
    recommendations: list[str]
    generated_at: UnixSeconds
    truncated: bool = Field(description="Not every matching metric is in the answer: ask for fewer by `metric_groups`")
    complete: bool = Field(description="False: the archive could not be read, the answer is from memory alone")
    incomplete_reason: str | None = None
