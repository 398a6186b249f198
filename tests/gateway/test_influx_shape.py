"""Errors as Influx clients read them."""

from __future__ import annotations

import pytest

from gateway.influx_shape import influx_members


@pytest.mark.parametrize(("status", "code"), [(400, "invalid"), (401, "unauthorized"), (500, "internal error")])
def test_members(status: int, code: str) -> None:
    assert influx_members("/write", status, "why") == {"code": code, "message": "why", "error": "why"}


def test_nothing_elsewhere() -> None:
    assert influx_members("/api/analytics/metrics", 400, "why") == {}
