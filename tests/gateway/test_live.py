"""What gateway/live.py promises: the contract's section 3, on a real socket through our own server."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from msgspec.structs import replace
from quart_trio import QuartTrio
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from actors.hub import Hub
from analytics.records import Insight
from gateway import live
from gateway.auth.access import open_access
from gateway.auth.gate import Gate
from gateway.connection import Limits
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks
from storage.models import Latest

NOW_MS = 1_700_000_000_123


def insight(severity: str = "high") -> Insight:
    return Insight(
        insight_id="i1",
        key="limit:fridge.temperature",
        title="The refrigerator is warm",
        description="8.4 °C",
        category="reliability",
        severity=severity,
        confidence=0.9,
        impact_score=0.7,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        expires_at_ms=None,
        recommendations=("Close its door",),
        metric="fridge.temperature",
    )


class Flags:
    on = True

    def enabled(self, name: str) -> bool:
        assert name == "analytics_dashboard"
        return self.on


class Backend:
    """The little of a Backend that the WebSocket looks at."""

    def __init__(self) -> None:
        self.flags = Flags()
        self.access = open_access()
        self.hub = Hub(self.wall_ms)
        self.ready = True
        self.latest = {"battery.house.voltage": Latest(NOW_MS - 500, 12.6000004, 1)}
        self.memory = SimpleNamespace(latest=lambda: self.latest, names=lambda: list(self.latest))
        self.progress = SimpleNamespace(state="off", reason=None, backlog=0)
        book = InsightBook()
        for each in (insight(), replace(insight("low"), key="another")):
            book.upsert_insight(each)
        self.control = SimpleNamespace(alarms=SimpleNamespace(active=list), marks=InsightMarks(book))
        self.board = SimpleNamespace(snapshot=lambda: {"recorder": SimpleNamespace(state="running")})

    def wall_ms(self) -> int:
        return NOW_MS


class Closed(Exception):
    def __init__(self, code: int, reason: str | None) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason or ""


class Client:
    """A dashboard on a bare socket, so that it can also misbehave."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.wire = Connection(ConnectionType.CLIENT)
        self.waiting: list[dict[str, Any]] = []
        self.text = ""  # of the message under way

    async def send(self, message: Any) -> None:
        event = (
            BytesMessage(message)
            if isinstance(message, bytes)
            else TextMessage(message if isinstance(message, str) else json.dumps(message))
        )
        await self.stream.send_all(self.wire.send(event))

    async def next(self) -> dict[str, Any]:
        with trio.fail_after(5):
            while not self.waiting:
                for event in self.wire.events():
                    if isinstance(event, CloseConnection):
                        raise Closed(event.code, event.reason)
                    assert isinstance(event, TextMessage), event
                    self.text += event.data
                    if event.message_finished:
                        self.waiting.append(json.loads(self.text))
                        self.text = ""
                if not self.waiting:
                    data = await self.stream.receive_some()
                    assert data, "the server left without a word"
                    self.wire.receive_data(data)
        return self.waiting.pop(0)

    async def next_of(self, kind: str) -> dict[str, Any]:
        while (message := await self.next())["type"] != kind:
            pass
        return message

    async def ask(self, message: Any) -> dict[str, Any]:
        await self.send(message)
        return await self.next()


@pytest.fixture
def backend() -> Backend:
    return Backend()


class House:
    """The WebSocket behind a server, and its visitors."""

    def __init__(self, served: Any, wire: Any) -> None:
        self.served = served
        self.wire = wire

    @asynccontextmanager
    async def visitor(self, *, greeted: bool = True, receive_buffer: int | None = None) -> AsyncIterator[Client]:
        async with await self.served.connect(receive_buffer=receive_buffer) as stream:
            await stream.send_all(self.wire.handshake("/ws/analytics?token=t"))
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = await stream.receive_some(1)
                assert byte, head
                head += byte
            assert head.startswith(b"HTTP/1.1 101"), head
            client = Client(stream)
            if greeted:
                assert [(await client.next())["type"] for _ in range(2)] == ["hello", "snapshot"]
            yield client


@pytest.fixture
async def house(serve: Any, wire: Any, backend: Backend) -> House:
    app = QuartTrio("live")
    live.register_live(app, backend)  # type: ignore[arg-type]
    app.asgi_app = Gate(app.asgi_app, backend.access)  # type: ignore[method-assign]
    return House(await serve(app, limits=Limits(send_s=1.5, drain_s=0.5)), wire)


async def test_every_connect_starts_whole(house, backend):
    async with house.visitor(greeted=False) as client:
        hello, snapshot = await client.next(), await client.next()
    assert hello["type"] == "hello"
    assert hello["data"].keys() == {"server_time", "version", "resume"}
    assert hello["data"]["server_time"] == NOW_MS / 1000
    assert re.fullmatch(r"2023-11-14T22:13:20\.123Z", hello["timestamp"])
    assert snapshot["type"] == "snapshot"
    data = snapshot["data"]
    assert data["metrics"] == {"battery.house.voltage": {"value": 12.6, "timestamp": (NOW_MS - 500) / 1000}}
    assert [each["insight_id"] for each in data["insights"]] == ["i1", "i1"]
    assert [(each["type"], each["severity"]) for each in data["alerts"]] == [("insight", "high")]
    assert data["status"]["actors"] == {"recorder": "running"}
    assert data["status"]["persistence"]["state"] == "off"


async def test_events_come_as_frames_and_numbers_are_rounded(house, backend):
    async with house.visitor() as client:
        backend.hub.publish("alert", {"message": "warm"})
        assert await client.next() == {
            "type": "alert", "data": {"message": "warm"}, "timestamp": "2023-11-14T22:13:20.123Z"
        }  # fmt: skip
        backend.hub.publish_metrics({"a": (1000, 0.1 + 0.2), "b": (2000, float("nan"))})
        frame = await client.next()
        assert frame["type"] == "metrics"
        assert frame["data"] == {"a": {"value": 0.3, "timestamp": 1.0}, "b": {"value": None, "timestamp": 2.0}}


async def test_an_event_is_encoded_once_for_all_clients(house, backend, monkeypatch):
    kinds: list[str] = []
    frame = live.frame

    def counting(kind: str, data: Any, time_ms: int) -> str:
        kinds.append(kind)
        return frame(kind, data, time_ms)

    async with house.visitor() as one, house.visitor() as two, house.visitor() as three:
        monkeypatch.setattr(live, "frame", counting)
        backend.hub.publish("notice", {"text": "hello"})
        backend.hub.publish_metrics({"a": (1000, 1.5)})
        for client in (one, two, three):
            await client.next_of("metrics")
    assert sorted(kinds) == ["metrics", "notice"]
    assert backend.hub.statistics().encoded == 2
    assert backend.hub.statistics().delivered == 6


async def test_clients_that_follow_the_same_metrics_share_a_frame(house, backend):
    async with house.visitor() as one, house.visitor() as two, house.visitor() as three:
        for client, names in ((one, ["a"]), (two, ["a"]), (three, ["b"])):
            await client.ask({"type": "subscribe", "data": {"metrics": names}})
        backend.hub.publish_metrics({"a": (1000, 1.5), "b": (1000, 2.5)})
        assert [(await each.next_of("metrics"))["data"].keys() for each in (one, two, three)] == [{"a"}, {"a"}, {"b"}]
    assert backend.hub.statistics().encoded == 2


async def test_a_subscription_to_ten_thousand_metrics(house, backend):
    """In frames of 64 KiB at most, a part of the names in each; one more name is refused."""
    names = [f"metric.{n}" for n in range(live.MAX_NAMES)]
    async with house.visitor() as client:
        for first in range(0, len(names), 2_000):
            answer = await client.ask({"type": "subscribe", "data": {"metrics": names[first : first + 2_000]}})
            assert answer["type"] == "subscription_confirmed"
        assert len(answer["data"]["metrics"]) == live.MAX_NAMES
        answer = await client.ask({"type": "subscribe", "data": {"metrics": ["one.more"]}})
        assert (answer["type"], answer["data"]["member"]) == ("error", "metrics")
        began = trio.current_time()
        backend.hub.publish_metrics({**dict.fromkeys(names, (1000, 1.5)), "one.more": (1000, 1.5)})
        assert (await client.next_of("metrics"))["data"].keys() == set(names)
        assert trio.current_time() - began < 2


async def test_many_questions_at_once_are_all_answered_in_order(house):
    count = live.ASKED * 10
    async with house.visitor() as client:
        await client.stream.send_all(
            b"".join(
                client.wire.send(TextMessage(json.dumps({"type": "ping" if n % 3 else "heartbeat"})))
                for n in range(count)
            )
        )
        kinds = [(await client.next())["type"] for _ in range(count)]
    assert kinds == ["pong" if n % 3 else "heartbeat_ack" for n in range(count)]


async def test_a_client_that_leaves_in_the_middle_of_its_questions(house, backend):
    async with house.visitor() as client:
        await client.stream.send_all(client.wire.send(TextMessage('{"type": "ping"}')) * (live.ASKED * 10))
    await house.served.settle()
    assert backend.hub.statistics().clients == 0
    assert house.served.server.statistics().failed == 0


async def test_only_our_own_server_opens_it(backend, serve, wire):
    app = QuartTrio("live")
    live.register_live(app, backend)
    app.asgi_app = WithoutState(app.asgi_app)  # type: ignore[method-assign]
    served = await serve(app)
    async with await served.connect() as stream:
        await stream.send_all(wire.handshake("/ws/analytics"))
        assert (await wire.read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 501")


class WithoutState:
    """As another server calls an application."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, *rest: Any) -> None:
        await self.app({name: each for name, each in scope.items() if name != "state"}, *rest)


@pytest.mark.parametrize(("asked", "answered"), [("ping", "pong"), ("heartbeat", "heartbeat_ack")])
async def test_signs_of_life_are_answered(house, asked, answered):
    async with house.visitor() as client:
        assert (await client.ask({"type": asked, "data": {}, "timestamp": "now"}))["type"] == answered
        assert (await client.ask({"type": asked}))["data"]["server_time"] == NOW_MS / 1000


@pytest.mark.parametrize(
    "message",
    [
        {"type": "control", "data": {"command": "set"}},
        {"type": None},
        {"data": {}},
        [],
        "not json",
        "",
        "null",
        '{"type": NaN}',
        "[" * 30_000,
        b'{"type": "ping"}',
        {"type": "subscribe", "data": 7},
        {"type": "subscribe", "data": {"topics": "metrics"}},
        {"type": "subscribe", "data": {"topics": ["nonsense"]}},
        {"type": "subscribe", "data": {"metrics": [1]}},
        {"type": "subscribe", "data": {"topics": [["metrics"]]}},
    ],
)
async def test_anything_else_is_an_error_and_the_connection_is_kept(house, message):
    async with house.visitor() as client:
        answer = await client.ask(message)
        assert answer["type"] == "error"
        assert isinstance(answer["data"]["detail"], str)
        assert (await client.ask({"type": "ping"}))["type"] == "pong"


async def test_a_client_chooses_what_it_hears(house, backend):
    async with house.visitor() as client:
        answer = await client.ask({"type": "subscribe", "data": {"topics": ["alert"], "metrics": ["b"]}})
        assert answer["type"] == "subscription_confirmed"
        assert answer["data"] == {"topics": ["alert"], "metrics": ["b"]}
        backend.hub.publish("insight", {})
        backend.hub.publish_metrics({"b": (1000, 1.0)})
        backend.hub.publish("notice", {"n": 1})  # words to the person always come
        backend.hub.publish("alert", {"n": 2})
        assert [(await client.next())["type"] for _ in range(2)] == ["notice", "alert"]
        answer = await client.ask({"type": "subscribe", "topics": ["metrics"]})  # beside `data` is as good
        assert answer["data"] == {"topics": ["alert", "metrics"], "metrics": ["b"]}
        await trio.sleep(0.11)  # the hub's gap between two metrics frames
        backend.hub.publish_metrics({"a": (1000, 1.0), "b": (1000, 2.0)})
        assert (await client.next_of("metrics"))["data"].keys() == {"b"}
        answer = await client.ask({"type": "unsubscribe", "data": {"topics": ["alert", "metrics"]}})
        assert answer["data"]["topics"] == []
        backend.hub.publish("alert", {})
        assert (await client.ask({"type": "ping"}))["type"] == "pong"


async def test_unsubscribe_first_leaves_all_the_rest(house, backend):
    async with house.visitor() as client:
        answer = await client.ask({"type": "unsubscribe", "data": {"topics": ["metrics", "gap", "notice"]}})
        assert answer["data"] == {
            "topics": ["action", "alert", "insight", "insight_update", "pattern", "status"], "metrics": None
        }  # fmt: skip


async def test_unsubscribed_metrics_are_left_out_and_new_ones_still_come(house, backend):
    async with house.visitor() as client:
        answer = await client.ask({"type": "unsubscribe", "data": {"metrics": ["noisy", "loud"]}})
        assert answer["data"] == {"topics": None, "metrics": None, "except": ["loud", "noisy"]}
        backend.hub.publish_metrics({"noisy": (1000, 1.0), "nobody knew it then": (1000, 2.0)})
        assert (await client.next_of("metrics"))["data"].keys() == {"nobody knew it then"}
        answer = await client.ask({"type": "subscribe", "data": {"metrics": ["noisy"]}})
        assert answer["data"] == {"topics": None, "metrics": None, "except": ["loud"]}
        await trio.sleep(0.11)  # the hub's gap between two metrics frames
        backend.hub.publish_metrics({"noisy": (2000, 1.0), "loud": (2000, 2.0)})
        assert (await client.next_of("metrics"))["data"].keys() == {"noisy"}
        answer = await client.ask({"type": "subscribe", "data": {"metrics": ["loud"]}})
        assert answer["data"] == {"topics": None, "metrics": None}


async def test_a_message_past_64_kib_is_1009(house):
    async with house.visitor() as client:
        with pytest.raises(Closed) as closed:
            await client.ask("x" * (64 * 1024 + 1))
    assert closed.value.code == 1009


async def test_with_the_feature_off_it_is_refused_and_those_connected_are_let_go(house, backend, wire):
    async with house.visitor() as client:
        backend.flags.on = False
        backend.hub.publish("status", {})
        with pytest.raises(Closed, match="disabled") as closed:
            await client.next()
        assert closed.value.code == 1001
    answer = await house.served.exchange(wire.handshake("/ws/analytics"))
    assert answer.startswith(b"HTTP/1.1 404")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["detail"] == "Analytics dashboard disabled"


async def test_more_clients_than_that_are_refused(house, backend, wire, monkeypatch):
    monkeypatch.setattr(live, "MAX_CLIENTS", 1)
    async with house.visitor():
        answer = await house.served.exchange(wire.handshake("/ws/analytics"))
        assert answer.startswith(b"HTTP/1.1 503")
    await house.served.settle()
    async with house.visitor():
        pass


async def test_the_stop_closes_with_1001(house):
    async with house.visitor() as client:
        house.served.server.stop()
        with pytest.raises(Closed) as closed:
            await client.next()
        assert closed.value.code == 1001


async def test_a_disconnect_ends_the_subscription_however_much_was_said(house, backend):
    for messages in (0, 5, 500):
        async with house.visitor() as client:
            assert backend.hub.statistics().clients == 1
            with trio.move_on_after(1):
                for _ in range(messages):
                    await client.send({"type": "ping"})
        await house.served.settle()
        assert backend.hub.statistics().clients == 0
    assert house.served.server.statistics().failed == 0


async def test_who_asks_and_never_reads_is_cut(house, backend):
    async with house.visitor(receive_buffer=4096) as client, trio.open_nursery() as nursery:

        async def ask_on() -> None:
            with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):  # noqa: PT012
                while True:
                    await client.send({"type": "subscribe", "data": {"metrics": ["m" * 1000]}})

        nursery.start_soon(ask_on)
        with trio.fail_after(8):
            await house.served.settle()
            nursery.cancel_scope.cancel()
    assert backend.hub.statistics().clients == 0


async def test_a_client_cut_off_by_the_hub_is_told_so(house, backend):
    async with house.visitor() as client:
        (subscription,) = backend.hub._subscriptions
        subscription._cut_off()
        with pytest.raises(Closed, match="slow") as closed:
            await client.next()
        assert closed.value.code == 1013


async def test_a_stalled_client_delays_nobody_and_is_closed(house, backend):
    """It reads nothing from the greeting on. Meanwhile another one gets every event within a moment."""
    slowest = 0.0
    text = "x" * 50_000
    async with house.visitor(greeted=False, receive_buffer=4096), house.visitor() as lively:
        with trio.fail_after(10):
            while backend.hub.statistics().clients == 2:
                began = trio.current_time()
                backend.hub.publish("notice", {"text": text})
                await lively.next_of("notice")
                slowest = max(slowest, trio.current_time() - began)
                await trio.sleep(0.01)
        assert slowest < 0.5
        assert house.served.server.statistics().stalled == 1


async def test_the_stop_does_not_wait_for_a_stalled_client(house, backend):
    async with house.visitor(greeted=False, receive_buffer=4096):
        for _ in range(200):
            backend.hub.publish("notice", {"text": "x" * 50_000})
            await trio.lowlevel.checkpoint()
        assert await house.served.stop() < 1.5
    assert backend.hub.statistics().clients == 0
