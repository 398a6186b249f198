"""The whole service in this process, and what tests need to sabotage it and to look into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio

from actors.mailbox import Mailbox
from actors.messages import Record, Recorded
from conf.flags import FeatureFlags
from conf.loader import load_catalogue, load_flags, load_rules
from conf.settings import Settings
from gateway.server import open_listening_socket
from gateway.service import Service, wall_ms
from storage.models import SeriesPart

HOUR_MS = 3_600_000
CATALOGUE = load_catalogue()
RULES = load_rules()


@asynccontextmanager
async def running(
    folder: Path,
    *,
    persistence: bool = True,
    wall: Callable[[], int] = wall_ms,
    listening: Callable[[int], None] = lambda port: None,
    **settings: object,
) -> AsyncIterator[Service]:
    """A service that is ready, on a free port (`listening` hears which); stopped in order at the end."""
    some = replace(
        Settings(), persistence=persistence, db_path=folder / "analytics.db", flush_interval_s=0.05, **settings
    )
    flags: FeatureFlags = load_flags(some)
    with open_listening_socket("127.0.0.1", 0) as listener:
        listening(listener.getsockname()[1])
        service = Service(some, flags, catalogue=CATALOGUE, rules=RULES, listener=listener, wall_ms=wall)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(service.supervisor.run)
                try:
                    yield service
                finally:
                    service.supervisor.shut_down()
        finally:
            await service.aclose()


async def record(service: Service, name: str, value: float, at_ms: int | None = None) -> Recorded:
    at_ms = service.backend.wall_ms() if at_ms is None else at_ms
    message = Record((SeriesPart(name, np.array([at_ms]), np.array([value])),))
    with trio.fail_after(5):
        await service.backend.record_mailbox.put(message)
        return await message.reply.wait()


async def until(what: Callable[[], bool]) -> None:
    with trio.fail_after(30):
        while not what():
            await trio.sleep(0.01)


def mailbox_of(service: Service, name: str) -> Mailbox[Any]:
    """The mailbox of an actor, which survives all its lives."""
    (found,) = (spec.mailbox for spec in service.supervisor._specs if spec.name == name)
    assert found is not None
    return found


def restarts(service: Service) -> dict[str, int]:
    return {name: health.restarts for name, health in service.backend.board.snapshot().items()}


async def archived(service: Service, name: str) -> list[float]:
    archive = service.backend.history.archive
    assert archive is not None
    windows = await archive.window([name], 0, service.backend.wall_ms() + HOUR_MS)
    return windows[name].values.tolist() if name in windows else []


class Saboteur:
    """Replaces a function by one that fails for a while."""

    def __init__(self, times: int, applies: Callable[..., bool] = lambda *args, **kw: True) -> None:
        self.left = times
        self.applies = applies

    def wrap(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        original = getattr(owner, name)

        def failing(*args: object, **kw: object) -> object:
            if self.left and self.applies(*args, **kw):
                self.left -= 1
                raise RuntimeError("sabotage")
            return original(*args, **kw)

        monkeypatch.setattr(owner, name, failing)


async def feed(service: Service, sent: list[float], stop: trio.Event) -> None:
    """Samples one after the other, each with its own millisecond."""
    last_ms = 0
    while not stop.is_set():
        last_ms = max(last_ms + 1, service.backend.wall_ms())
        await record(service, "steady", float(len(sent)), last_ms)
        sent.append(float(len(sent)))
        await trio.sleep(0.002)
