"""Heavy computing off the event loop: at most two threads at a time, so that ingest keeps a core.

Each call is one plain function over values that nobody else changes. It cannot be cancelled: a request whose
client has gone ends when its function does, which is why every route bounds what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

import trio

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

THREADS: Final = 2
_LIMITER: Final[trio.lowlevel.RunVar[trio.CapacityLimiter]] = trio.lowlevel.RunVar("gateway_compute")


async def in_thread(function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """`function(*arguments)` in a worker thread, when one of ours is free."""
    try:
        limiter = _LIMITER.get()
    except LookupError:
        limiter = trio.CapacityLimiter(THREADS)
        _LIMITER.set(limiter)
    return await trio.to_thread.run_sync(function, *arguments, limiter=limiter)
