"""GET /api/analytics/historical."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from .base import Answered, Asked, DataQuality, Fraction, Hours, JsonObject, UnixSeconds

AnalysisType = Literal["pattern_detection", "anomaly_detection", "correlation", "all"]


class HistoricalQuery(Asked):
    analysis_type: AnalysisType = Field("pattern_detection", description="Which lists are computed; others stay empty")
    time_window_hours: Hours = 168
    include_predictions: bool = Field(True, description="Also say where metrics are heading")


class PatternData(Answered):
    pattern_id: str
    pattern_type: Literal["cyclical", "trending", "anomalous", "baseline"]
    description: str
    confidence: Fraction
    frequency: str | None
    correlation_factors: list[str]
    prediction_window: str | None
    metric: str
    created_at: UnixSeconds
    data: JsonObject


class AnomalyData(Answered):
    """A stretch in which a metric was far from its own baseline, told by its most extreme sample."""

    metric: str
    timestamp: UnixSeconds = Field(description="Of the most extreme sample")
    start: UnixSeconds
    end: UnixSeconds
    value: FiniteFloat
    expected_low: FiniteFloat
    expected_high: FiniteFloat
    score: FiniteFloat
    severity: Literal["low", "medium", "high"]
    description: str


class CorrelationData(Answered):
    metric_a: str
    metric_b: str
    coefficient: FiniteFloat = Field(ge=-1, le=1)
    lag_seconds: FiniteFloat = Field(description="Positive: metric_a leads")
    p_value: FiniteFloat
    samples: int


class PredictionData(Answered):
    metric: str
    timestamp: UnixSeconds = Field(description="When it will be so")
    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    confidence: Fraction = Field(description="How often such an interval holds the truth, as far as is known")
    method: str
    earliest: UnixSeconds | None = Field(
        description="Of a level that runs empty or full or reaches a limit (`value`): from when on to expect that"
    )
    latest: UnixSeconds | None = Field(description="And until when; null: perhaps not within 60 days")


class HistoricalSummary(Answered):
    patterns_found: int
    anomalies_detected: int
    correlations_found: int
    predictions_generated: int
    data_quality: DataQuality
    confidence: Fraction


class HistoricalAnalysisResponse(Answered):
    analysis_type: AnalysisType
    time_window_hours: int
    patterns: list[PatternData]
    anomalies: list[AnomalyData]
    correlations: list[CorrelationData]
    predictions: list[PredictionData]
    summary: HistoricalSummary
    generated_at: UnixSeconds
    truncated: bool = Field(
        description="There are more metrics than one analysis takes: the most recent ones were taken"
    )
    complete: bool = Field(description="False: the archive could not be read, the answer is from memory alone")
    incomplete_reason: str | None = None
