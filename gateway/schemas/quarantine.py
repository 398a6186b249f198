"""Samples in quarantine, and their repair."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from .base import Answered, Asked, Hours, UnixSeconds
from .metrics import MetricName


class QuarantineQuery(Asked):
    time_window_hours: Hours = 24
    metrics: list[str] | None = Field(None, description="Default: all of them")


class QuarantinedMetric(Answered):
    metric_name: str
    unit: str | None
    plausible_low: FiniteFloat | None
    plausible_high: FiniteFloat | None
    points: list[QuarantinedPoint] = Field(description="Newest last, at most 200")


class QuarantinedPoint(Answered):
    timestamp: UnixSeconds
    value: FiniteFloat


class QuarantineResponse(Answered):
    time_window_hours: int
    total: int = Field(description="Points listed")
    metrics: list[QuarantinedMetric]
    generated_at: UnixSeconds
    truncated: bool = Field(description="There are more metrics than were looked at")
    complete: bool
    incomplete_reason: str | None = None


class RepairRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    metric_name: MetricName
    start: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds; default: 30 days ago")
    end: FiniteFloat | None = Field(None, ge=0, lt=1e10, description="Unix seconds; default: now")
    method: Literal["interpolate", "scale"] = Field(
        "interpolate",
        description="interpolate: onto the line between the plausible neighbours; scale: multiply by `factor`, where "
        "that makes a point plausible (the unit had changed)",
    )
    factor: FiniteFloat | None = Field(None, description="For scale, and only for it; not 0")

    @model_validator(mode="after")
    def _factor_fits(self) -> RepairRequest:
        if (self.method == "scale") != bool(self.factor):
            raise ValueError("factor: is needed with scale, not 0, and has no meaning otherwise")
        return self


class RepairedPoint(Answered):
    timestamp: UnixSeconds
    was: FiniteFloat
    now: FiniteFloat


class RepairResponse(Answered):
    metric_name: str
    method: Literal["interpolate", "scale"]
    found: int = Field(description="Implausible points in the span, at most 10000 (the newest) a call")
    repaired: int = Field(description="Of these; the others stay in quarantine")
    points: list[RepairedPoint] = Field(description="The newest 200 that were repaired, with what they had been")
