"""KPIs: what a person defines, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from .base import Answered, UnixSeconds

EXPRESSION = 'As first("role:battery_soc", "night") - last("role:battery_soc", "night"): see the list\'s description'


class KpiCheckRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, str_strip_whitespace=True)

    expression: Annotated[str, Field(min_length=1, max_length=500, description=EXPRESSION)]
    unit: str | None = Field(
        default=None, max_length=16, description="Checked against what the expression works out to"
    )


class KpiRequest(KpiCheckRequest):
    name: str = Field(min_length=1, max_length=120)
    target_low: FiniteFloat | None = None
    target_high: FiniteFloat | None = None
    description: str | None = Field(default=None, max_length=500)


class KpiCreateRequest(KpiRequest):
    id: str = Field(pattern="^[a-z][a-z0-9_]{0,63}$", description="The value is recorded as the metric kpi.<id>")

    def body(self) -> dict[str, Any]:
        return self.model_dump(exclude={"id"})


class KpiResponse(Answered):
    id: str
    name: str
    expression: str
    unit: str | None = Field(description="Empty: a plain number; null: not known")
    target_low: FiniteFloat | None
    target_high: FiniteFloat | None
    description: str | None
    metric: str = Field(description="Under which its values are recorded")
    shipped: bool = Field(description="From conf/kpis.yaml; PUT puts one's own in its place, DELETE brings it back")
    value: FiniteFloat | None = Field(description="null: not known (yet, or for lack of samples)")
    computed_at: UnixSeconds | None
    target_met: bool | None
    etag: str | None = Field(description="null: shipped, and as it came")
    persisted: bool


class KpisResponse(Answered):
    total: int
    kpis: list[KpiResponse]
    persisted: bool


class KpiCheckResponse(Answered):
    unit: str | None
    value: FiniteFloat | None
    metrics: list[str] = Field(description="It reads these; a role without a metric is left out")
    missing: list[str] = Field(description="Metrics and roles of the expression of which nothing was recorded yet")
