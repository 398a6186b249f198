"""Secrets of channels: shown to nobody, kept when they come back masked, never stored as a mask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.channel_secrets import MASK, MaskedError, masked, masked_url, unmasked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.org/services/T0/B0/s3cret", "https://hooks.example.org/****"),
        ("https://example.org", "https://example.org"),
        ("http://example.org:8080/?key=s3cret", "http://example.org:8080/****"),
        ("https://example.org?key=s3cret", "https://example.org/****"),
        ("https://anna:s3cret@example.org/", "https://****@example.org/"),
        ("https://an@na:s3cret@example.org", "https://****@example.org"),
        ("mailtos://anna:s3cret@example.org", "mailtos://anna:****@example.org"),
        ("mailtos://anna:s3@cret@example.org?to=b@example.org", "mailtos://anna:****@example.org?to=b@example.org"),
        ("mailto://anna:s3cret@example.org/b@example.org", "mailto://anna:****@example.org/b@example.org"),
        ("mailto://example.org?from=a@b.c&pass=s3cret&user=anna", "mailto://example.org?from=a@b.c&pass=****&user=****"),
        ("mailto://127.0.0.1:25?from=a@b.c&to=d@e.f&mode=insecure", "mailto://127.0.0.1:25?from=a@b.c&to=d@e.f&mode=insecure"),
        ("mailto://anna:s3/cret@example.org", "mailto://****"),
        ("mailto://example.org#s3cret", "mailto://****"),
        ("ntfy://s3cret", "ntfy://****"),
        ("tgram://123:s3cret/456", "tgram://****"),
    ],
)  # fmt: skip
def test_what_is_shown(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def preferences(*channels: tuple[str, str, str | None]) -> dict[str, Any]:
    return {
        "theme": "night",
        "notifications": {"enabled": True, "channels": [{"id": i, "url": u, "secret": s} for i, u, s in channels]},
    }


STORED = preferences(("hook", "https://example.org/s3cret", "key"), ("mail", "mailtos://a:s3cret@example.org", None))


def test_there_and_back() -> None:
    shown = masked(STORED)
    assert "s3cret" not in str(shown)
    assert [each["secret"] for each in shown["notifications"]["channels"]] == [MASK, None]
    assert unmasked(shown, STORED) == STORED


def test_new_values_replace_the_stored_ones() -> None:
    asked = preferences(("hook", "https://example.org/new", "other"), ("mail", "mailtos://a:s3cret@example.org", None))
    assert unmasked(asked, STORED) == asked
    assert unmasked(asked, None) == asked
    no_key = preferences(("hook", "https://example.org/****", None))
    assert unmasked(no_key, STORED)["notifications"]["channels"] == [
        {"id": "hook", "url": "https://example.org/s3cret", "secret": None}
    ]


@pytest.mark.parametrize(
    ("asked", "stored", "member"),
    [
        (("hook", "https://example.com/****", None), STORED, "notifications.channels.0.url"),  # another host
        (("mail", "mailtos://a:****@example.com", None), STORED, "notifications.channels.0.url"),
        (("new", "https://example.org/****", None), STORED, "notifications.channels.0.url"),  # another channel
        (("hook", "https://example.org/****", None), None, "notifications.channels.0.url"),
        (("mail", "mailtos://b:x@example.org", MASK), STORED, "notifications.channels.0.secret"),
    ],
)
def test_a_mask_that_stands_for_nothing(asked: Any, stored: Any, member: str) -> None:
    with pytest.raises(MaskedError, match=member):
        unmasked(preferences(asked), stored)


@given(
    scheme=st.sampled_from(["http", "https", "mailto", "mailtos", "ntfy", "slack"]),
    user=st.text("ab@:", max_size=5),
    secret=st.builds("{}XYZ{}".format, st.text("Q@:.%/#?&=", max_size=5), st.text("Q@:.%/#?&=", max_size=5)),
    tail=st.sampled_from(["", "/", "/b@c", "?to=b", "?x=XYZ", "/p?pass=XYZ&to=b", "#XYZ"]),
)
def test_no_password_is_ever_shown(scheme: str, user: str, secret: str, tail: str) -> None:
    # With both unescaped, what follows the @ is a host and its query to any reader of addresses: no password.
    assume(not ("@" in secret and "?" in secret))
    shown = masked_url(f"{scheme}://{user.replace(':', '').replace('@', '')}:{secret}@example.org{tail}")
    assert "XYZ" not in shown
