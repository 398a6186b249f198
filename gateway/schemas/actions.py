"""Device actions: what is asked and answered. A client never sends a command, only the id of a recommendation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .base import Answered, UnixSeconds

Phase = Literal[
    "proposed",
    "confirmed",
    "sending",
    "succeeded",
    "rejected",
    "failed_before_send",
    "unknown",
    "reconciled",
    "cancelled",
    "expired",
]


class ActionRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    recommendation_id: str = Field(min_length=1, max_length=400)
    confirm: bool = Field(
        default=False, description="An amber one was held to confirm, its consequence having been shown"
    )


class RecommendationResponse(Answered):
    recommendation_id: str
    insight_id: str
    insight_title: str
    text: str
    entity_id: str
    entity_name: str
    template: str
    risk: Literal["green", "amber"]
    consequence: str = Field(description="What is confirmed, in words")
    helped: int = Field(description="How often an action on this rule's advice helped")
    measured: int = Field(description="Of so many whose effect is known")


class RecommendationsResponse(Answered):
    total: int
    recommendations: list[RecommendationResponse]
    core: Literal["none", "reachable", "unreachable"]
    reason: str | None


class ActionResponse(Answered):
    action_id: str
    recommendation_id: str
    insight_id: str
    metric: str | None
    template: str
    entity_id: str
    entity_name: str
    risk: Literal["green", "amber"]
    state: Phase
    created_at: UnixSeconds
    changed_at: UnixSeconds
    expires_at: UnixSeconds = Field(description="Later than that nothing is sent")
    undo_until: UnixSeconds | None = Field(description="Of a green one that waits: sent then, taken back until then")
    by: str
    needs_confirmation: bool
    consequence: str | None
    reason: str | None
    effect_seen: bool | None = Field(description="Of a reconciled one: whether the entity's state is what was wanted")
    effect: str | None = Field(description="What the metric did afterwards")
    helped: bool | None
    persisted: bool


class ActionsResponse(Answered):
    total: int
    actions: list[ActionResponse] = Field(description="Newest first")
    persisted: bool


class JournalEntry(Answered):
    seq: int
    action_id: str
    state: str
    at: UnixSeconds
    body: dict[str, Any]
    hash: str = Field(description="SHA-256 over the hash before and this entry")


class AuditResponse(Answered):
    verified: bool
    entries: int
    broken_at: int | None
    reason: str | None
    last_hash: str
    journal: list[JournalEntry] = Field(description="Newest first, at most 200")
    persisted: bool
