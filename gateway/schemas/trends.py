"""GET /api/analytics/trends."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from .base import Answered, Asked, DataQuality, Direction, Hours, Resolution, Severity, UnixSeconds
from .insights import Insight


class TrendsQuery(Asked):
    time_window_hours: Hours = 24
    metrics: list[str] | None = Field(
        None,
        description=(
            "Only these metrics: comma-separated, or repeated; a comma within a name is written `\\,`. Default: all, "
            "up to the answer's limit"
        ),
    )
    resolution: Resolution = Field("1h", description="Width of one data point")


class TrendDataPoint(Answered):
    timestamp: UnixSeconds = Field(description="Start of the bucket")
    value: FiniteFloat = Field(description="Mean of the bucket")
    min: FiniteFloat
    max: FiniteFloat
    count: int = Field(ge=1, description="Samples in the bucket")
    baseline_deviation: FiniteFloat = Field(description="Robust z score against the window's own baseline")
    anomaly_score: FiniteFloat = Field(ge=0, le=1)


class MetricTrendData(Answered):
    """One metric in the window. `data_quality`: no_data when nothing was recorded, limited when too little
    for a trend."""

    trend_direction: Direction
    change_percent: FiniteFloat = Field(description="Along the robust trend line, from its start to its end")
    anomaly_count: int = Field(ge=0)
    data_quality: DataQuality
    current_value: FiniteFloat | None
    unit: str | None
    data_points: list[TrendDataPoint]


class PerformanceAlert(Answered):
    """What needs attention now: a threshold that fires, or an open insight of severity high or critical."""

    type: str
    severity: Severity
    message: str
    recommendation: str
    metric: str | None


class TrendsSummary(Answered):
    trending_up: int
    trending_down: int
    stable: int
    total_anomalies: int
    total_metrics: int = Field(description="Metrics that match; more than in `metrics` when the answer was cut")
    key_insights: list[str]


class PerformanceTrendsResponse(Answered):
    time_window_hours: int
    resolution: Resolution
    metrics: dict[str, MetricTrendData]
    summary: TrendsSummary
    alerts: list[PerformanceAlert]
    insights: list[Insight]
    generated_at: UnixSeconds
    truncated: bool = Field(description="Not every matching metric is in the answer: ask for fewer by `metrics`")
    complete: bool = Field(description="False: the archive could not be read, the answer is from memory alone")
    incomplete_reason: str | None = None
