"""The short way answers as the long way does, and lets everything unusual pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from actors.mailbox import Mailbox
from actors.messages import Flush, Pressure, Record, Recorded
from actors.progress import Progress
from gateway.auth.access import Access
from gateway.auth.identity import AuthError, Identity
from gateway.auth.limits import BURST_S, Limits
from gateway.auth.verifier import Verifier
from gateway.fast_path import FastPath
from gateway.rest.metrics import BATCH_PATH
from gateway.shortcut import Answer, Head
from storage.models import Appended, PersistenceState

DURABLE = BATCH_PATH.encode() + b"?ack=durable"
BODY = b'{"samples":[{"metric_name":"a","value":1},{"metric_name":"b","value":2}]}'


class Way:
    """A fast path with a recorder that answers as told."""

    def __init__(self) -> None:
        self.open = True
        self.mailbox: Mailbox[Record] = Mailbox("recorder", capacity=1, pressure=Pressure.BLOCK)
        self.appended: Callable[[Record], tuple[Appended, ...]] = lambda message: tuple(
            Appended(len(part), 0) for part in message.parts
        )
        self.flushes: Mailbox[Flush] = Mailbox("persister", capacity=1, pressure=Pressure.BLOCK)
        backend: Any = SimpleNamespace(
            record_mailbox=self.mailbox, persist_mailbox=self.flushes, progress=Progress(),
            wall_ms=lambda: 1_760_000_000_000, ready=True,
        )  # fmt: skip
        self.backend = backend
        self.verifier = Verifier("none", wall_ms=lambda: 0)
        self.fast = FastPath(
            backend,
            gate=lambda: self.open,
            extra_fields={"X-Extra": "yes"},
            access=Access(self.verifier, limits=Limits(1, 1, 1)),
        )

    async def record(self, message: Record) -> None:
        await trio.lowlevel.checkpoint()
        message.reply.set(Recorded(1, self.appended(message)))

    async def send(self, body: bytes, *, recording: bool = True, **head: Any) -> Answer | None:
        """What was answered; None: it goes the long way."""
        fields = head.pop("fields", {})
        asked = Head(**{"method": b"POST", "target": BATCH_PATH.encode(), "fields": fields, "client": None, **head})
        if not self.fast.takes(asked):
            return None
        async with trio.open_nursery() as nursery:
            if recording:
                nursery.start_soon(self.mailbox.run, self.record)
            answer = await self.fast.answer(asked, body)
            nursery.cancel_scope.cancel()
        return answer


@pytest.fixture
def way() -> Way:
    return Way()


async def test_a_batch_in_order(way: Way) -> None:
    answer = await way.send(BODY, fields={b"content-type": b"application/JSON"})
    assert answer is not None
    assert answer.status == 200
    assert answer.fields == ((b"content-type", b"application/json"), (b"x-extra", b"yes"))
    assert json.loads(answer.body) == {"accepted": 2, "rejected": 0, "duplicates": 0, "errors": []}


async def test_memory_may_be_asked_for_by_name(way: Way) -> None:
    answer = await way.send(BODY, target=BATCH_PATH.encode() + b"?ack=memory")
    assert answer is not None
    assert answer.status == 200


async def test_durable_is_answered_after_the_commit(way: Way, autojump_clock: trio.testing.MockClock) -> None:
    way.backend.progress.set_state("on")
    answered: list[Answer | None] = []

    async def send() -> None:
        answered.append(await way.send(BODY, target=DURABLE))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await trio.sleep(5)
        assert not answered
        way.backend.progress.advance(1)
    assert answered[0] is not None
    assert (answered[0].status, json.loads(answered[0].body)["accepted"]) == (200, 2)
    assert way.flushes.statistics().depth == 1  # it did not wait for the next timed commit


@pytest.mark.parametrize("state", ["on", "degraded"])
async def test_durable_that_is_not(way: Way, state: PersistenceState, autojump_clock: trio.testing.MockClock) -> None:
    way.backend.progress.set_state(state, "disk full" if state == "degraded" else None)
    answer = await way.send(BODY, target=DURABLE)
    assert answer is not None
    assert answer.status == 503
    assert (b"retry-after", b"10") in answer.fields
    told = json.loads(answer.body)
    assert told["accepted"] == 2
    assert ("not committed within 10 s" if state == "on" else "degraded (disk full)") in told["detail"]


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (BODY, {"target": b"/api/analytics/metrics"}),
        (BODY, {"target": DURABLE}),  # persistence is off
        (BODY, {"target": BATCH_PATH.encode() + b"?ack=sometimes"}),
        (BODY, {"target": BATCH_PATH.encode() + b"?ack=durable&ack=memory"}),
        (BODY, {"method": b"PUT"}),
        (BODY, {"fields": {b"prefer": b"wait"}}),
        (BODY, {"fields": {b"content-type": b"text/plain"}}),
        (BODY, {"fields": {b"content-encoding": b"gzip"}}),
        (BODY, {"fields": {b"expect": b"100-continue"}}),
        (b'{"samples":[]}', {}),
        (b'{"samples":[{"metric_name":"a","value":NaN}]}', {}),
        (b"nonsense", {}),
        (b"", {}),
    ],
)
async def test_what_is_unusual_goes_the_long_way(way: Way, body: bytes, change: dict[str, Any]) -> None:
    assert await way.send(body, **change) is None
    assert way.mailbox.statistics().handled == 0


async def test_the_gate(way: Way) -> None:
    way.open = False
    assert await way.send(BODY) is None


async def test_probes_are_answered_however_busy_the_application_is(way: Way) -> None:
    for target, text in ((b"/livez", b'{"status":"ok"}'), (b"/readyz", b'{"status":"ready"}')):
        answer = await way.send(b"", method=b"GET", target=target, recording=False)
        assert answer is not None
        assert (answer.status, answer.body) == (200, text)
        assert (b"x-extra", b"yes") in answer.fields
        for other in ({"method": b"HEAD"}, {"method": b"POST"}, {"fields": {b"host": b"evil.example"}}):
            assert await way.send(b"", **{"method": b"GET", "target": target, **other}) is None
    way.backend.ready = False
    assert await way.send(b"", method=b"GET", target=b"/readyz") is None
    assert await way.send(b"", method=b"GET", target=b"/livez") is not None


@pytest.mark.parametrize(
    "fields",
    [
        {b"host": b"evil.example"},
        {b"origin": b"https://evil.example"},
        {b"authorization": b"Bearer reader"},
        {b"authorization": b"Bearer nobody"},
        {},
    ],
)
async def test_who_may_not_write_goes_the_long_way(
    way: Way, fields: dict[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def identify(text: str | None) -> Identity:
        if text == "reader":
            return Identity("token:1", frozenset({"read", "act"}))
        raise AuthError("no")

    if b"host" not in fields and b"origin" not in fields:
        monkeypatch.setattr(way.verifier, "identify", identify)
    assert await way.send(BODY, fields=fields) is None


async def test_samples_are_paid_for(way: Way, autojump_clock: trio.testing.MockClock) -> None:
    for _ in range(int(BURST_S / 2) + 1):  # two samples each, one a second
        assert await way.send(BODY) is not None
    assert await way.send(BODY) is None
    autojump_clock.jump(3)
    assert await way.send(BODY) is not None


async def test_refusals_of_the_recorder(way: Way) -> None:
    way.appended = lambda message: tuple(Appended(0, 0, ((0, "value is odd"),)) for _ in message.parts)
    answer = await way.send(BODY)
    assert answer is not None
    assert answer.status == 422
    assert dict(answer.fields)[b"content-type"] == b"application/problem+json"
    problem = json.loads(answer.body)
    assert (problem["rejected"], problem["instance"]) == (2, BATCH_PATH)


async def test_headers_of_refusals(way: Way) -> None:
    way.mailbox.close()
    answer = await way.send(BODY)
    assert answer is not None
    assert answer.status == 503
    assert dict(answer.fields)[b"retry-after"] == b"5"


async def test_a_full_recorder_is_503_after_a_quarter_of_a_second(
    way: Way, autojump_clock: trio.testing.MockClock
) -> None:
    way.mailbox.put_nowait(Record(()))
    answer = await way.send(BODY, recording=False)
    assert answer is not None
    assert (answer.status, dict(answer.fields)[b"retry-after"]) == (503, b"1")
    assert trio.current_time() == pytest.approx(0.25)


async def test_an_unexpected_error_is_logged_and_hidden(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    way.appended = lambda message: ()  # fewer answers than parts
    answer = await way.send(BODY)
    assert answer is not None
    assert answer.status == 500
    assert "in the service" not in json.loads(answer.body)["detail"]
    assert "cannot record a batch" in caplog.text
