"""Which of the core's tokens are a key."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.auth.core_jwt import SKEW_MS, identify
from gateway.auth.identity import EVERYTHING, ROLES, AuthError

SECRET = "a secret of the core which is long enough"
NOW_MS = 1_760_000_000_000
NOW = NOW_MS // 1000
NEW = {"sub": "u1", "username": "ann", "type": "access", "exp": NOW + 900}
LEGACY = {"sub": "u1", "iss": "coachiq", "aud": "coachiq-api", "exp": NOW + 900}


def sign(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.encode(claims, secret, algorithm=algorithm)


def why_not(text: str) -> AuthError:
    with pytest.raises(AuthError) as caught:
        identify(text, SECRET, NOW_MS)
    return caught.value


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        (NEW, "user"),
        ({**NEW, "role": "admin"}, "admin"),
        ({**NEW, "role": "user"}, "user"),
        ({**NEW, "role": "readonly"}, "readonly"),
        ({**NEW, "role": "owner"}, "readonly"),
        ({**NEW, "role": ["admin"]}, "readonly"),
        ({**NEW, "role": "readonly", "admin": True}, "readonly"),
        ({**NEW, "admin": True}, "admin"),
        ({**NEW, "admin": False}, "user"),
        ({**NEW, "admin": "true"}, "user"),
        ({**NEW, "iat": NOW, "email": "a@b"}, "user"),
        (LEGACY, "user"),
        ({**LEGACY, "aud": ["other", "coachiq-api"], "role": "admin"}, "admin"),
        ({**LEGACY, "type": "access"}, "user"),
        ({**NEW, "exp": NOW + 0.5}, "user"),
        ({**NEW, "iat": NOW + 60, "nbf": NOW + 60}, "user"),  # the core's clock is a minute ahead
    ],
)
def test_access_tokens(claims: dict[str, Any], role: str) -> None:
    identity = identify(sign(claims), SECRET, NOW_MS)
    assert identity.scopes == ROLES[role]
    assert identity.client == "user:u1"
    assert identity.expires_ms == int(claims["exp"] * 1000)


def test_admin_may_everything() -> None:
    assert ROLES["admin"] == EVERYTHING


@pytest.mark.parametrize(
    "claims",
    [
        {**NEW, "type": "refresh"},
        {**NEW, "type": "magic_link"},
        {**NEW, "type": None},
        {**NEW, "type": ["access"]},
        {**NEW, "token_type": "access"},
        {**LEGACY, "token_type": "refresh"},
        {name: value for name, value in NEW.items() if name != "type"},
        {**NEW, "iss": "elsewhere"},
        {**NEW, "aud": "elsewhere"},
        {**NEW, "iss": 7},
        {**LEGACY, "aud": ["elsewhere"]},
        {**LEGACY, "aud": {"coachiq-api": 1}},
        {name: value for name, value in LEGACY.items() if name != "aud"},
        {name: value for name, value in LEGACY.items() if name != "iss"},
        {**NEW, "sub": ""},
        {**NEW, "sub": None},
        {**NEW, "sub": ["u1"]},
        {name: value for name, value in NEW.items() if name != "exp"},
        {**NEW, "exp": "tomorrow"},
        {**NEW, "exp": True},
        {**NEW, "exp": None},
        {**NEW, "iat": NOW + SKEW_MS // 1000 + 1},
        {**NEW, "nbf": NOW + SKEW_MS // 1000 + 1},
        {**NEW, "iat": "now"},
        {**NEW, "sub": "\ud800"},
    ],
)
def test_other_tokens_of_the_same_secret(claims: dict[str, Any]) -> None:
    try:
        text = sign(claims)
    except TypeError:  # PyJWT does not sign an issuer that is no text; somebody else may
        text = _by_hand(claims)
    assert not why_not(text).expired


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("number", [1e306, -1e306, 1e300, 10**400, -(10**400), float("inf"), float("nan")])
def test_numbers_that_are_no_time(name: str, number: float) -> None:
    assert str(why_not(_by_hand({**NEW, name: number}))) == f"The token's {name} is not a time"


@pytest.mark.parametrize("ago", [0, 1, 60, 10**9])
def test_expired(ago: int) -> None:
    error = why_not(sign({**NEW, "exp": NOW - ago}))
    assert error.expired
    assert "expired" in str(error)


def _by_hand(claims: dict[str, Any], header: dict[str, Any] | None = None, secret: str = SECRET) -> str:
    import hashlib
    import hmac

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT"} if header is None else header) + b"." + part(claims)
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    "text",
    [
        sign(NEW, "another secret, which is long enough"),
        sign(NEW, algorithm="HS512"),
        sign(NEW, algorithm="HS384"),
        _by_hand(NEW, {"alg": "none"}),
        _by_hand(NEW, {"alg": "RS256"}),
        _by_hand(NEW, {"alg": "hs256"}),
        _by_hand(NEW, {}),
        _by_hand(NEW, {"alg": "HS256", "crit": ["exp"]}),
        sign(NEW)[:-2],
        sign(NEW).rpartition(".")[0] + ".",
        "a.b.c",
        "...",
        "é.é.é",
        "x" * 10_000,
        _by_hand([NEW]),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_token_of_the_core(text: str) -> None:
    error = why_not(text)
    assert not error.expired
    assert text[:20] not in str(error)


@given(st.text(max_size=60))
def test_any_text_is_refused_and_never_fails(text: str) -> None:
    why_not(text)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of a run loads a table
@given(
    st.dictionaries(
        st.sampled_from(["sub", "exp", "iat", "nbf", "type", "role", "admin", "iss", "aud", "token_type"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2),
    )
)
def test_any_claims_give_an_identity_or_a_refusal(claims: dict[str, Any]) -> None:
    try:
        identity = identify(_by_hand(claims), SECRET, NOW_MS)
    except AuthError:
        return
    assert identity.expires_ms is not None
    assert identity.expires_ms > NOW_MS
