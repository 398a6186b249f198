"""Targets of notifications: which there are, and whose hosts have to be checked."""

from __future__ import annotations

import pytest

from gateway.channel_targets import hosts_of, target_error


@pytest.mark.parametrize(
    "url", ["mailtos://a:b@example.org", "ntfy://topic", "tgram://token/1", "pover://u@t", "twilio://s:t@1/2"]
)
def test_the_usual_ones(url: str) -> None:
    assert target_error(url) is None


@pytest.mark.parametrize(
    "url", ["file:///x", "dbus://", "json://x", "syslog://", "http://x", "ntfy://h/t?redirect=yes", "mailto://[", "x"]
)
def test_others_are_not(url: str) -> None:
    assert target_error(url) is not None


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("ntfy://topic", []),
        ("ntfy://10.0.0.1:8080/topic", [("10.0.0.1", 8080)]),
        ("tgram://123:abc/1", []),
        ("mailto://u:p@example.org?smtp=10.0.0.1", [("10.0.0.1", 0), ("example.org", 0)]),
        ("gotifys://host/token", [("host", 0)]),
    ],
)
def test_hosts_that_somebody_chose(url: str, hosts: list[tuple[str, int]]) -> None:
    assert hosts_of(url) == hosts
