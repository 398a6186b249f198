"""The bytes of a request counted off: the body, what lies behind it, and heads that are known."""

from __future__ import annotations

import h11
import pytest
from hypercorn.protocol.events import Request
from hypercorn.typing import ConnectionState

from gateway.shortcut import Answer, Head, Piece
from gateway.whole import HEAD_BYTES, HEADS_KEPT, KnownHeads, Whole, framing_of


class Shortcut:
    willing = True

    def takes(self, head: Head) -> bool:
        return self.willing

    async def answer(self, head: Head, body: Piece) -> Answer | None:
        raise NotImplementedError


def raw(length: int = 5, field: bytes = b"") -> bytes:
    return b"POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n%s\r\n" % (length, field)


def whole(head: bytes = b"", *, closes: bool = False, shortcut: Shortcut | None = None) -> Whole:
    head = head or raw()
    request = Request(
        stream_id=1, headers=[], http_version="1.1", method="POST", raw_path=b"/b", state=ConnectionState({})
    )
    return Whole(Head(b"POST", b"/b", {}, None), request, (5, closes), shortcut or Shortcut(), head)


@pytest.mark.parametrize("cuts", [(), (2,), (1, 3), (5,), (6,)])
def test_the_body_and_what_lies_behind_it(cuts: tuple[int, ...]) -> None:
    request, data, behind = whole(), b"abcdeXYZ", b""
    for begin, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        behind += bytes(request.take(memoryview(data)[begin:end]))
    assert (bytes(request.body), behind, request.left) == (b"abcde", b"XYZ", 0)


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        ({}, (0, False)),
        ({b"content-length": b"7"}, (7, False)),
        ({b"content-length": b"7", b"connection": b"Keep-Alive"}, (7, False)),
        ({b"connection": b"close"}, (0, True)),
        ({b"connection": b"upgrade"}, None),
        ({b"connection": b"keep-alive, close"}, None),
        ({b"transfer-encoding": b"chunked"}, None),
        ({b"content-length": b"7", b"expect": b"100-continue"}, None),
    ],
)
def test_framings(fields: dict[bytes, bytes], framing: tuple[int, bool] | None) -> None:
    assert framing_of(b"1.1", fields) == framing
    assert framing_of(b"1.0", fields) is None


def test_a_known_head_is_found_by_its_bytes_while_the_shortcut_takes_it() -> None:
    known, shortcut = KnownHeads(), Shortcut()
    assert known.find(raw() + b"abcde") is None
    known.keep(whole(shortcut=shortcut))
    found = known.find(raw() + b"abc")
    assert found is not None
    assert found.is_new_to_h11
    assert found.left == 5
    assert known.find(raw(6) + b"abc") is None
    assert known.find(raw()[:-1]) is None
    shortcut.willing = False
    assert known.find(raw() + b"abcde") is None


def test_a_few_short_heads_of_connections_that_stay_are_kept() -> None:
    known = KnownHeads()
    closing, long = raw(field=b"connection: close\r\n"), raw(field=b"x: %s\r\n" % (b"y" * HEAD_BYTES))
    known.keep(whole(closing, closes=True))
    known.keep(whole(long))
    assert known.find(closing) is None
    assert known.find(long) is None
    for length in range(3 * HEADS_KEPT):
        known.keep(whole(raw(length)))
    assert len(known._by_raw) <= HEADS_KEPT
    assert known.find(raw(3 * HEADS_KEPT - 1)) is not None


@pytest.mark.parametrize("held", range(9))
def test_what_h11_holds_already_it_does_not_get_again(held: int) -> None:
    """Of a pipeline, or of a request whose head came in pieces; whether or not the peer has left since."""
    request, connection = whole(), h11.Connection(h11.SERVER)
    data = b"abcdeXYZ"
    connection.receive_data(raw() + data[:held])
    connection.next_event()
    if held == len(data):
        connection.receive_data(b"")
    request.in_h11 = held
    behind = request.take(data)
    assert request.read_by(connection, behind) == b"abcde"
    assert connection.trailing_data == (b"XYZ", held == len(data))


def test_h11_reads_in_the_end_what_was_read_past_it() -> None:
    request, connection = whole().again(), h11.Connection(h11.SERVER)
    request.take(b"abcde")
    assert request.read_by(connection, b"GET") == b"abcde"
    assert connection.their_state is h11.DONE
    assert connection.trailing_data == (b"GET", False)
    assert connection.our_state is h11.SEND_RESPONSE
