"""The whole service in this process: actors crash, a clock jumps, and nothing else stops."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import trio

from actors import pattern_analyzer
from actors.messages import Analyze, Found, InsightChanged, Record, StatusChanged, Sweep
from gateway.client import HttpClient
from gateway.service import Service, wall_ms
from storage.models import SeriesPart
from tests.fakes.composed_service import HOUR_MS, Saboteur, archived, feed, mailbox_of, record, restarts, running, until
from tests.fakes.records import finding, insight

YEAR_MS = 365 * 86_400_000


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


async def poison(victim: str, service: Service, monkeypatch: pytest.MonkeyPatch) -> Saboteur:
    """A message that crashes `victim` each time, and right behind it one that does not."""
    backend, now_ms = service.backend, service.backend.wall_ms()
    trouble = Saboteur(1_000_000)
    match victim:
        case "insight_generator":
            trouble.applies = lambda key, now_ms: "poison" in key
            trouble.wrap(monkeypatch, backend.book, "open_insight")
            backend.insight_mailbox.put_nowait(Found((finding("poison", now_ms),)))
            backend.insight_mailbox.put_nowait(Found((finding("healthy", now_ms),)))
        case "pattern_analyzer":  # all its messages are alike: the first is the poison, by what it meets
            trouble.applies = lambda *args: not backend.pattern_mailbox.statistics().quarantined
            trouble.wrap(monkeypatch, pattern_analyzer, "read_series")
            backend.pattern_mailbox.put_nowait(Analyze())
            await until(lambda: trouble.left < 1_000_000)
            backend.pattern_mailbox.put_nowait(Analyze())
        case "notifier":
            mailbox = mailbox_of(service, "notifier")
            trouble.applies = lambda topic, data, **kw: "poison" in str(data)
            trouble.wrap(monkeypatch, backend.hub, "publish")
            mailbox.put_nowait(InsightChanged(insight("poison", now_ms), is_new=True))
            mailbox.put_nowait(StatusChanged("healthy", "on", None))
    return trouble


@pytest.mark.parametrize("victim", ["insight_generator", "pattern_analyzer", "notifier"])
async def test_a_poisoned_message_is_put_aside_and_its_actor_goes_on(victim, tmp_path, monkeypatch):
    ports: list[int] = []
    async with running(tmp_path, listening=ports.append) as service:
        backend = service.backend
        await until(lambda: backend.progress.state == "on")
        sent: list[float] = []
        stop = trio.Event()
        with backend.hub.subscribe() as dashboard:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed, service, sent, stop)
                trouble = await poison(victim, service, monkeypatch)
                await until(lambda: in_mailbox(service, victim).quarantined == 1)
                await until(lambda: in_mailbox(service, victim).handled >= 1 and in_mailbox(service, victim).depth == 0)
                goal = len(sent) + 50
                await until(lambda: len(sent) > goal)
                stop.set()
            told = str(await dashboard.receive())
        assert 1_000_000 - trouble.left == 3  # three attempts, and never again
        match victim:
            case "insight_generator":
                assert [each.metric for each in backend.book.open_insights(backend.wall_ms())] == ["healthy"]
            case "notifier":
                assert "healthy" in told
                assert "poison" not in told
        await until(lambda: backend.progress.persisted_up_to >= backend.memory.last_seq)
        assert await archived(service, "steady") == sent
        assert {name for name, count in restarts(service).items() if count} == {victim}
        async with HttpClient(f"http://127.0.0.1:{ports[0]}") as client:
            with trio.fail_after(10):
                health = json.loads((await client.request("GET", "/healthz")).body)
        (shown,) = health["checks"][f"actor:{victim}"]
        assert shown["state"] == "running"
        assert shown["mailbox"]["quarantined"] == 1
        assert shown["mailbox"]["failures"] == shown["restarts"] == 3
        assert "sabotage" in shown["last_error"]


def in_mailbox(service: Service, name: str) -> Any:
    return mailbox_of(service, name).statistics()


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
