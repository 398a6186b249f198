"""Values of settings: what parses, and secrets that stay one."""

from __future__ import annotations

import ipaddress

import pytest

from conf.values import HIDDEN, Secret, base_url, hosts, networks, origins, secret


def test_lists():
    assert hosts("RV.example.com, *.coach.test") == ("rv.example.com", "*.coach.test")
    assert origins("https://RV.example.com:8443") == ("https://rv.example.com:8443",)
    assert networks("127.0.0.1,192.168.1.0/24, ::1") == (
        ipaddress.ip_network("127.0.0.1/32"),
        ipaddress.ip_network("192.168.1.0/24"),
        ipaddress.ip_network("::1/128"),
    )


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (hosts, ","),
        (hosts, "*"),
        (hosts, "a/b"),
        (hosts, "a:80"),
        (origins, "ftp://a"),
        (origins, "https://a/path"),
        (networks, "10.0.0.1/8"),
        (base_url("http"), "ftp://core"),
        (base_url("http"), "http://core:0"),
        (base_url("http"), "http://core:99999"),
        (base_url("http"), "http://a b"),
        (base_url("http"), "http://core?x=1"),
        (secret, " "),
    ],
)
def test_what_does_not_parse_says_what_was_expected(parse, text):
    with pytest.raises(ValueError, match=r"^expected"):
        parse(text)


def test_urls_lose_their_last_slash():
    assert base_url("http", "ws")("ws://core.local:8000/") == "ws://core.local:8000"


def test_a_secret_shows_itself_only_when_asked():
    value = secret(" canary ")
    assert value == Secret("canary")
    assert f"{value} {value!r} {[value]}" == f"{HIDDEN} {HIDDEN} [{HIDDEN}]"
    assert value.reveal() == "canary"
