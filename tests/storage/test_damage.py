"""Damage is named once, and counted."""

from __future__ import annotations

import logging

import pytest

from storage.damage import MOST_NAMED, Damage


def test_each_row_once(caplog: pytest.LogCaptureFixture) -> None:
    damage = Damage()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            damage.note("analytics_chunks", 7, "its checksum does not fit")
        damage.note("analytics_journal", 7, "it is cut short")
    assert len(damage) == len(caplog.records) == 2
    assert damage.rows("analytics_chunks") == {7}
    assert damage.named() == [
        "row 7 of analytics_chunks: its checksum does not fit",
        "row 7 of analytics_journal: it is cut short",
    ]


def test_its_memory_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    damage = Damage()
    for row in range(MOST_NAMED + 5):
        damage.note("analytics_chunks", row, "x")
    assert len(damage) == MOST_NAMED
