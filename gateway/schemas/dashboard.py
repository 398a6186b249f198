"""What the dashboard's pages are drawn from: the coach at a glance, charts, correlations, daily cycles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from .base import Answered, Asked, Hours, Severity, UnixSeconds

Level = Literal["ok", "warning", "critical", "unknown"]


class Tile(Answered):
    """One metric of the glance, with what is needed to judge it."""

    metric: str
    title: str
    role: str
    unit: str | None
    kind: Literal["gauge", "counter", "state"]
    value: FiniteFloat | None
    timestamp: UnixSeconds | None
    stale_after_seconds: FiniteFloat | None = Field(description="Older than this it is stale; null: it may be silent")
    level: Level = Field(description="Of the value against the catalogue's limits, and of thresholds that fire")
    low: FiniteFloat | None = Field(description="A normal value stays above")
    high: FiniteFloat | None = Field(description="A normal value stays below")
    critical_low: FiniteFloat | None
    critical_high: FiniteFloat | None


class TileGroup(Answered):
    group: Literal["battery", "tanks", "climate", "vehicle", "system", "other"]
    title: str
    tiles: list[Tile]


class PowerNode(Answered):
    """One end of the power flow. `watts` > 0: it gives; < 0: it takes."""

    node: Literal["solar", "shore", "alternator", "generator", "battery", "loads"]
    title: str
    watts: FiniteFloat
    metrics: list[str] = Field(description="What it was computed from")
    text: str = Field(description="In words: charging, discharging, ...")


class OverviewResponse(Answered):
    groups: list[TileGroup] = Field(description="Groups without a metric are left out")
    power: list[PowerNode] = Field(description="Empty: nothing that tells of power was recorded")
    total_metrics: int
    first_timestamp: UnixSeconds | None = Field(description="Of the oldest sample in memory")
    simulated: bool = Field(description="A simulated coach feeds this service: nothing here is measured")
    generated_at: UnixSeconds


class ChartsQuery(Asked):
    metrics: list[str] | None = Field(None, description="At most 32: comma-separated, or repeated")
    metric: list[str] | None = Field(
        None,
        description="As `metrics`, one name each time: for names with a comma",
        json_schema_extra={"x-whole": True},
    )
    start: FiniteFloat | None = Field(
        None, ge=0, lt=1e10, description="Unix seconds; default: 24 hours before `end`. 0: since the oldest sample"
    )
    end: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds, exclusive; default: now")
    max_points: int = Field(400, ge=2, le=2000, description="The grid is the finest with at most so many buckets")
    format: Literal["json", "csv"] = Field("json", description="csv: the same rows")
    detail: Literal["full", "line"] = Field(
        "full", description="line: times, values and gaps alone, for small pictures; everything else is empty"
    )


class ChartAnomaly(Answered):
    start: UnixSeconds
    end: UnixSeconds
    timestamp: UnixSeconds = Field(description="Of the most extreme point")
    value: FiniteFloat
    severity: Literal["low", "medium", "high"]
    description: str


class ChartNote(Answered):
    """An insight that was raised on this metric within the range."""

    insight_id: str
    title: str
    severity: Severity
    start: UnixSeconds
    end: UnixSeconds
    status: str


class ChartSeries(Answered):
    """Columns of equal length, times strictly rising; each row is one bucket of the grid that holds a sample."""

    metric: str
    title: str
    unit: str | None
    kind: Literal["gauge", "counter", "state"]
    times: list[UnixSeconds] = Field(description="Starts of the buckets")
    values: list[FiniteFloat] = Field(description="Means")
    mins: list[FiniteFloat]
    maxs: list[FiniteFloat]
    counts: list[int]
    scores: list[FiniteFloat] = Field(description="Anomaly scores, 0..1; one half: an anomaly begins")
    expected_low: list[FiniteFloat] | None = Field(description="Below it a point stands out; null: not judged")
    expected_high: list[FiniteFloat] | None
    gaps: list[tuple[UnixSeconds, UnixSeconds]] = Field(description="Spans in which samples are missing")
    anomalies: list[ChartAnomaly]
    notes: list[ChartNote]
    low: FiniteFloat | None
    high: FiniteFloat | None


class ChartsResponse(Answered):
    start: UnixSeconds
    end: UnixSeconds
    step_seconds: FiniteFloat
    series: list[ChartSeries] = Field(description="In the order asked for; empty columns where nothing was recorded")
    generated_at: UnixSeconds
    complete: bool = Field(description="False: the archive could not be read, the answer is from memory alone")
    incomplete_reason: str | None = None


class CorrelationsQuery(Asked):
    time_window_hours: Hours = 168


class CorrelationCell(Answered):
    a: int = Field(description="Index into `metrics`; a < b")
    b: int
    coefficient: FiniteFloat = Field(ge=-1, le=1)
    lag_seconds: FiniteFloat = Field(description="Positive: a leads")
    p_value: FiniteFloat
    samples: int
    text: str = Field(description="In words")


class CorrelatedMetric(Answered):
    metric: str
    title: str


class CorrelationsResponse(Answered):
    time_window_hours: int
    metrics: list[CorrelatedMetric] = Field(description="In clustered order: what moves together stands together")
    cells: list[CorrelationCell] = Field(description="Pairs that passed the test; all others are too weak to tell")
    generated_at: UnixSeconds
    truncated: bool
    complete: bool
    incomplete_reason: str | None = None


class CycleQuery(Asked):
    metric: str | None = Field(None, max_length=256, description="Name of the metric")
    days: int = Field(28, ge=2, le=90, description="How many days to look at")
    clock: Literal["reader", "coach"] = Field(
        "reader",
        description="Whose hours: the reader's, by `utc_offset_minutes`, or the coach's, as of patterns",
    )
    utc_offset_minutes: int = Field(
        0, ge=-840, le=840, description="Of the reader's clock: +60 is an hour ahead of UTC"
    )


class CycleHour(Answered):
    hour: int = Field(ge=0, le=23)
    days: int = Field(description="How many days have this hour")
    low: FiniteFloat | None = Field(description="First quartile")
    middle: FiniteFloat | None = Field(description="Median")
    high: FiniteFloat | None = Field(description="Third quartile")
    today: FiniteFloat | None


class CycleResponse(Answered):
    metric: str
    title: str
    unit: str | None
    days: int = Field(description="Days with samples, today not counted")
    time_zone: str = Field(description="Of the clock: the coach's by its name in the tz database")
    utc_offset_minutes: int = Field(description="Of the clock, now")
    hours: list[CycleHour] = Field(description="24, midnight first, on that clock")
    week: list[list[FiniteFloat | None]] = Field(description="7 rows (Monday first) of 24 medians")
    strength: FiniteFloat | None = Field(description="Share of a day's movement that the other days foretell, 0..1")
    text: str = Field(description="The period and its strength in words")
    generated_at: UnixSeconds
    complete: bool
    incomplete_reason: str | None = None
