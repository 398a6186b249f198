"""Scopes and roles."""

from __future__ import annotations

import pytest

from gateway.auth.identity import EVERYTHING, ROLES, SCOPES, Identity, granted


def test_admin_includes_everything():
    assert granted(["admin"]) == EVERYTHING == frozenset(SCOPES)
    assert granted(["read", "ingest", "read"]) == {"read", "ingest"}
    assert granted([]) == frozenset()


def test_an_unknown_scope_is_named():
    with pytest.raises(ValueError, match="unknown scope 'write'"):
        granted(["read", "write"])


def test_what_is_not_granted_is_refused():
    looker = Identity("user:1", ROLES["readonly"])
    assert [scope for scope in SCOPES if looker.may(scope)] == ["read"]
    assert [scope for scope in SCOPES if Identity("u", ROLES["user"]).may(scope)] == ["ingest", "read", "act"]
