"""What gateway/refusals.py promises."""

from __future__ import annotations

import h11
import pytest

from gateway.refusals import MAX_FIELDS, has_oversized_head, refusal_of

LIMIT = 16 * 1024


@pytest.mark.parametrize(
    ("data", "is_over"),
    [
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" + b"x" * 100_000, False),  # a body, or the next request
        (b"GET / HTTP/1.1\nhost: a\n\n" + b"x" * 100_000, False),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 1_000, False),  # not whole yet
        (b"GET / HTTP/1.1\r\nx: " + b"y" * LIMIT, True),
        (b"GET /" + b"a" * LIMIT + b" HTTP/1.1\r\nhost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (MAX_FIELDS - 1) + b"\r\n", False),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (MAX_FIELDS + 1) + b"\r\n", True),
    ],
)
def test_a_head_is_measured_before_it_is_parsed(data: bytes, is_over: bool) -> None:
    assert has_oversized_head(data, LIMIT) == is_over


def test_a_head_that_came_in_pieces_is_bounded_too() -> None:
    fields = [(b"host", b"a"), *((b"x-%d" % n, b"y") for n in range(MAX_FIELDS))]
    request = h11.Request(method=b"GET", target=b"/", headers=fields)
    refusal = refusal_of(request, dict(fields), b"/", LIMIT)
    assert refusal is not None
    assert refusal[0] == 431
