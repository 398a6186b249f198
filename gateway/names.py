"""Which metrics an answer is about: those asked for, or all; bounded, so that no question is too large to
answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import trio
from msgspec import Struct

from .backend import Backend
from .problems import Problem, printable


class Chosen(Struct, frozen=True):
    """`names`: at most the limit. `total`: how many match."""

    names: list[str]
    total: int

    @property
    def truncated(self) -> bool:
        return self.total > len(self.names)


async def choose(backend: Backend, asked: Sequence[str] | None, limit: int) -> Chosen:
    """The metrics asked for, in that order and known or not; without any, all that memory and archive hold.

    All of them: those with an open insight first, then those in memory, then by name, so that a cut costs the
    least.
    """
    if asked is not None:
        await trio.lowlevel.checkpoint()
        return Chosen(list(asked[:limit]), len(asked))
    live = set(backend.memory.names())
    noted = {each.metric for each in backend.book.open_insights(backend.wall_ms())}
    names = sorted(
        {*live, *await backend.history.names()}, key=lambda name: (name not in noted, name not in live, name)
    )
    return Chosen(names[:limit], len(names))


async def check_known(backend: Backend, names: Iterable[str]) -> None:
    """Raises Problem 404 for the first that neither memory nor archive knows."""
    await trio.lowlevel.checkpoint()
    strange = [name for name in names if backend.memory.info(name) is None]
    known = set(await backend.history.names()) if strange else ()
    for name in strange:
        if name not in known:
            raise Problem(404, f"No metric is called {printable(name)}")
