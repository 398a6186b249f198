"""The five actors of a whole service crash at random while samples come in: none is lost, nothing else stops."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, Final

import numpy as np
import pytest
import trio

from actors.messages import Analyze, Found, InsightChanged, QuarantinedError, Record, Sweep
from gateway.client import HttpClient
from gateway.service import Service
from storage.memory import MemoryTier
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive
from tests.fakes.composed_service import HOUR_MS, archived, mailbox_of, restarts, running, until
from tests.fakes.records import finding, insight

ACTORS: Final = ("recorder", "persister", "insight_generator", "pattern_analyzer", "notifier")
CRASHES: Final = 3  # of each actor: fewer than make its supervisor give it up
CHANCE: Final = 0.1  # that one call crashes


class Sabotage(Exception):
    """What the crashes are made of."""


@dataclass
class Chaos:
    """Crashes calls on behalf of an actor, before or after they have done what they do."""

    rng: random.Random
    left: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(ACTORS, CRASHES)))

    def strike(self, actor: str) -> None:
        if self.left[actor] and self.rng.random() < CHANCE:
            self.left[actor] -= 1
            raise Sabotage(actor)

    def in_handler(self, service: Service, actor: str) -> None:
        """Around every message of the actor."""
        mailbox = mailbox_of(service, actor)
        handle = mailbox._handle

        async def chaotic(handler: Callable[[Any], Awaitable[None]]) -> None:
            async def struck(message: Any) -> None:
                self.strike(actor)
                await handler(message)
                self.strike(actor)

            await handle(struck)

        mailbox._handle = chaotic  # type: ignore[method-assign]

    def in_work(self, monkeypatch: pytest.MonkeyPatch, actor: str, owner: object, name: str) -> None:
        """In the midst of what it does."""
        original = getattr(owner, name)

        def struck(*args: Any, **kw: Any) -> Any:
            self.strike(actor)
            result = original(*args, **kw)
            self.strike(actor)
            return result

        async def struck_async(*args: Any, **kw: Any) -> Any:
            self.strike(actor)
            result = await original(*args, **kw)
            self.strike(actor)
            return result

        monkeypatch.setattr(owner, name, struck_async if iscoroutinefunction(original) else struck)

    @property
    def is_over(self) -> bool:
        return not any(self.left.values())


@dataclass
class Commits:
    """What the persister took out of memory and then called durable: (after, up to), in sequence numbers."""

    taken: tuple[int, int] = (0, 0)
    stored: list[tuple[int, int]] = field(default_factory=list)

    def watch(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        memory, progress = service.backend.memory, service.backend.progress
        since, advance = memory.since, progress.advance

        def watched_since(seq: int, max_samples: int) -> tuple[list[SeriesPart], int]:
            parts, up_to = since(seq, max_samples)
            self.taken = (seq, up_to)
            return parts, up_to

        def watched_advance(seq: int) -> None:
            assert seq == self.taken[1]
            self.stored.append(self.taken)
            advance(seq)

        monkeypatch.setattr(memory, "since", watched_since)
        monkeypatch.setattr(progress, "advance", watched_advance)


async def send_straight(service: Service, accepted: dict[str, list[float]], seqs: list[int], over: trio.Event) -> None:
    """Batches of two metrics through the recorder's mailbox."""
    last_ms = service.backend.wall_ms()
    while not over.is_set():
        last_ms = max(last_ms + 3, service.backend.wall_ms())
        times = np.arange(last_ms - 2, last_ms + 1)
        first = len(accepted["straight.a"])
        values = np.arange(first, first + 3, dtype=float)
        message = Record(tuple(SeriesPart(name, times, values) for name in ("straight.a", "straight.b")))
        await service.backend.record_mailbox.put(message)
        answer = await message.reply.wait()
        assert [done.rejected for done in answer.parts] == [(), ()]
        seqs.append(answer.seq)
        for part in message.parts:
            accepted[part.name] += part.values.tolist()
        await trio.sleep(0.003)


async def send_by_rest(
    service: Service, port: int, accepted: dict[str, list[float]], busy: list[int], over: trio.Event
) -> None:
    """Batches through the gateway; one that is refused as a whole for now (503) is sent again."""
    last_ms = service.backend.wall_ms()
    async with HttpClient(f"http://127.0.0.1:{port}") as client:
        while not over.is_set():
            last_ms = max(last_ms + 4, service.backend.wall_ms())
            first = len(accepted["rest"])
            samples = [
                {"metric_name": "rest", "value": first + n, "timestamp": (last_ms - 3 + n) / 1000} for n in range(4)
            ]
            body = json.dumps({"samples": samples}).encode()
            while (answer := await client.request("POST", "/api/analytics/metrics/batch", body)).status == 503:
                busy.append(answer.status)
                await trio.sleep(0.05)
            assert answer.status == 200, answer
            counts = json.loads(answer.body)
            assert (counts["accepted"] + counts["duplicates"], counts["rejected"]) == (4, 0), counts
            accepted["rest"] += [float(first + n) for n in range(4)]
            await trio.sleep(0.003)


async def stir(service: Service, over: trio.Event) -> None:
    """Work for the analysers and the notifier."""
    backend, number = service.backend, 0
    while not over.is_set():
        number += 1
        now_ms = backend.wall_ms()
        backend.insight_mailbox.put_nowait(Found((finding(f"stirred.{number % 3}", now_ms),)))
        backend.pattern_mailbox.put_nowait(Analyze())
        mailbox_of(service, "notifier").put_nowait(InsightChanged(insight(f"{number}", now_ms), is_new=True))
        if number % 20 == 0:
            sweep = Sweep()
            await backend.insight_mailbox.put(sweep)
            try:
                await sweep.reply.wait()
            except QuarantinedError:
                assert mailbox_of(service, "insight_generator").statistics().quarantined
        await trio.sleep(0.005)


def numbers(memory: MemoryTier) -> list[int]:
    """The sequence numbers under which memory holds samples."""
    found: list[int] = []
    seq = 0
    while seq < memory.last_seq:
        parts, seq = memory.since(seq, 1)
        if parts:
            found.append(seq)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_crashes_lose_no_sample_and_stop_nothing_else(seed, tmp_path, monkeypatch):
    chaos = Chaos(random.Random(seed))
    commits = Commits()
    accepted: dict[str, list[float]] = {"straight.a": [], "straight.b": [], "rest": []}
    seqs: list[int] = []
    busy: list[int] = []
    ports: list[int] = []
    over = trio.Event()
    async with running(tmp_path, listening=ports.append) as service:
        backend = service.backend
        memory = backend.memory
        await until(lambda: backend.progress.state == "on")
        commits.watch(service, monkeypatch)
        for actor in ACTORS:
            chaos.in_handler(service, actor)
        chaos.in_work(monkeypatch, "recorder", memory, "append")
        chaos.in_work(monkeypatch, "persister", memory, "since")
        chaos.in_work(monkeypatch, "persister", SqliteArchive, "append")
        chaos.in_work(monkeypatch, "insight_generator", backend.book, "open_insight")
        chaos.in_work(monkeypatch, "pattern_analyzer", backend.history, "names")
        chaos.in_work(monkeypatch, "notifier", backend.hub, "publish")
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send_straight, service, accepted, seqs, over)
                nursery.start_soon(send_by_rest, service, ports[0], accepted, busy, over)
                nursery.start_soon(stir, service, over)
                await until(lambda: chaos.is_over)
                goal = len(seqs) + 20
                await until(lambda: len(seqs) > goal)
                over.set()
            await until(lambda: backend.progress.persisted_up_to >= memory.last_seq)
        note = f"seed {seed}; restarts {restarts(service)}"
        for name, values in accepted.items():
            assert memory.window(name, 0, backend.wall_ms() + HOUR_MS).values.tolist() == values, (name, note)
            assert await archived(service, name) == values, (name, note)
        # Recorder to persister: each commit begins where the one before ended, up to the last number.
        ends = [0, *(up_to for _, up_to in commits.stored)]
        assert [after for after, _ in commits.stored] == ends[:-1], note
        assert ends[-1] == memory.last_seq, note
        assert seqs == sorted(set(seqs)), note
        # A number without samples is an attempt that crashed, whose samples came again under a later one.
        skipped = memory.last_seq - len(numbers(memory))
        assert skipped <= CRASHES, note
        again = restarts(service)
        assert all(again[actor] >= 1 for actor in ACTORS), note
        assert {name for name, count in again.items() if count} == set(ACTORS), note
        await until(lambda: {health.state for health in backend.board.snapshot().values()} == {"running"})
