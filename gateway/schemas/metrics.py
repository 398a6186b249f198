"""Writing samples, the catalogue of metrics, and the data of one metric."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from .base import Answered, Asked, JsonObject, UnixSeconds

MetricName = Annotated[str, Field(min_length=1, max_length=256, description="No control characters")]


class WriteQuery(Asked):
    ack: Literal["memory", "durable"] = Field(
        "memory",
        description=(
            "durable: answer after the commit that makes it survive a power cut (409 when persistence is off)"
        ),
    )


class InfluxWriteQuery(WriteQuery):
    precision: str | None = Field(
        None,
        description="Unit of the timestamps: ns (default), us, ms, s; in the way of 1.x also n, u, m and h",
        json_schema_extra={"enum": ["ns", "n", "us", "u", "ms", "s", "m", "h"]},
    )


class CustomMetricRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    metric_name: MetricName
    value: FiniteFloat
    timestamp: FiniteFloat | None = Field(None, description="Unix seconds; default: now. At most 5 minutes ahead")
    metadata: JsonObject | None = Field(
        None,
        description="At most 4 kB of JSON; the latest of a metric is kept. `unit`: where it is certainly another than "
        "that of the metric catalogue (`°F` for °C, `gal` for %), the metric has it, and neither role nor limits of "
        "the catalogue; where the catalogue knows none, the metric has it.",
    )


class SeriesRequest(BaseModel):
    """Columns: as many values as timestamps."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    metric_name: MetricName
    timestamps: list[FiniteFloat]
    values: list[FiniteFloat]
    metadata: JsonObject | None = None


class RowsRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    samples: list[CustomMetricRequest]


class ColumnsRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    series: list[SeriesRequest]


class RecordMetricResponse(Answered):
    success: bool
    message: str


class BatchError(Answered):
    index: int | None = Field(description="Row of the body, or position in its series; null: the whole series")
    series: str | None = None
    message: str = Field(description="Names the member")


class BatchResponse(Answered):
    accepted: int
    rejected: int
    duplicates: int = Field(description="Samples at the time of a kept one: the new value won")
    errors: list[BatchError] = Field(description="The first 100; `rejected` counts them all")


class MetricsQuery(Asked):
    limit: int = Field(200, ge=1, le=5000, description="At most this many")
    cursor: str | None = Field(None, description="`next_cursor` of the answer before")
    match: str | None = Field(None, max_length=256, description="Names like this: * any text, ? one character")


class MetricSource(Answered):
    measurement: str
    field: str
    tags: dict[str, str]


class MetricEntry(Answered):
    name: str
    unit: str | None = Field(description="From the catalogue, else as its sender said")
    kind: Literal["gauge", "counter", "state"]
    role: str | None
    title: str | None
    last_value: FiniteFloat | None
    last_timestamp: UnixSeconds | None
    samples: int = Field(description="In memory")
    bytes: int = Field(description="In memory")
    bytes_per_day: FiniteFloat | None = Field(
        description="What a day of it takes in memory; null: too little seen to say"
    )
    received: int = Field(description="Samples ever taken since the start")
    source: MetricSource = Field(description="The point of the line protocol that is written to this metric")


class MetricsResponse(Answered):
    total: int = Field(description="That match")
    metrics: list[MetricEntry] = Field(description="By name")
    next_cursor: str | None = Field(None, description="Ask again with cursor=...; null: this was the end")


class DataQuery(Asked):
    start: FiniteFloat | None = Field(
        None, ge=0, lt=1e10, description="Unix seconds, inclusive; default: 24 hours before `end`"
    )
    end: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds, exclusive; default: now")
    resolution: Literal["raw", "1m", "5m", "15m", "1h", "6h", "1d"] | None = Field(
        None,
        description=("raw: every sample kept. Default: raw where that fits `max_points`, else the finest that does"),
    )
    max_points: int | None = Field(None, ge=2, le=10_000, description="Choose the resolution by the size of the chart")
    format: Literal["json", "csv"] | None = Field(None, description="csv: the same rows; also by Accept: text/csv")


class ColumnsQuery(Asked):
    start: FiniteFloat | None = Field(
        None, ge=0, lt=1e10, description="Unix seconds, inclusive; default: 24 hours before `end`"
    )
    end: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds, exclusive; default: now")
    resolution: Literal["raw", "1m", "5m", "15m", "1h", "6h", "1d"] = Field("raw", description="raw: every sample kept")
    limit: int = Field(300_000, ge=2, le=300_000, description="Most samples in the answer, the oldest of the span")


class ExportQuery(Asked):
    metrics: list[str] | None = Field(None, description="Comma-separated, or repeated; default: all")
    start: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds; default: 24 hours before `end`")
    end: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds, exclusive; default: now")
    resolution: Literal["raw", "1m", "5m", "15m", "1h", "6h", "1d"] = Field("raw", description="raw: every sample kept")
    format: Literal["csv", "json"] = Field("csv", description="What the answer is written in")


class MetricDataPoint(Answered):
    timestamp: UnixSeconds
    value: FiniteFloat = Field(description="The sample, or the mean of the bucket that starts at `timestamp`")
    min: FiniteFloat | None = None
    max: FiniteFloat | None = None
    count: int | None = None


class ExportedMetric(Answered):
    metric_name: str
    unit: str | None
    data_points: list[MetricDataPoint]


class ExportResponse(Answered):
    resolution: Literal["raw", "1m", "5m", "15m", "1h", "6h", "1d"]
    start: UnixSeconds
    end: UnixSeconds
    metrics: list[ExportedMetric]


class MetricColumnsResponse(Answered):
    metric_name: str
    unit: str | None
    resolution: Literal["raw", "1m", "5m", "15m", "1h", "6h", "1d"]
    start: UnixSeconds
    end: UnixSeconds
    timestamps: list[UnixSeconds] = Field(description="Strictly rising")
    values: list[FiniteFloat] = Field(description="As long; samples, or the means of buckets")
    minimums: list[FiniteFloat] | None = Field(None, description="Of buckets")
    maximums: list[FiniteFloat] | None = Field(None, description="Of buckets")
    counts: list[int] | None = Field(None, description="Of buckets")
    next_start: UnixSeconds | None = Field(None, description="The answer was cut: ask again with start=next_start")
    complete: bool = Field(description="False: the archive could not be read, the answer is from memory alone")
    incomplete_reason: str | None = None


class MetricDataResponse(Answered):
    metric_name: str
    unit: str | None
    resolution: Literal["raw", "1m", "5m", "15m", "1h", "6h", "1d"]
    start: UnixSeconds
    end: UnixSeconds
    data_points: list[MetricDataPoint] = Field(description="Times strictly rising")
    next_start: UnixSeconds | None = Field(None, description="The answer was cut: ask again with start=next_start")
    complete: bool = Field(description="False: the archive could not be read, the answer is from memory alone")
    incomplete_reason: str | None = None
