"""The whole service in this process: actors crash, a clock jumps, and nothing else stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trio

from actors.messages import Analyze, Record, Recorded, Sweep
from conf.flags import FeatureFlags
from conf.loader import load_catalogue, load_flags, load_rules
from conf.settings import Settings
from gateway.server import open_listening_socket
from gateway.service import Service, wall_ms
from storage.models import SeriesPart

YEAR_MS = 365 * 86_400_000
HOUR_MS = 3_600_000
CATALOGUE = load_catalogue()
RULES = load_rules()


@asynccontextmanager
async def running(
    folder: Path, *, persistence: bool = True, wall: Callable[[], int] = wall_ms, **settings: object
) -> AsyncIterator[Service]:
    """A service that is ready, on a free port; stopped in order at the end."""
    some = replace(
        Settings(), persistence=persistence, db_path=folder / "analytics.db", flush_interval_s=0.05, **settings
    )
    flags: FeatureFlags = load_flags(some)
    with open_listening_socket("127.0.0.1", 0) as listener:
        service = Service(some, flags, catalogue=CATALOGUE, rules=RULES, listener=listener, wall_ms=wall)
        async with trio.open_nursery() as nursery:
            await nursery.start(service.supervisor.run)
            try:
                yield service
            finally:
                service.supervisor.shut_down()


async def record(service: Service, name: str, value: float, at_ms: int | None = None) -> Recorded:
    at_ms = service.backend.wall_ms() if at_ms is None else at_ms
    message = Record((SeriesPart(name, np.array([at_ms]), np.array([value])),))
    with trio.fail_after(5):
        await service.backend.record_mailbox.put(message)
        return await message.reply.wait()


async def until(what: Callable[[], bool]) -> None:
    with trio.fail_after(10):
        while not what():
            await trio.sleep(0.01)


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


@pytest.mark.parametrize("victim", ["recorder", "persister", "insight_generator", "pattern_analyzer", "notifier"])
async def test_a_crash_of_one_actor_stops_nobody_else(victim, tmp_path, monkeypatch):
    async with running(tmp_path) as service:
        backend = service.backend
        await until(lambda: backend.progress.state == "on")
        sent: list[float] = []
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed, service, sent, stop)
            await until(lambda: len(sent) > 20)
            trouble = Saboteur(2)
            match victim:
                case "recorder":
                    trouble.applies = lambda part, **kw: part.name == "steady"
                    trouble.wrap(monkeypatch, backend.memory, "append")
                case "persister":
                    trouble.wrap(monkeypatch, backend.memory, "since")
                case "insight_generator":
                    trouble.wrap(monkeypatch, backend.book, "open_insights")
                    await backend.insight_mailbox.put(Sweep())
                case "pattern_analyzer":
                    trouble.wrap(monkeypatch, backend.history, "names")
                    backend.pattern_mailbox.put_nowait(Analyze())
                case "notifier":
                    trouble.applies = lambda topic, data, **kw: topic in ("insight", "alert")
                    trouble.wrap(monkeypatch, backend.hub, "publish")
                    now_ms = backend.wall_ms()
                    for n in range(90):  # longer than the catalogue lets a door stand open
                        await record(service, "refrigerator.temperature", 20.0 + n % 2, now_ms - 900_000 + n * 10_000)
            await until(lambda: trouble.left == 0 and restarts(service)[victim] >= 1)
            goal = len(sent) + 100
            await until(lambda: len(sent) > goal)
            stop.set()
        await until(lambda: backend.progress.persisted_up_to >= backend.memory.last_seq)
        assert backend.memory.window("steady", 0, backend.wall_ms() + HOUR_MS).values.tolist() == sent
        assert await archived(service, "steady") == sent
        others = {name: count for name, count in restarts(service).items() if name != victim}
        assert not any(others.values()), others
        await until(lambda: backend.board.snapshot()[victim].state in ("running", "degraded"))


async def test_a_poisoned_sample_is_put_aside_alone(tmp_path, monkeypatch):
    async with running(tmp_path) as service:
        backend = service.backend
        await until(lambda: backend.progress.state == "on")
        poison = Saboteur(1_000_000, lambda part, **kw: part.name == "poison" and 666.0 in part.values)
        poison.wrap(monkeypatch, backend.memory, "append")
        now_ms = backend.wall_ms()
        parts = (
            SeriesPart("before", np.array([now_ms]), np.array([1.0])),
            SeriesPart("poison", np.arange(now_ms - 3, now_ms + 1), np.array([1.0, 666.0, 2.0, 3.0])),
            SeriesPart("after", np.array([now_ms]), np.array([2.0])),
        )
        message = Record(parts)
        with trio.fail_after(10):
            await backend.record_mailbox.put(message)
            answer = await message.reply.wait()
        assert [done.accepted + done.duplicates for done in answer.parts] == [1, 3, 1]
        assert [index for index, _ in answer.parts[1].rejected] == [1]
        assert backend.memory.window("poison", 0, now_ms + 1).values.tolist() == [1.0, 2.0, 3.0]
        assert backend.board.snapshot()["recorder"].mailbox.quarantined == 1
        await record(service, "later", 5.0)


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, 5 * YEAR_MS])
async def test_a_clock_that_jumps_purges_nothing(jump_ms, tmp_path):
    offset_ms = 0

    def jumping() -> int:
        return wall_ms() + offset_ms

    async with running(tmp_path, wall=jumping, cleanup_interval_s=1.0) as service:
        backend = service.backend
        await until(lambda: backend.progress.state == "on")
        for n in range(50):
            await record(service, "steady", float(n), jumping() - 1000 + n)
        offset_ms = jump_ms
        for n in range(50):
            await record(service, "steady", float(100 + n), jumping() + n)
        await until(lambda: backend.progress.persisted_up_to >= backend.memory.last_seq)
        backend.memory.evict(service.clock.horizon_ms(), backend.progress.persisted_up_to)
        await trio.sleep(1.5)  # the persister's cleanup has been due since
        assert backend.memory.status().samples == 100
        archive = backend.history.archive
        assert archive is not None
        assert len((await archive.window(["steady"], 0, 10 * YEAR_MS * 10))["steady"]) == 100
