"""What lies in the archive."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from .base import Answered, Asked, UnixSeconds

BytesPerDay = Annotated[FiniteFloat | None, Field(description="null: too short a time, or too few samples, to tell")]


class StorageQuery(Asked):
    limit: int = Field(1000, ge=1, le=100_000, description="Most metrics to list, those that take most first")


class StoredSpan(Answered):
    resolution: Literal["raw", "1m", "1h"] = Field(description="raw: every sample; else buckets of that width")
    samples: int = Field(description="Samples it stands for")
    bytes: int
    start: UnixSeconds = Field(description="Of the oldest; where metrics share a block, of the block's oldest")
    end: UnixSeconds


class StoredMetric(Answered):
    name: str
    samples: int
    bytes: int
    bytes_per_sample: FiniteFloat
    bytes_per_day: BytesPerDay
    share: FiniteFloat = Field(ge=0, le=1, description="Of the bytes of all metrics")
    resolutions: list[StoredSpan] = Field(description="Coarsest, that is oldest, first")
    days_until_thinning: FiniteFloat | None = Field(
        description="Until its oldest samples become buckets, at the rate all metrics come in now; null: never"
    )


class StorageFile(Answered):
    size_bytes: int = Field(description="File and write-ahead log")
    used_bytes: int = Field(description="In pages of the file that hold something")
    free_bytes: int = Field(description="In the file, to be used again")
    budget_bytes: int | None = Field(description="File and write-ahead log never pass it")
    thinning_from_bytes: int | None = Field(description="Past it the oldest samples are thinned")


class StorageResponse(Answered):
    persistence: Literal["off", "starting", "on", "degraded"]
    complete: bool = Field(description="false: the archive can't be asked; incomplete_reason says why")
    incomplete_reason: str | None
    file: StorageFile | None
    total_metrics: int
    total_samples: int
    bytes_per_day: FiniteFloat | None = Field(description="Of all metrics' samples as they come")
    raw_since: UnixSeconds | None = Field(description="From here on every sample is there as it came")
    retention_days: FiniteFloat
    days_until_thinning: FiniteFloat | None = Field(description="At the rate of bytes_per_day; null: never")
    written_bytes: int | None = Field(
        description="This process has caused so many to be written to the device; null: persistence is off"
    )
    written_bytes_per_day: BytesPerDay
    unpacked_samples: int = Field(description="In the journal, waiting to be packed")
    damaged: list[str] = Field(description="What was found damaged since the file was opened, and is left out")
    metrics: list[StoredMetric]
    generated_at: UnixSeconds
