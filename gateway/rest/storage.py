"""GET /api/analytics/storage: what each metric takes on disk, how far back, and until when it fits."""

from __future__ import annotations

from typing import Any, Final

import trio
from quart import Response

from storage.archive import ArchiveError
from storage.budget import Budget
from storage.models import ArchiveStatus
from storage.usage import ArchiveUse, MetricUse
from storage.wear import written_bytes

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..rounding import known, number
from ..routes import Route, json_response

DAY_S: Final = 86_400.0
SEEN_ENOUGH_S: Final = 60.0  # before that a rate per day is a guess
RESOLUTIONS: Final = {0: "raw", 60_000: "1m", 3_600_000: "1h"}


async def get_storage(backend: Backend, query: schemas.storage.StorageQuery) -> Response:
    await trio.lowlevel.checkpoint()
    archive = backend.history.archive
    status: ArchiveStatus | None = None
    use: ArchiveUse | None = None
    reason: str | None = None
    if archive is not None:
        try:
            status, use = await archive.status(), await archive.usage()
        except ArchiveError as error:
            reason = error.reason
    elif backend.progress.state in ("starting", "degraded"):
        reason = backend.progress.reason or "the archive is being opened"
    budget = Budget(status.budget_bytes) if status is not None and status.budget_bytes is not None else None
    days = use.days_until_thinning(budget, backend.settings.persistence_retention_days) if use is not None else None
    metrics = use.metrics if use is not None else ()
    total_bytes = sum(metric.bytes for metric in metrics)
    return json_response(
        {
            "persistence": backend.progress.state,
            "complete": reason is None,
            "incomplete_reason": reason,
            "file": None if status is None or use is None else _file(status, use, budget),
            "total_metrics": len(metrics),
            "total_samples": sum(metric.samples for metric in metrics),
            "bytes_per_day": None if use is None else number(use.bytes_per_day),
            "raw_since": None if use is None or use.raw_from_ms is None else use.raw_from_ms / 1000,
            "retention_days": backend.settings.persistence_retention_days,
            "days_until_thinning": number(days),
            **wear(backend),
            "unpacked_samples": 0 if use is None else use.journal_samples,
            "damaged": [] if use is None else list(use.damaged),
            "metrics": [_metric(metric, total_bytes, days) for metric in metrics[: query.limit]],
            "generated_at": backend.wall_ms() / 1000,
        }
    )


def wear(backend: Backend) -> dict[str, int | float | None]:
    """How much this process has written, and what that makes a day. None while history is not persisted: what the
    kernel counts then is no file of ours."""
    written = None if backend.progress.state == "off" else written_bytes()
    up_s = backend.uptime_s()
    per_day = None if written is None or up_s < SEEN_ENOUGH_S else number(written * DAY_S / up_s)
    return {"written_bytes": written, "written_bytes_per_day": per_day}


def _file(status: ArchiveStatus, use: ArchiveUse, budget: Budget | None) -> dict[str, Any]:
    return {
        "size_bytes": status.size_bytes,
        "used_bytes": use.used_bytes,
        "free_bytes": use.free_bytes,
        "budget_bytes": None if budget is None else budget.total,
        "thinning_from_bytes": None if budget is None else budget.soft,
    }


def _metric(metric: MetricUse, total_bytes: float, days: float | None) -> dict[str, Any]:
    return {
        "name": metric.name,
        "samples": metric.samples,
        "bytes": round(metric.bytes),
        "bytes_per_sample": known(metric.bytes / max(1, metric.samples)),
        "bytes_per_day": number(metric.bytes_per_day),
        "share": min(1.0, known(metric.bytes / total_bytes)) if total_bytes else 0.0,
        "resolutions": [
            {
                "resolution": RESOLUTIONS[span.step_ms],
                "samples": span.samples,
                "bytes": round(span.bytes),
                "start": span.first_ms / 1000,
                "end": span.last_ms / 1000,
            }
            for span in metric.spans
        ],
        "days_until_thinning": number(days),
    }


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/storage",
        handler=get_storage,
        summary="What lies on disk",
        description="""Per metric: samples, bytes, bytes a day, share, and at which resolution which age is kept.

The file never passes its budget (`STORAGE_BUDGET_MB`). Near it the oldest samples are thinned to buckets of a
minute (minimum, maximum, mean, count), the oldest of those to buckets of an hour, and the oldest of those go.
`days_until_thinning` reckons with the rate of the samples stored now. Of metrics that share a block the bytes
are split by samples. With persistence off the list is empty.""",
        tag="Service",
        query=lambda: schemas.storage.StorageQuery,
        answers=lambda: {
            200: Answer(
                "The archive",
                schemas.storage.StorageResponse,
                example={
                    "persistence": "on",
                    "complete": True,
                    "incomplete_reason": None,
                    "file": {
                        "size_bytes": 52428800,
                        "used_bytes": 50331648,
                        "free_bytes": 102400,
                        "budget_bytes": 100000000,
                        "thinning_from_bytes": 84600000,
                    },
                    "total_metrics": 1,
                    "total_samples": 2592000,
                    "bytes_per_day": 105000.0,
                    "raw_since": 1757408000.0,
                    "retention_days": 30.0,
                    "days_until_thinning": None,
                    "written_bytes": 12582912,
                    "written_bytes_per_day": 210000000.0,
                    "unpacked_samples": 3600,
                    "damaged": [],
                    "metrics": [
                        {
                            "name": "battery.house.voltage",
                            "samples": 2592000,
                            "bytes": 3145728,
                            "bytes_per_sample": 1.21,
                            "bytes_per_day": 105000.0,
                            "share": 1.0,
                            "resolutions": [
                                {
                                    "resolution": "raw",
                                    "samples": 2592000,
                                    "bytes": 3145728,
                                    "start": 1757408000.0,
                                    "end": 1760000000.0,
                                }
                            ],
                            "days_until_thinning": None,
                        }
                    ],
                    "generated_at": 1760000000.0,
                },
            ),
            **problems(404, 422, 500, details={404: "Analytics dashboard disabled", 422: "limit: must be 1 or more"}),
        },
        gated=True,
    ),
)
