"""A month of one coach, simulated once for all tests that only look at it."""

from __future__ import annotations

import pytest

from gateway.demo.coach import DAY_MS, Coach, Stretch
from tests.fakes.memory_archive import MemoryArchive

NOON_MS = 1_795_521_600_000  # 2026-11-24 12:00 UTC


@pytest.fixture(scope="session")
def now_ms() -> int:
    return NOON_MS


@pytest.fixture(scope="session")
def month() -> tuple[Coach, Stretch]:
    """Thirty days up to noon, without the weekly faults: what is left is physics."""
    coach = Coach(7, NOON_MS - 30 * DAY_MS)
    coach.faults = lambda start_ms, end_ms: []  # type: ignore[method-assign]
    return coach, coach.run(NOON_MS)


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()
