"""The models of the REST interface under the seed's names, one topic a file.

`schemas.trends.TrendsQuery`: a topic, and Pydantic with it, is imported when one of its models is first asked for.
None is needed for the start, and together they are a fifth of it and a tenth of the idle process. The first request
that reads a query or a body by a model awaits `loaded`: a thread imports, so that nobody else has to wait.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final

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


def __getattr__(name: str) -> Any:
    """A topic (PEP 562). Raises AttributeError: there is none of that name."""
    if name not in _topics():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f".{name}", __name__)


async def loaded() -> None:
    """Return once every topic is imported: the first time that takes a quarter of a second, in a thread."""
    if _LOADED:
        await trio.lowlevel.checkpoint()
        return
    await trio.to_thread.run_sync(_load)
    _LOADED.append(True)


def _load() -> None:
    for name in _topics():
        import_module(f".{name}", __name__)


@cache
def _topics() -> frozenset[str]:
    return frozenset(each.name for each in iter_modules(__path__))


_LOADED: Final[list[bool]] = []
