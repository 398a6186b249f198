"""Notifications: a test message, and what became of messages."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .base import Answered, Severity, UnixSeconds


class TestSendRequest(BaseModel):
    """To one channel of one's own preferences."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    channel_id: str = Field(min_length=1, max_length=64)


class TestSendResponse(Answered):
    success: bool
    message: str


class Delivery(Answered):
    message_id: str
    channel_id: str
    title: str
    severity: Severity
    count: int = Field(description="Of how many things it tells")
    state: Literal["waiting", "sent", "merged", "failed"] = Field(description="merged: it went with another message")
    created_at: UnixSeconds
    next_try_at: UnixSeconds | None
    done_at: UnixSeconds | None
    attempts: int
    error: str | None


class DeliveriesResponse(Answered):
    total: int
    deliveries: list[Delivery] = Field(description="Newest first")
    persisted: bool
