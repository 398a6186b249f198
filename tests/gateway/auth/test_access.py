"""The credential in a request, and what the settings make of access."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from conf.settings import Settings
from conf.values import Secret
from gateway.auth.access import build_access, client_of, credential, identity_of, note_outcome, open_access
from gateway.auth.identity import AuthError, Identity


def asked(path: str = "/api/analytics/status", query: str = "", kind: str = "http") -> dict[str, Any]:
    return {"type": kind, "path": path, "query_string": query.encode()}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("scope", "authorization", "text"),
    [
        (asked(), None, None),
        (asked(), "Bearer t", "t"),
        (asked(), "bearer  t ", "t"),
        (asked(), "Token t", "t"),
        (asked(), "Bearer", ""),
        (asked(), "t", ""),
        (asked(), basic("user:t"), ""),
        (asked("/write"), basic("user:t:u"), "t:u"),
        (asked("/write"), "Basic é", ""),
        (asked("/write"), basic("no colon"), ""),
        (asked("/write", "db=a&u=user&p=t"), None, "t"),
        (asked("/api/v2/write", "p=a%2Bb"), None, "a+b"),
        (asked("/write", "u=user"), None, None),
        (asked("/write", "p=t&" + "x&" * 200), None, None),
        (asked(query="token=t"), None, None),
        (asked(query="p=t"), None, None),
        (asked("/ws/analytics", "token=t", "websocket"), None, "t"),
        (asked("/ws/analytics", "x=1&token=t", "websocket"), None, "t"),
        (asked("/ws/analytics", "token=t", "websocket"), "Bearer u", "u"),
    ],
)
def test_where_a_credential_may_stand(scope: dict[str, Any], authorization: str | None, text: str | None) -> None:
    headers = {} if authorization is None else {b"authorization": authorization.encode("latin-1")}
    assert credential(scope, headers) == text


def test_the_outcome_travels_in_the_scope() -> None:
    scope: dict[str, Any] = {}
    with pytest.raises(AuthError):
        identity_of(scope)
    note_outcome(scope, AuthError("expired", expired=True), "1.2.3.4")
    with pytest.raises(AuthError, match="expired"):
        identity_of(scope)
    assert client_of(scope) == "1.2.3.4"
    note_outcome(scope, Identity("token:1", frozenset()), "1.2.3.4")
    assert identity_of(scope).client == client_of(scope) == "token:1"


def test_without_authentication_an_account_is_an_address() -> None:
    scope: dict[str, Any] = {}
    note_outcome(scope, open_access().verifier.identify(None), "1.2.3.4")
    assert client_of(scope) == "1.2.3.4"


def test_weak_settings_are_pointed_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    build_access(Settings(auth_mode="jwt", auth_secret=Secret("canary")), lambda: 0)
    assert "shorter than 32 bytes" in caplog.text
    build_access(Settings(allow_open=True), lambda: 0)
    assert "there is no authentication" in caplog.text
    assert "canary" not in caplog.text
    caplog.clear()
    build_access(Settings(auth_mode="token", tokens_file=tmp_path / "t.json", allow_open=True), lambda: 0)
    assert caplog.text == ""
