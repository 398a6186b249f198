"""The models of the REST interface under the seed's names, one topic a file.

`schemas.trends.TrendsQuery`: a topic, and Pydantic with it, is imported when one of its models is first asked for.
None is needed for the start, and together they are a fifth of it and a tenth of the idle process. The first request
that reads a query or a body by a model awaits `loaded`: a thread imports, so that nobody else has to wait.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from . import (
        actions,
        aggregation,
        backup,
        base,
        dashboard,
        historical,
        insights,
        kpis,
        metrics,
        notifications,
        personal,
        quarantine,
        status,
        storage,
        thresholds,
        trends,
    )

__all__ = [
    "actions",
    "aggregation",
    "backup",
    "base",
    "dashboard",
    "historical",
    "insights",
    "kpis",
    "metrics",
    "notifications",
    "personal",
    "quarantine",
    "status",
    "storage",
    "thresholds",
    "trends",
]

_is_loaded = False


def __getattr__(name: str) -> Any:
    """A topic (PEP 562). Raises AttributeError: there is none of that name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f".{name}", __name__)


async def loaded() -> None:
    """Return once every topic is imported: the first time that takes a quarter of a second, in a thread."""
    global _is_loaded
    if _is_loaded:
        await trio.lowlevel.checkpoint()
        return
    await trio.to_thread.run_sync(_load)
    _is_loaded = True


def _load() -> None:
    for name in __all__:
        import_module(f".{name}", __name__)
