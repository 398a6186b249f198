"""GET /api/analytics/insights, POST /api/analytics/insights/generate."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from .base import Answered, Asked, Category, Fraction, JsonObject, Severity, UnixSeconds

Status = Literal["new", "acknowledged", "snoozed", "dismissed", "resolved"]


class InsightsQuery(Asked):
    categories: list[Category] | None = Field(None, description="Only these categories: comma-separated, or repeated")
    min_severity: Severity = Field("low", description="Nothing below this severity")
    status: Literal["open", "new", "acknowledged", "snoozed", "dismissed", "resolved", "all"] = Field(
        "open", description="open: neither resolved nor expired, snoozed or dismissed"
    )
    limit: int = Field(50, ge=1, le=200, description="At most this many")


class ActionableRecommendation(Answered):
    text: str
    action: str
    estimated_impact: str
    severity: Severity


class Insight(Answered):
    insight_id: str
    title: str
    description: str
    category: Category
    severity: Severity
    confidence: Fraction
    impact_score: Fraction
    created_at: UnixSeconds
    updated_at: UnixSeconds
    expires_at: UnixSeconds | None
    recommendations: list[str] = Field(description="Sentences for people")
    actions: list[ActionableRecommendation]
    evidence: JsonObject = Field(
        description="The numbers it rests on: metric, span, value, expected range, score; `series` (at most 96 points "
        "each), `coverage` (0 to 1, the share of the span that was heard of), `distance` (how far the value lies from "
        "the limit on its side), `co_moving` (metrics that shifted at the same time: metric, title, unit, shift in "
        "that unit, robust sigmas), and what its kind adds"
    )
    supporting_data: JsonObject
    status: Status
    metric: str | None
    first_seen: UnixSeconds = Field(description="Since when it has held")
    last_seen: UnixSeconds = Field(description="When it was last found to hold")
    snoozed_until: UnixSeconds | None
    marked_at: UnixSeconds | None = Field(description="When somebody acknowledged, snoozed or dismissed it")
    marked_by: str | None
    effects: list[str] = Field(description="What actions on its advice have changed, measured afterwards")
    not_useful: int = Field(description="How often this rule was called not useful for this metric")


class MarkRequest(BaseModel):
    """What to do for how long. An empty body is fine."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    duration_s: float | None = Field(None, ge=60, le=2_592_000, description="Of a snooze; default 1 hour")
    until: FiniteFloat | None = Field(
        None, ge=0, lt=1e10, description="End of a snooze in unix seconds, instead of `duration_s`"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.duration_s is not None and self.until is not None:
            raise ValueError("give duration_s or until, not both")
        return self


class StatusRequest(MarkRequest):
    status: Literal["new", "acknowledged", "snoozed", "dismissed"] = Field(
        description="new: take back what was said last"
    )


class MarkedResponse(Answered):
    success: bool
    message: str
    insight: Insight
    persisted: bool = Field(description="False: it ends with the process (persistence is off)")


class InsightsSummary(Answered):
    total_count: int
    avg_confidence: FiniteFloat
    avg_impact: FiniteFloat
    top_categories: list[Category] = Field(description="Most frequent first")
    action_required: int = Field(description="Open insights of severity high or critical")


class SeverityDistribution(Answered):
    low: int
    medium: int
    high: int
    critical: int


class SystemInsightsResponse(Answered):
    total_insights: int = Field(description="That match, also beyond `limit`")
    insights: list[Insight] = Field(description="Most severe first, then newest")
    summary: InsightsSummary
    severity_distribution: SeverityDistribution
    categories: dict[str, int] = Field(description="How many match, by category")
    generated_at: UnixSeconds


class GenerateResponse(Answered):
    """What a sweep found: insights that are new or have changed."""

    success: bool
    message: str
    total_insights: int
    insights: list[Insight]
    generated_at: UnixSeconds
