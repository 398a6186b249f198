"""Children that play a script, and a journal of what happened to them when."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import trio
import trio.testing

from actors.health import HealthBoard
from actors.supervisor import ChildSpec, Supervisor

Clock = trio.testing.MockClock
Act = Callable[[], Awaitable[None]]


class Journal(list[tuple[float, str]]):
    """What happened when, in seconds from the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.begin_s = trio.current_time()

    def note(self, what: str) -> None:
        self.append((round(trio.current_time() - self.begin_s, 3), what))

    def times(self, what: str) -> list[float]:
        return [at for at, noted in self if noted == what]

    def names(self) -> list[str]:
        return [what for _, what in self]


def fake(
    name: str,
    journal: Journal,
    lives: Iterable[Act | BaseException | None] = (),
    *,
    ready_after: float = 0,
    rest: Act = trio.sleep_forever,
    **options: Any,
) -> ChildSpec:
    """A child that plays one of `lives` each time (an error to raise, an act, None to return), then `rest`."""
    script = itertools.chain(lives, itertools.repeat(rest))

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        journal.note(f"{name} starts")
        try:
            await trio.sleep(ready_after)
            life = next(script)
            if isinstance(life, BaseException):
                raise life
            task_status.started()
            journal.note(f"{name} ready")
            if life is not None:
                await life()
        finally:
            journal.note(f"{name} ends")

    return ChildSpec(name=name, run=run, **{"jitter": 0.0, **options})


def after(seconds: float, failure: BaseException | None = None) -> Act:
    """Live for a while, then raise (a fresh one each time: tracebacks grow) or return."""

    async def act() -> None:
        await trio.sleep(seconds)
        if isinstance(failure, BaseExceptionGroup):
            raise failure
        if failure is not None:
            raise type(failure)(*failure.args)

    return act


def error(text: str = "boom") -> ValueError:
    return ValueError(text)


def board() -> HealthBoard:
    return HealthBoard(lambda: round(trio.current_time() * 1000))


async def run_for(supervisor: Supervisor, seconds: float) -> None:
    """Run, and after a while ask for an orderly stop."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.run)
        await trio.sleep(seconds)
        supervisor.shut_down()
