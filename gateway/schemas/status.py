"""Status, health, probes and feature flags."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from .base import Answered, UnixSeconds

ComponentState = Literal["healthy", "degraded", "limited", "error", "stopped"]


class SalvageProgress(Answered):
    file: str = Field(description="The damaged file that was moved aside")
    reason: str
    running: bool
    fraction: FiniteFloat = Field(ge=0, le=1, description="Of the file that has been read")
    stored: int = Field(description="Rows that went from it into the new database")


class PersistenceStatus(Answered):
    enabled: bool
    state: Literal["off", "starting", "on", "degraded"]
    reason: str | None
    backlog: int | None = Field(description="Samples that wait to be written")
    last_commit: UnixSeconds | None = Field(description="When this process last wrote; null before it first did")
    size_bytes: int | None
    budget_bytes: int | None = Field(description="File and write-ahead log never pass it; null: not open")
    raw_since: UnixSeconds | None = Field(description="From here on every sample is on disk as it came")
    damaged: int = Field(description="Rows of the file that were found damaged and are left out")
    salvage: SalvageProgress | None = Field(description="null: no damaged file was met since the start")
    written_bytes: int | None = Field(
        description="Bytes this process has caused to be written to the device; null: persistence is off"
    )
    written_bytes_per_day: FiniteFloat | None = Field(description="null: running for less than a minute")


class MemoryTierStatus(Answered):
    samples: int
    bytes: int
    budget_bytes: int
    evicted: int
    lost_unpersisted: int


class BackgroundTasks(Answered):
    insight_generation: bool
    pattern_analysis: bool


class NotificationBudget(Answered):
    """Judgements (anomalies, deviations) that may be told; facts (limits, silence) are always told and not counted."""

    per_week: FiniteFloat
    spent: int = Field(description="In the last seven days")
    remaining: FiniteFloat
    held_back: int = Field(description="In the last seven days; they stand among the insights, nobody was notified")
    achieved_per_week: FiniteFloat | None = Field(description="Over the last four weeks; null before one has passed")
    raised: FiniteFloat = Field(description="How far beyond its own level a metric's score has to be, powers of ten")


class AnalyticsStatusResponse(Answered):
    service_status: Literal["operational", "degraded", "down"]
    metrics_tracked: int
    insights_cached: int
    patterns_detected: int
    feature_enabled: bool
    persistence: PersistenceStatus
    memory: MemoryTierStatus
    notification_budget: NotificationBudget
    data_retention_hours: FiniteFloat
    insight_generation_interval: FiniteFloat = Field(description="Seconds")
    pattern_analysis_interval: FiniteFloat = Field(description="Seconds")
    background_tasks: BackgroundTasks
    capabilities: list[str]
    uptime_seconds: FiniteFloat
    version: str


class HealthComponents(Answered):
    metric_collection: ComponentState
    insight_generation: ComponentState
    pattern_analysis: ComponentState
    data_storage: ComponentState


class HealthDataQuality(Answered):
    metrics_available: int
    insights_recent: int = Field(description="Created in the last 24 hours")
    patterns_detected: int


class ActorHealth(BaseModel):
    """One actor: state, restarts, last error, and how its mailbox does."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    state: str


class AnalyticsHealthResponse(Answered):
    status: Literal["healthy", "degraded", "limited", "error"]
    service_running: bool
    components: HealthComponents
    data_quality: HealthDataQuality
    actors: dict[str, ActorHealth]


class HealthCheck(BaseModel):
    model_config = ConfigDict(extra="allow", defer_build=True)

    componentId: str | None = None  # noqa: N815  # spelled so by the draft
    status: Literal["pass", "warn", "fail"]


class HealthDocument(Answered):
    """draft-inadarei-api-health-check: application/health+json."""

    status: Literal["pass", "warn", "fail"]
    version: str
    releaseId: str  # noqa: N815  # spelled so by the draft
    serviceId: str  # noqa: N815  # spelled so by the draft
    description: str
    notes: list[str]
    checks: dict[str, list[HealthCheck]]


class ProbeResponse(Answered):
    status: Literal["ok", "ready", "not ready"]


class FeatureRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool


class FeatureState(Answered):
    enabled: bool
    depends_on: list[str]
    description: str | None = None


class FeaturesResponse(Answered):
    features: dict[str, FeatureState]


class FeatureChangeResponse(Answered):
    success: bool
    message: str
    feature: str
    enabled: bool
    changed: dict[str, bool] = Field(description="Every flag that changed: those which depend on it go off with it")
