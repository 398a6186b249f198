"""The short way answers as the long way does, and lets everything unusual pass."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from actors.mailbox import Mailbox
from actors.messages import Pressure, Record, Recorded
from gateway.auth.access import OUTCOME, Access
from gateway.auth.identity import AuthError, Identity
from gateway.auth.limits import BURST_S, Limits
from gateway.auth.verifier import Verifier
from gateway.fast_path import FastPath
from gateway.rest.metrics import BATCH_PATH
from storage.models import Appended

BODY = b'{"samples":[{"metric_name":"a","value":1},{"metric_name":"b","value":2}]}'


class LongWay:
    """An application that keeps what it was called with, and reads the whole body."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        self.bodies.append(body)


class Way:
    """A fast path around a LongWay, with a recorder that answers as told."""

    def __init__(self) -> None:
        self.long = LongWay()
        self.access = Access(Verifier("none", wall_ms=lambda: 0), limits=Limits(1, 1, 1))
        self.outcome: Identity | AuthError = Identity("token:1", frozenset({"ingest"}))
        self.open = True
        self.mailbox: Mailbox[Record] = Mailbox("recorder", capacity=4, pressure=Pressure.BLOCK)
        self.appended: Callable[[Record], tuple[Appended, ...]] = lambda message: tuple(
            Appended(len(part), 0) for part in message.parts
        )
        backend: Any = SimpleNamespace(record_mailbox=self.mailbox, wall_ms=lambda: 1_760_000_000_000)
        self.fast = FastPath(
            self.long,
            backend,
            gate=lambda: self.open,
            max_body_bytes=1_000,
            body_within_s=10.0,
            extra_headers=[("X-Extra", "yes")],
            access=self.access,
        )

    async def record(self, message: Record) -> None:
        await trio.lowlevel.checkpoint()
        message.reply.set(Recorded(1, self.appended(message)))

    async def send(
        self, *chunks: bytes, headers: dict[str, str] | None = None, receive: Any = None, **scope: Any
    ) -> list[dict[str, Any]]:
        """What was answered by the short way; nothing when it went the long way."""
        messages = [
            {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks)}
            for index, chunk in enumerate(chunks)
        ]
        sent: list[dict[str, Any]] = []

        async def next_message() -> dict[str, Any]:
            await trio.lowlevel.checkpoint()
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def answer(message: Any) -> None:
            await trio.lowlevel.checkpoint()
            sent.append(message)

        asked = {
            "type": "http",
            "method": "POST",
            "path": BATCH_PATH,
            "query_string": b"",
            OUTCOME: self.outcome,
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
            **scope,
        }
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.mailbox.run, self.record)
            await self.fast(asked, receive or next_message, answer)
            nursery.cancel_scope.cancel()
        return sent


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.mark.parametrize("chunks", [(BODY,), (BODY[:10], b"", BODY[10:])])
async def test_a_batch_in_order(way: Way, chunks: tuple[bytes, ...]) -> None:
    start, body = await way.send(*chunks, headers={"content-type": "application/json"})
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(body["body"]),
        b"x-extra": b"yes",
    }
    assert json.loads(body["body"]) == {"accepted": 2, "rejected": 0, "duplicates": 0, "errors": []}
    assert way.long.bodies == []


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (BODY, {"path": "/api/analytics/metrics"}),
        (BODY, {"method": "PUT"}),
        (BODY, {"query_string": b"ack=durable"}),
        (BODY, {"headers": {"prefer": "wait"}}),
        (BODY, {"headers": {"content-type": "text/plain"}}),
        (BODY, {"headers": {"content-encoding": "gzip"}}),
        (BODY, {"headers": {"content-length": "1001"}}),
        (b" " * 1001, {}),
        (b'{"samples":[]}', {}),
        (b'{"samples":[{"metric_name":"a","value":NaN}]}', {}),
        (b"nonsense", {}),
        (b"", {}),
    ],
)
async def test_what_is_unusual_goes_the_long_way_untouched(way: Way, body: bytes, change: dict[str, Any]) -> None:
    assert await way.send(body[:7], body[7:], **change) == []
    assert way.long.bodies == [body]


async def test_the_gate(way: Way) -> None:
    way.open = False
    assert await way.send(BODY) == []
    assert way.long.bodies == [BODY]


@pytest.mark.parametrize(
    "outcome", [AuthError("No token", missing=True), Identity("token:1", frozenset({"read", "act"}))]
)
async def test_who_may_not_write_is_refused_the_long_way(way: Way, outcome: Identity | AuthError) -> None:
    way.outcome = outcome
    assert await way.send(BODY) == []
    assert way.long.bodies == [BODY]


async def test_samples_are_paid_for(way: Way, autojump_clock: trio.testing.MockClock) -> None:
    for _ in range(int(BURST_S / 2) + 1):  # two samples each, one a second
        start, _ = await way.send(BODY)
        assert start["status"] == 200
    assert await way.send(BODY) == []
    autojump_clock.jump(3)
    assert (await way.send(BODY))[0]["status"] == 200


async def test_a_client_that_leaves(way: Way) -> None:
    async def leave() -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        return {"type": "http.disconnect"}

    assert await way.send(receive=leave) == []
    assert way.long.bodies == [b""]


async def test_a_body_that_does_not_come(way: Way, autojump_clock: trio.testing.MockClock) -> None:
    wait: Callable[[], Awaitable[None]] = trio.sleep_forever
    start, body = await way.send(receive=wait)
    assert (start["status"], json.loads(body["body"])["status"]) == (408, 408)
    assert trio.current_time() == pytest.approx(10)


async def test_refusals_of_the_recorder(way: Way) -> None:
    way.appended = lambda message: tuple(Appended(0, 0, ((0, "value is odd"),)) for _ in message.parts)
    start, body = await way.send(BODY)
    assert start["status"] == 422
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    problem = json.loads(body["body"])
    assert (problem["rejected"], problem["instance"]) == (2, BATCH_PATH)


async def test_headers_of_refusals(way: Way) -> None:
    way.mailbox.close()
    start, _ = await way.send(BODY)
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"5"


async def test_an_unexpected_error_is_logged_and_hidden(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    way.appended = lambda message: ()  # fewer answers than parts
    start, body = await way.send(BODY)
    assert start["status"] == 500
    assert "in the service" not in json.loads(body["body"])["detail"]
    assert "cannot record a batch" in caplog.text
