"""Messages leave for real, on loopback: a signed webhook to an HTTP endpoint, e-mail by Apprise to a mail server."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate

import pytest
import trio

from actors.courier import DeliveryError
from analytics.notices import ChannelWish
from gateway.channels import OutsideChannels, retry_after, signature
from tests.fakes.mail_server import MailServer

# Apprise loads its plugins when it is first used, and some of them use what Python is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
NOW_MS = 1_700_000_000_000
BODY = {"title": "Fridge is warm", "text": "9.4 °C", "severity": "high", "count": 1, "notices": [], "sent_at": 1.0}
Serve = Callable[[bytes], Awaitable[tuple[str, list[bytes]]]]


def channels(*, lan: bool = True) -> OutsideChannels:
    return OutsideChannels(lan=lan, wall_ms=lambda: NOW_MS)


def webhook(url: str, secret: str | None = None) -> ChannelWish:
    return ChannelWish("hook", "webhook", url, secret)


@pytest.fixture
async def serve(nursery: trio.Nursery) -> Serve:
    """An endpoint that answers with the same bytes; what it received."""

    async def start(answer: bytes) -> tuple[str, list[bytes]]:
        received: list[bytes] = []
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def handle(stream: trio.SocketStream) -> None:
            data = b""
            while b"\r\n\r\n" not in data or not data.endswith(b"}"):
                data += await stream.receive_some()
            received.append(data)
            with suppress(trio.BrokenResourceError):  # it need not read all of it
                await stream.send_all(answer)

        await nursery.start(trio.serve_listeners, handle, listeners)
        return f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/hook", received

    yield start
    nursery.cancel_scope.cancel()


async def test_a_webhook_is_signed(serve: Serve) -> None:
    url, received = await serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    await channels().send(webhook(url, "secret"), "m1", BODY)
    head, _, body = received[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:])
    assert headers["x-coachiq-message"] == "m1"
    assert headers["x-coachiq-timestamp"] == str(NOW_MS // 1000)
    assert headers["x-coachiq-signature"] == "sha256=" + signature("secret", str(NOW_MS // 1000), body)
    assert json.loads(body) == {"message_id": "m1", **BODY}


@pytest.mark.parametrize(
    ("answer", "permanent", "after"),
    [
        (b"302 Found\r\nlocation: http://127.0.0.1/", True, None),
        (b"404 Not Found", True, None),
        (b"429 Slow down\r\nretry-after: 77", False, 77.0),
        (b"503 Busy\r\nretry-after: 5", False, 5.0),
        (b"500 Broken", False, None),
    ],
)
async def test_what_an_answer_means(serve: Serve, answer: bytes, permanent: bool, after: float | None) -> None:
    url, received = await serve(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n")
    with pytest.raises(DeliveryError) as caught:
        await channels().send(webhook(url), "m1", BODY)
    assert (caught.value.permanent, caught.value.retry_after_s) == (permanent, after)
    assert len(received) == 1


async def test_a_gigabyte_is_not_read(serve: Serve) -> None:
    url, _ = await serve(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n" + bytes(1 << 20))
    begun = time.monotonic()
    await channels().send(webhook(url), "m1", BODY)
    assert time.monotonic() - begun < 5


async def test_one_that_hangs(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.channels.WITHIN_S", 0.2)
    url, _ = await serve(b"")
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")  # takes connections, and never says a word
    try:
        silent = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/"
        with pytest.raises(DeliveryError, match="no answer within") as caught:
            await channels().send(webhook(silent), "m1", BODY)
        assert not caught.value.permanent
    finally:
        for listener in listeners:
            await listener.aclose()
    assert url


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/"])
async def test_this_network_only_when_it_is_allowed(url: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        await channels(lan=False).send(webhook(url), "m1", BODY)
    assert caught.value.permanent


async def test_the_metadata_address_never() -> None:
    with pytest.raises(DeliveryError) as caught:
        await channels(lan=True).send(webhook("http://169.254.169.254/latest/meta-data"), "m1", BODY)
    assert caught.value.permanent


async def test_mail(nursery: trio.Nursery) -> None:
    server = MailServer()
    await nursery.start(server.run)
    url = f"mailto://127.0.0.1:{server.port}?from=coach@example.org&to=anna@example.org&mode=insecure"
    await channels().send(ChannelWish("mail", "email", url), "m1", BODY)
    text = server.messages[0][1]
    assert "Fridge is warm" in text
    assert "anna@example.org" in text
    server.refuse = True
    with pytest.raises(DeliveryError) as caught:
        await channels().send(ChannelWish("mail", "email", url), "m1", BODY)
    assert not caught.value.permanent
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "url",
    [
        "file:///tmp/x",
        "windows://",
        "json://127.0.0.1/",
        "mailto://127.0.0.1?redirect=yes&from=a@b.c&to=a@b.c",
        "mailto://user@example.org?smtp=169.254.169.254&from=a@b.c&to=a@b.c",
        "gotify://169.254.169.254/token",
        "mailto://",
    ],
)
async def test_targets_that_are_never_tried(url: str) -> None:
    with pytest.raises(DeliveryError):
        await channels().send(ChannelWish("x", "apprise", url), "m1", BODY)


def test_retry_after() -> None:
    assert retry_after("12") == 12
    assert retry_after(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=2)
    for text in (None, "soon", "-5", "inf"):
        assert retry_after(text) is None
