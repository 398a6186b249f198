"""Insights and patterns as rows and back."""

from __future__ import annotations

from math import nan

import pytest
from msgspec.structs import replace

from storage.sqlite_records import insight_of, insight_row, pattern_of, pattern_row
from tests.storage.archive_suite import a_pattern, an_insight


def test_there_and_back() -> None:
    for insight in (
        an_insight(),
        replace(an_insight(), expires_at_ms=None, metric=None, actions=(), status="resolved"),
    ):
        assert insight_of(insight_row(insight)) == insight
    for pattern in (a_pattern(), replace(a_pattern(), frequency=None, correlation_factors=())):
        assert pattern_of(pattern_row(pattern)) == pattern


def test_text_stays_readable_in_the_file() -> None:
    assert "Küche" in insight_row(an_insight())[8]


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        insight_row(replace(an_insight(), evidence={"value": nan}))
    with pytest.raises(TypeError):
        pattern_row(replace(a_pattern(), data={"value": object()}))
