"""The keeper: a damaged file lies aside, a new one is open, and what could be read is in it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.archive import ArchiveError
from storage.keeper import ArchiveKeeper
from storage.models import SeriesPart
from storage.recovery import moved_aside, report_of
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from tests.storage.archive_suite import an_insight, everything

NOW_MS = 1_780_000_000_000
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def keeper(path: Path) -> ArchiveKeeper:
    async def open_file(on_damage: Callable[[str], None]) -> SqliteArchive:
        return await open_sqlite_archive(path, busy_timeout_ms=100, on_damage=on_damage)

    return ArchiveKeeper(path, open_file, wall_ms=lambda: NOW_MS)


NAMES = [f"coach.metric_{index:02}" for index in range(20)]
SAMPLES = 500


async def filled(path: Path) -> SqliteArchive:
    archive = await open_sqlite_archive(path)
    rng = np.random.default_rng(3)
    times = np.arange(SAMPLES, dtype=np.int64) * 1000
    await archive.append([SeriesPart(name, times, rng.normal(size=SAMPLES)) for name in NAMES], [an_insight()])
    return archive


async def all_of(archive: SqliteArchive) -> dict[str, dict[int, float]]:
    return {name: await everything(archive, name) for name in await archive.names()}


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


async def test_a_sound_file_is_opened(path: Path) -> None:
    await (await filled(path)).aclose()
    kept = keeper(path)
    archive = await kept.open()
    assert len(await archive.names()) == len(NAMES)
    assert await kept.salvage() == 0
    await archive.aclose()
    assert moved_aside(path) == []


async def test_a_lost_header_costs_nothing(path: Path) -> None:
    archive = await filled(path)
    before = await all_of(archive)
    await archive.aclose()
    overwrite(path, 0, os.urandom(100))
    kept = keeper(path)
    archive = await kept.open()
    assert await archive.names() == []
    assert await kept.salvage() == SAMPLES * len(NAMES) + 1
    assert await all_of(archive) == before
    assert len(await archive.insights(0, 10)) == 1
    await archive.aclose()
    (aside,) = moved_aside(path)
    report = report_of(aside)
    assert report is not None
    assert report.finished_ms == NOW_MS
    assert "header" in report.reason
