"""The link to the core against a stand-in that behaves and misbehaves, on real sockets."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
import trio

from actors import core_link
from actors.core_link import NAME, CoreLink
from actors.health import HealthBoard
from actors.mailbox import Mailbox
from actors.messages import Pressure, Record, RecorderMessage
from gateway.demo.core import FakeCore

NOW_MS = 1_760_000_000_000


class House:
    """A link, what it recorded, and what health says of it."""

    def __init__(self, url: str, **options: Any) -> None:
        self.board = HealthBoard(lambda: NOW_MS)
        self.mailbox: Mailbox[RecorderMessage] = Mailbox("recorder", capacity=2, pressure=Pressure.BLOCK)
        self.link = CoreLink(
            url, recorder=self.mailbox, board=self.board, wall_ms=lambda: NOW_MS, jitter=lambda: 0.5, **options
        )
        self.latest: dict[str, float] = {}
        self.metadata: dict[str, str | None] = {}
        self.batches = 0
        self._heard = trio.Event()

    async def record(self, message: RecorderMessage) -> None:
        assert isinstance(message, Record)
        await trio.lowlevel.checkpoint()
        self.batches += 1
        for part in message.parts:
            assert np.all(np.isfinite(part.values))
            self.latest[part.name] = float(part.values[-1])
            if part.metadata is not None:
                self.metadata[part.name] = part.metadata
        heard, self._heard = self._heard, trio.Event()
        heard.set()

    async def until(self, what: Callable[[], bool]) -> None:
        with trio.fail_after(10):
            while not what():
                with trio.move_on_after(0.05):
                    await self._heard.wait()

    def state(self) -> tuple[str, str | None]:
        health = self.board.snapshot()[NAME]
        return health.state, health.degraded_reason

    @asynccontextmanager
    async def running(self, *, recording: bool = True) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            await nursery.start(self.link.run)
            self.board.note_state(NAME, "running")
            if recording:
                nursery.start_soon(self.mailbox.run, self.record)
            yield
            nursery.cancel_scope.cancel()


@pytest.fixture
async def core() -> AsyncIterator[FakeCore]:
    core = FakeCore()
    async with trio.open_nursery() as nursery:
        await nursery.start(core.run)
        yield core
        nursery.cancel_scope.cancel()


async def test_states_become_metrics_with_units(core: FakeCore) -> None:
    house = House(core.url)
    async with house.running():
        with trio.fail_after(5):
            await core.until_clients(1)
        await house.until(lambda: house.link.is_connected)
        assert house.state() == ("running", None)
        await core.tell("battery_1", {"value": {"voltage": "12.6 V"}, "state": "on", "timestamp": NOW_MS / 1000})
        await core.tell("tank_fresh", {"value": 62.5, "unit": "%"})
        await house.until(lambda: len(house.latest) == 3)
    assert house.latest == {"battery_1.voltage": 12.6, "battery_1.state": 1.0, "tank_fresh": 62.5}
    assert house.metadata == {
        "battery_1.voltage": '{"unit":"V","source":"coachiq"}',
        "tank_fresh": '{"unit":"%","source":"coachiq"}',
    }


GARBAGE = [
    "", "not json", "[]", "7", "null", '{"type":"entity_update"}', '{"type":"entity_update","data":[]}',
    '{"type":"entity_update","data":{"entity_id":7,"entity_data":{}}}', b"\xff\x00", "[" * 5_000,
    '{"type":"entity_update","data":{"entity_id":"e","entity_data":"x"}}',
    '{"type":"entity_update","data":{"entity_id":" "}}',
]  # fmt: skip


async def test_garbage_is_counted_and_survived(core: FakeCore) -> None:
    house = House(core.url)
    async with house.running():
        with trio.fail_after(5):
            await core.until_clients(1)
        for frame in GARBAGE:
            await core.send(frame)
        await core.send('{"type":"pong"}')
        await core.tell("e", {"value": 1})
        await house.until(lambda: house.latest == {"e": 1.0})
        assert house.link.statistics.malformed == len(GARBAGE)
        assert house.link.statistics.connections == 1


async def test_other_shapes_of_an_update(core: FakeCore) -> None:
    house = House(core.url)
    async with house.running():
        with trio.fail_after(5):
            await core.until_clients(1)
        await core.send('{"type":"entity_update","entity_id":"a","entity_data":{"value":1}}')
        await core.send('{"type":"entity_update","data":{"entity_id":"b","value":{"x":2},"state":"off"}}')
        await core.send('{"type":"entity_update","entity_id":"c","value":3}')
        await house.until(lambda: len(house.latest) == 4)
    assert house.latest == {"a": 1.0, "b.x": 2.0, "b.state": 0.0, "c": 3.0}


async def test_an_absent_core_is_expected(autojump_clock: trio.testing.MockClock) -> None:
    house = House("http://127.0.0.1:9")
    async with house.running():
        await trio.sleep(300)
        state, reason = house.state()
        assert state == "degraded"
        assert reason is not None
        assert "127.0.0.1:9" in reason
        error = house.board.snapshot()[NAME].last_error
        assert error


async def test_backoff_grows_while_a_core_flaps(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House("http://core")
    begins: list[float] = []

    async def connection() -> str:
        begins.append(trio.current_time())
        await trio.sleep(2 if len(begins) < 9 else 100)
        return "closed"

    monkeypatch.setattr(house.link, "_connection", connection)
    async with house.running():
        await trio.sleep(400)
    gaps = np.diff(begins)
    np.testing.assert_allclose(gaps[:8] - 2, [0.5, 1, 2, 4, 8, 16, 30, 30], atol=1e-6)
    np.testing.assert_allclose(gaps[8] - 100, 0.5, atol=1e-6)  # it lasted: the next pause begins anew


async def test_it_comes_back_after_the_core_does(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_link, "FIRST_PAUSE_S", 0.01)
    house = House(core.url)
    async with house.running():
        for round_ in range(3):
            with trio.fail_after(10):
                await core.until_clients(1)
            await core.tell("e", {"value": round_})
            await house.until(lambda round_=round_: house.latest.get("e") == round_)  # type: ignore[misc]
            await core.drop_clients(1012, "restart\n")
        with trio.fail_after(10):
            await core.until_clients(1)
    assert house.link.statistics.connections >= 4
    assert house.board.snapshot()[NAME].last_error == "closed with 1012 restart"


async def test_pings(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_link, "PING_EVERY_S", 0.02)
    house = House(core.url)
    async with house.running():
        await house.until(lambda: core.pings >= 3)
        assert house.link.statistics.connections == 1


async def test_a_core_that_answers_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_link, "CONNECT_WITHIN_S", 0.1)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    house = House(f"ws://127.0.0.1:{listeners[0].socket.getsockname()[1]}")
    async with house.running():
        await house.until(lambda: "handshake" in str(house.state()[1]))
    await listeners[0].aclose()


async def test_a_refusal_names_the_setting_and_no_message_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="actors")
    core = FakeCore(token="right canary")
    async with trio.open_nursery() as nursery:
        await nursery.start(core.run)
        house = House(core.url, token="wrong canary")
        async with house.running():
            await house.until(lambda: "403" in str(house.state()[1]))
            assert "COACHIQ_ANALYTICS__CORE_TOKEN" in str(house.state()[1])
        good = House(core.url, token="right canary")
        async with good.running():
            with trio.fail_after(5):
                await core.until_clients(1)
        nursery.cancel_scope.cancel()
    assert "canary" not in caplog.text
    assert "canary" not in str(house.board.snapshot())


async def test_ten_thousand_frames_at_once_and_a_recorder_that_takes_nothing(
    core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_link, "MAX_WAITING", 500)
    house = House(core.url)
    async with house.running(recording=False):
        with trio.fail_after(30):
            await core.until_clients(1)
            for number in range(10_000):
                await core.tell(f"e{number % 50}", {"value": number})
            await core.tell("last", {"value": 1})
            while house.link.statistics.readings < 10_001:
                await trio.sleep(0.01)
        statistics = house.link.statistics
        assert statistics.dropped > 5_000  # the core was never made to wait
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.mailbox.run, house.record)
            await house.until(lambda: "last" in house.latest)  # the newest are kept
            nursery.cancel_scope.cancel()


async def test_the_end_of_the_service(core: FakeCore) -> None:
    house = House(core.url)
    async with house.running(recording=False):
        with trio.fail_after(5):
            await core.until_clients(1)
        house.mailbox.close()
        await core.tell("e", {"value": 1})
        await trio.testing.wait_all_tasks_blocked(0.3)
    with trio.fail_after(5):
        await core.until_clients(0)
