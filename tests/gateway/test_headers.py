"""The headers of every answer."""

from __future__ import annotations

from gateway.headers import RAW_HEADERS, SECURITY_HEADERS


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    directives = dict(
        part.strip().partition(" ")[::2] for part in SECURITY_HEADERS["Content-Security-Policy"].split(";")
    )
    assert directives["default-src"] == "'self'"
    assert directives["object-src"] == directives["base-uri"] == "'none'"
    assert "unsafe" not in str(directives)


def test_raw_headers_are_the_same_ones() -> None:
    assert {name for name, _ in RAW_HEADERS} == {name.lower().encode() for name in SECURITY_HEADERS} | {
        b"cache-control"
    }
