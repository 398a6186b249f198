"""Backups."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from .base import Answered, UnixSeconds

FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class BackupRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    name: str | None = Field(None, pattern=FILE_NAME, description="Name of the file, without any directory")


class BackupResponse(Answered):
    success: bool
    message: str
    path: str = Field(description="Where the backup lies, on the computer that runs the service")
    size_bytes: int
    created_at: UnixSeconds
