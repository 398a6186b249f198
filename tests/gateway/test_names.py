"""Which metrics an answer is about, and in which order it is cut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import trio

from gateway.names import choose


class Stored:
    async def names(self) -> list[str]:
        await trio.lowlevel.checkpoint()
        return ["a", "b", "c", "d", "e"]


def backend() -> Any:
    return SimpleNamespace(
        memory=SimpleNamespace(names=lambda: ["c", "d"]),
        history=Stored(),
        book=SimpleNamespace(open_insights=lambda now_ms: [SimpleNamespace(metric="d"), SimpleNamespace(metric=None)]),
        wall_ms=lambda: 0,
    )


async def test_those_asked_for() -> None:
    chosen = await choose(backend(), ["z", "a", "y"], 2)
    assert (chosen.names, chosen.total, chosen.truncated) == (["z", "a"], 3, True)
    assert not (await choose(backend(), [], 2)).truncated


async def test_all_of_them_the_noted_and_the_living_first() -> None:
    chosen = await choose(backend(), None, 4)
    assert (chosen.names, chosen.total, chosen.truncated) == (["d", "c", "a", "b"], 5, True)
    assert not (await choose(backend(), None, 5)).truncated
