"""Heads of answers: as h11 writes them, made once a second."""

from __future__ import annotations

from types import SimpleNamespace

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import plain_config
from gateway.plain_config import PlainConfig
from gateway.shortcut import Answer, Fields

NOW_S = 1_760_000_000
JSON: Fields = ((b"content-type", b"application/json"), (b"X-Frame-Options", b"DENY"))
NAMES = st.from_regex(r"x-[a-z0-9!#$%&'*+.^_`|~-]{1,20}", fullmatch=True).map(str.encode)
VALUES = st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True).map(str.encode)


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now_s = float(NOW_S)

    def time(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(plain_config, "time", clock)
    return clock


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The status of every head that h11 had to write."""
    made: list[int] = []

    def response(*, status_code: int, headers: list[tuple[bytes, bytes]]) -> h11.Response:
        made.append(status_code)
        return h11.Response(status_code=status_code, headers=headers)

    noted = SimpleNamespace(Connection=h11.Connection, SERVER=h11.SERVER, Response=response)
    monkeypatch.setattr(plain_config, "h11", noted)
    return made


def test_a_head_to_the_last_byte(clock: Clock) -> None:
    assert PlainConfig().head(Answer(200, JSON, b"{}\n"), closes=False) == (
        b"HTTP/1.1 200 \r\n"
        b"content-type: application/json\r\n"
        b"X-Frame-Options: DENY\r\n"
        b"content-length: 3\r\n"
        b"date: Thu, 09 Oct 2025 08:53:20 GMT\r\n"
        b"\r\n"
    )


def test_a_head_that_closes_says_so(clock: Clock) -> None:
    assert PlainConfig().head(Answer(503, ((b"retry-after", b"1"),), b""), closes=True) == (
        b"HTTP/1.1 503 \r\n"
        b"retry-after: 1\r\n"
        b"content-length: 0\r\n"
        b"date: Thu, 09 Oct 2025 08:53:20 GMT\r\n"
        b"connection: close\r\n"
        b"\r\n"
    )


def test_the_same_head_is_made_once_a_second(clock: Clock, made: list[int]) -> None:
    config = PlainConfig()
    first = config.head(Answer(200, JSON, b"abc"), closes=False)
    clock.now_s += 0.999
    assert config.head(Answer(200, JSON, b"xyz"), closes=False) is first  # of a body only the length counts
    assert made == [200]
    clock.now_s += 0.001
    second = config.head(Answer(200, JSON, b"abc"), closes=False)
    assert second == first.replace(b"08:53:20", b"08:53:21")
    assert made == [200, 200]


def test_whatever_differs_makes_a_head_of_its_own(clock: Clock, made: list[int]) -> None:
    config = PlainConfig()
    answers = [
        Answer(200, JSON, b"abc"),
        Answer(200, JSON, b"abcd"),
        Answer(422, JSON, b"abc"),
        Answer(200, JSON[:1], b"abc"),
        Answer(200, JSON[::-1], b"abc"),
    ]
    heads = [config.head(answer, closes=closes) for answer in answers for closes in (False, True)]
    assert len(set(heads)) == 10
    assert [config.head(answer, closes=closes) for answer in answers for closes in (False, True)] == heads
    assert len(made) == 10
    assert [b"\r\nconnection: close\r\n" in head for head in heads] == [False, True] * 5


@pytest.mark.parametrize("step_s", [1.0, -1.0, 86_400.0, -86_400.0])
def test_a_clock_that_is_set_is_followed(clock: Clock, step_s: float) -> None:
    config = PlainConfig()
    config.head(Answer(200, JSON, b""), closes=False)
    clock.now_s += step_s
    assert config.head(Answer(200, JSON, b""), closes=False) == PlainConfig().head(Answer(200, JSON, b""), closes=False)


def test_headers_of_the_application_are_a_date_and_no_name(clock: Clock) -> None:
    config = PlainConfig()
    headers = config.response_headers("h11")
    assert headers == [(b"date", b"Thu, 09 Oct 2025 08:53:20 GMT")]
    assert config.response_headers("h2") is headers
    config.head(Answer(200, JSON, b""), closes=True)
    assert config.response_headers("h11") == headers  # what a head has besides did not get into them


def test_two_servers_share_no_heads(clock: Clock, made: list[int]) -> None:
    for _ in range(2):
        PlainConfig().head(Answer(200, JSON, b""), closes=False)
    assert made == [200, 200]


@given(st.integers(200, 599), st.lists(st.tuples(NAMES, VALUES), max_size=5), st.binary(max_size=20), st.booleans())
def test_a_client_reads_what_was_meant(
    status: int, fields: list[tuple[bytes, bytes]], body: bytes, closes: bool
) -> None:
    head = PlainConfig().head(Answer(status, tuple(fields), body), closes=closes)
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(head)
    response = client.next_event()
    assert isinstance(response, h11.Response)
    assert response.status_code == status
    *own, length, (date, _) = [each for each in response.headers if each != (b"connection", b"close")]
    assert (own, length, date) == (fields, (b"content-length", b"%d" % len(body)), b"date")
    assert ((b"connection", b"close") in list(response.headers)) == closes
    assert client.trailing_data == (b"", False)


@pytest.mark.parametrize("field", [(b"a b", b"1"), (b"", b"1"), (b"a", b"1\r\nset-cookie: x=1"), (b"a", b"1\0")])
def test_what_is_no_field_is_never_sent(clock: Clock, field: tuple[bytes, bytes]) -> None:
    config = PlainConfig()
    for _ in range(2):  # nor kept for the next time
        with pytest.raises(h11.LocalProtocolError):
            config.head(Answer(200, (*JSON, field), b""), closes=False)
