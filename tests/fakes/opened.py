"""Connections of sqlite3 as they are opened: which there were, and whether each has been closed."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
import trio


class Noted(sqlite3.Connection):
    """Says itself that it is closed: another thread may be at it, and must not be disturbed."""

    is_closed = False

    def close(self) -> None:
        super().close()
        self.is_closed = True


def note_opened(monkeypatch: pytest.MonkeyPatch) -> list[Noted]:
    """Every connection of ours that is opened from now on."""
    made: list[Noted] = []

    class Listed(Noted):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(sqlite3, "Connection", Listed)
    return made


def all_closed(connections: list[Noted]) -> bool:
    assert connections
    return all(each.is_closed for each in connections)


async def wait_all_closed(connections: list[Noted]) -> None:
    """For what a thread closes by itself that nobody waits for."""
    with trio.fail_after(5):
        while not all_closed(connections):
            await trio.sleep(0.01)
