"""Host, Origin and X-Forwarded-*: what comes from where it may, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.values import networks
from gateway.auth.places import Place, PlaceError, Places

PEER = "192.168.1.7"
PLACES = Places(
    ("rv.example.com", "*.coach.test"),
    ("https://grafana.example.com", "https://other.example.com:443"),
    networks("127.0.0.1,10.0.0.0/8"),
    own_name="pi.home.lan",
)


def check(peer: str = PEER, **headers: str) -> Place:
    return PLACES.check(
        {name.replace("_", "-").encode(): text.encode("latin-1") for name, text in headers.items()}, peer
    )


def status(peer: str = PEER, **headers: str) -> int:
    with pytest.raises(PlaceError) as caught:
        check(peer, **headers)
    return caught.value.status


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8099", "[::1]:8099", "[::1]", "192.168.1.2:8099", "localhost:8099", "LocalHost",
        "a.localhost", "analytics", "analytics:8099", "coachiq.local", "pi.home.lan", "pi.local", "rv.example.com",
        "RV.example.com:443", "rv.example.com.", "x.coach.test", "a.b.coach.test:80", "",
    ],
)  # fmt: skip
def test_names_of_ours(host: str) -> None:
    assert check(host=host) == Place(PEER)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.local", "rv.example.com.evil.example", "xrv.example.com", "coach.test",
        "127.0.0.1.evil.example", "localhost.evil.example", "localhost:80:80", "localhost:x", "[::1", "[evil]",
        "[::1]x", "a@b", "127.0.0.1/..", "é.example", ":80", "1.2.3", "pi.local.evil.example",
    ],
)  # fmt: skip
def test_other_names(host: str) -> None:
    assert status(host=host) == 421


def test_no_host_at_all_is_no_browser() -> None:
    assert PLACES.check({}, PEER) == Place(PEER)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("192.168.1.2:8099", "http://192.168.1.2:8099"),
        ("rv.example.com", "https://rv.example.com"),
        ("rv.example.com:443", "https://rv.example.com"),
        ("rv.example.com", "http://rv.example.com:80"),
        ("localhost:8099", "http://localhost:8099"),
        ("[::1]:8099", "http://[::1]:8099"),
        ("127.0.0.1", "https://grafana.example.com"),
        ("127.0.0.1", "https://grafana.example.com:443"),
        ("127.0.0.1", "https://other.example.com"),
    ],
)
def test_origins_of_ours(host: str, origin: str) -> None:
    assert check(host=host, origin=origin) == Place(PEER)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8099", "http://127.0.0.1:8000"),
        ("127.0.0.1:8099", "http://localhost:8099"),
        ("127.0.0.1:8099", "https://evil.example"),
        ("127.0.0.1:8099", "null"),
        ("127.0.0.1:8099", ""),
        ("127.0.0.1:8099", "http://"),
        ("127.0.0.1:8099", "https://grafana.example.com.evil.example"),
        ("127.0.0.1:8099", "http://grafana.example.com"),
        ("", "https://evil.example"),
        ("", ""),
    ],
)
def test_origins_of_others(host: str, origin: str) -> None:
    assert status(host=host, origin=origin) == 403


def test_a_proxy_that_puts_its_own_host() -> None:
    asked = {"host": "127.0.0.1:8099", "origin": "https://rv.example.com"}
    assert status(**asked) == 403
    # ... says which one was asked for, if it is ours; or the browser vouches for a name that is ours.
    assert check("127.0.0.1", x_forwarded_host="rv.example.com", **asked).forwarded
    assert status(PEER, x_forwarded_host="rv.example.com", **asked) == 403
    assert check(sec_fetch_site="same-origin", **asked)
    assert status(host="127.0.0.1:8099", origin="https://evil.example", sec_fetch_site="same-origin") == 403
    assert status(host="127.0.0.1:8099", origin="https://rv.example.com", sec_fetch_site="cross-site") == 403


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (PEER, "1.2.3.4", PEER),
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("::ffff:127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4"),
        ("127.0.0.1", "10.1.1.1", "10.1.1.1"),
        ("127.0.0.1", "1.2.3.4, junk", "127.0.0.1"),
        ("127.0.0.1", "junk, 1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "[fe80::1]", "fe80::1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "1.2.3.4", ""),
    ],
)
def test_the_client_behind_proxies(peer: str, forwarded: str, client: str) -> None:
    assert check(peer, host="localhost", x_forwarded_for=forwarded).client == client


@given(st.text(st.characters(max_codepoint=255), max_size=40), st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_headers_are_judged(host: str, origin: str) -> None:
    try:
        place = check(host=host, origin=origin)
    except PlaceError:
        return
    assert place.client == PEER
