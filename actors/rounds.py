"""Rounds: what an actor does that handles messages and, every so often, looks at everything by itself.

Owns the timer and the lock of both analysers. Promises: one round at a time, whoever asks for it; the next one by the
clock begins `interval_s` after the last one ended, and the first one a minute after the start, when the tiers are read
back (sooner, where the interval is shorter); an error in either way is the actor's error; when the mailbox is
closed and drained the timer ends with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import trio

from .mailbox import Mailbox

M = TypeVar("M")
Result = TypeVar("Result")

FIRST_S: Final = 60.0


class Rounds(Generic[M, Result]):
    """`handle` takes one message of `mailbox`; `look` is one round. A handler that wants a round calls `make`.

    `wanted`: asked before each round by the clock, which is left out on a no.
    """

    def __init__(
        self,
        mailbox: Mailbox[M],
        *,
        handle: Callable[[M], Awaitable[None]],
        look: Callable[[], Awaitable[Result]],
        interval_s: float,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._mailbox = mailbox
        self._handle = handle
        self._look = look
        self._interval_s = interval_s
        self._wanted = wanted
        self._looking = trio.Lock()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until the mailbox is closed and empty. Has a child's signature."""
        self._looking = trio.Lock()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._now_and_then)
            task_status.started()
            await self._mailbox.run(self._handle)
            nursery.cancel_scope.cancel("the mailbox is closed and empty")

    async def make(self) -> Result:
        """A round now, or as soon as the one that goes on has ended."""
        async with self._looking:
            return await self._look()

    async def _now_and_then(self) -> None:
        await trio.sleep(min(FIRST_S, self._interval_s))
        while True:
            if self._wanted():
                await self.make()
            await trio.sleep(self._interval_s)
