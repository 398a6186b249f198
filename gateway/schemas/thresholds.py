"""Thresholds: what a person sets, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from ..ingest import name_problem
from .base import Answered, Category, Severity, UnixSeconds


def _can_be_sent(name: str) -> str:
    """What no sample may be called, no threshold ever sees."""
    if problem := name_problem(name):
        raise ValueError(problem)
    return name


MetricName = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_can_be_sent)]
Seconds = Annotated[FiniteFloat, Field(ge=0, le=604_800)]


class ThresholdRequest(BaseModel):
    """A threshold on one metric, or on every metric of a role. Limits are in the metric's unit."""

    model_config = ConfigDict(extra="forbid", defer_build=True, str_strip_whitespace=True)

    name: str | None = Field(None, min_length=1, max_length=120, description="Left out: made from metric and limit")
    metric: MetricName | None = Field(None, description="One metric; give this or `role`")
    role: str | None = Field(None, min_length=1, max_length=64, description="All metrics of this role of the catalogue")
    condition: Literal["above", "below", "outside"]
    value: FiniteFloat | None = Field(None, description="The limit, for above and below")
    low: FiniteFloat | None = Field(None, description="The lower limit, for outside (and below, instead of `value`)")
    high: FiniteFloat | None = Field(None, description="The upper limit, for outside (and above, instead of `value`)")
    hysteresis: FiniteFloat = Field(0.0, ge=0, description="How far back inside a value must come")
    min_duration_s: Seconds = Field(0.0, description="How long a value must be beyond before the alert fires")
    recover_after_s: Seconds = Field(600.0, description="How long it must be back before the alert ends")
    missing: Literal["keep", "alert", "resolve"] = Field("keep", description="What silence means")
    missing_after_s: FiniteFloat = Field(300.0, ge=1, le=604_800, description="How long silence lasts before it counts")
    severity: Severity = "medium"
    category: Category = "reliability"
    enabled: bool = True

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.metric is None) == (self.role is None):
            raise ValueError("exactly one of metric and role must be given")
        if self.condition == "outside":
            if self.low is None or self.high is None or self.value is not None:
                raise ValueError("outside needs low and high, and no value")
            if self.low + self.hysteresis > self.high - self.hysteresis:
                raise ValueError("low and high, each by the hysteresis, must leave room between them")
            return self
        side, other = ("high", "low") if self.condition == "above" else ("low", "high")
        given = [limit for limit in (self.value, getattr(self, side)) if limit is not None]
        if len(given) != 1 or getattr(self, other) is not None:
            raise ValueError(f"{self.condition} needs one limit: value (or {side})")
        return self

    def document(self) -> dict[str, Any]:
        """As it is stored: members of analytics.threshold.Threshold."""
        body = self.model_dump(exclude={"value"})
        limit = self.value
        if self.condition == "above":
            body["high"] = self.high if limit is None else limit
        elif self.condition == "below":
            body["low"] = self.low if limit is None else limit
        if self.name is None:
            shown = {"above": f"above {body['high']}", "below": f"below {body['low']}"}
            body["name"] = (
                f"{self.metric or self.role} {shown.get(self.condition, f'outside {self.low} to {self.high}')}"
            )
        return body


class ThresholdState(Answered):
    metric: str
    state: Literal["ok", "pending", "firing", "recovering"]
    since: UnixSeconds
    side: Literal["above", "below", "missing", "none"]
    value: FiniteFloat | None = Field(description="That decided the state")
    peak: FiniteFloat | None = Field(description="Furthest beyond the limit in this alert, or in the last one")
    flaps: int = Field(
        description="How often it came back soon after it had ended; each holds the next end back longer"
    )


class ThresholdResponse(Answered):
    id: str
    name: str
    metric: str | None
    role: str | None
    condition: Literal["above", "below", "outside"]
    value: FiniteFloat | None
    low: FiniteFloat | None
    high: FiniteFloat | None
    hysteresis: FiniteFloat
    min_duration_s: FiniteFloat
    recover_after_s: FiniteFloat
    missing: Literal["keep", "alert", "resolve"]
    missing_after_s: FiniteFloat
    severity: Severity
    category: Category
    enabled: bool
    etag: str = Field(description="As in the header ETag, for If-Match")
    created_at: UnixSeconds
    updated_at: UnixSeconds
    persisted: bool = Field(description="False: it lives in memory and ends with the process (persistence is off)")
    states: list[ThresholdState] = Field(description="Metrics whose alert is, or was, another than simply ok")


class ThresholdsResponse(Answered):
    total: int
    thresholds: list[ThresholdResponse]
    persisted: bool


class DeletedResponse(Answered):
    success: bool
    message: str
    persisted: bool


class ThresholdAlert(Answered):
    type: Literal["threshold"]
    alert_id: str = Field(description="Stable from firing to end")
    threshold_id: str
    name: str
    metric: str
    state: Literal["ok", "pending", "firing", "recovering"]
    severity: Severity
    message: str
    recommendation: str | None
    value: FiniteFloat | None = Field(
        description="That stands now, while it fires; else the one that decided the state"
    )
    limit: FiniteFloat | None
    side: Literal["above", "below", "missing", "none"]
    peak: FiniteFloat | None
    since: UnixSeconds
    fired_at: UnixSeconds
    flaps: int


class AlertsResponse(Answered):
    total: int
    alerts: list[ThresholdAlert] = Field(description="Most severe first, then newest")
    persisted: bool
