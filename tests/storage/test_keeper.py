"""The keeper: a damaged file lies aside, a new one is open, and what could be read is in it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import trio
import trio.lowlevel
import trio.testing

from storage.archive import ArchiveError, PoisonError
from storage.backup import back_up, restore
from storage.inspection import inspect_archive
from storage.keeper import ArchiveKeeper
from storage.models import SeriesPart
from storage.recovery import moved_aside, report_of
from storage.salvage import Batch
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from storage.sqlite_errors import OnDamage
from tests.storage.archive_suite import an_insight, everything

NOW_MS = 1_780_000_000_000
PAGE = 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def keeper(path: Path) -> ArchiveKeeper:
    async def open_file(on_damage: OnDamage) -> SqliteArchive:
        return await open_sqlite_archive(path, busy_timeout_ms=100, on_damage=on_damage)

    return ArchiveKeeper(path, open_file, wall_ms=lambda: NOW_MS)


NAMES = [f"coach.metric_{index:02}" for index in range(20)]
SAMPLES = 500


async def filled(path: Path) -> SqliteArchive:
    archive = await open_sqlite_archive(path)
    rng = np.random.default_rng(3)
    times = np.arange(SAMPLES, dtype=np.int64) * 1000
    for name in NAMES:
        await archive.append([SeriesPart(name, times, rng.normal(size=SAMPLES))])
    await archive.append([], [an_insight()])
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


@pytest.mark.parametrize("in_its_place", [False, True])
async def test_a_file_that_was_deleted_meanwhile_is_a_new_one(path: Path, in_its_place: bool) -> None:
    kept, replaced = keeper(path), []
    kept.on_replaced = lambda: replaced.append(1)
    for _ in range(2):
        await (await kept.open()).aclose()
    assert replaced == []
    await trio.Path(path).rename(path.with_name("taken.away"))
    if in_its_place:
        await (await filled(path)).aclose()
    for _ in range(2):
        await (await kept.open()).aclose()
    assert replaced == [1]


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


def spoil(path: Path) -> None:
    """The second half: whoever reads everything meets it."""
    half = path.stat().st_size // 2 // PAGE * PAGE
    overwrite(path, half, b"\xff" * (path.stat().st_size - half))


async def test_damage_met_while_running_is_told_and_the_next_open_replaces_the_file(path: Path) -> None:
    await (await filled(path)).aclose()
    kept = keeper(path)
    told: list[str] = []
    kept.on_damage = lambda: told.append("damage")
    kept.on_replaced = lambda: told.append("replaced")
    archive = await kept.open()
    spoil(path)
    with pytest.raises(ArchiveError) as caught:
        await all_of(archive)
    assert caught.value.trouble == "corrupt"
    assert set(told) == {"damage"}
    await archive.aclose()
    archive = await kept.open()
    assert told[-1] == "replaced"
    await archive.append([SeriesPart("new", np.array([1]), np.array([2.0]))])
    assert await kept.salvage() > 0
    assert (await all_of(archive))["new"] == {1: 2.0}
    await archive.aclose()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ("DROP TABLE analytics_series_metadata", "the table analytics_series_metadata is missing"),
        (
            "ALTER TABLE analytics_series_metadata RENAME metadata TO said",
            "the column metadata of analytics_series_metadata is missing",
        ),
    ],
)
async def test_a_file_that_lacks_what_its_version_says_is_there(path: Path, change: str, missing: str) -> None:
    """SQLite finds it sound, and every read and write would fail for ever."""
    archive = await filled(path)
    before = await all_of(archive)
    await archive.aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
    assert inspect_archive(path).damage == missing
    kept = keeper(path)
    archive = await kept.open()
    await kept.salvage()
    assert await all_of(archive) == before
    await archive.aclose()
    (aside,) = moved_aside(path)
    report = report_of(aside)
    assert report is not None
    assert report.reason == missing


async def test_a_restore_is_told_as_one(path: Path, tmp_path: Path) -> None:
    await (await filled(path)).aclose()
    back_up(path, tmp_path / "copy.db")
    kept = keeper(path)
    told: list[str] = []
    kept.on_damage = lambda: told.append("open anew")
    kept.on_replaced = lambda: told.append("replaced")
    kept.on_restored = lambda: told.append("restored")
    archive = await kept.open()
    await archive.append([SeriesPart("new", np.array([1]), np.array([2.0]))])
    await trio.to_thread.run_sync(restore, tmp_path / "copy.db", path)
    with pytest.raises(ArchiveError):
        await archive.append([SeriesPart("new", np.array([2]), np.array([2.0]))])
    await archive.aclose()
    archive = await kept.open()
    assert told == ["restored", "open anew"]
    assert "new" not in await archive.names()
    await archive.aclose()


async def test_damage_that_a_check_cannot_find_is_believed_the_second_time(path: Path) -> None:
    await (await filled(path)).aclose()
    kept = keeper(path)
    archive = await kept.open()
    kept._suspect(ArchiveError("corrupt", "the database file is damaged (says a read)"))
    await archive.aclose()
    archive = await kept.open()
    assert moved_aside(path) == []
    kept._suspect(ArchiveError("corrupt", "the database file is damaged (says a read)"))
    await archive.aclose()
    archive = await kept.open()
    assert len(moved_aside(path)) == 1
    assert await kept.salvage() == SAMPLES * len(NAMES) + 1
    await archive.aclose()


async def test_at_most_three_are_kept(path: Path) -> None:
    for round_number in range(5):
        archive = await open_sqlite_archive(path)
        await archive.append([SeriesPart(f"round.{round_number}", np.array([1]), np.array([2.0]))])
        await archive.aclose()
        overwrite(path, 0, os.urandom(100))
        archive = await (kept := keeper(path)).open()
        await kept.salvage()
        await archive.aclose()
    assert [each.name for each in moved_aside(path)] == [f"analytics.db.damaged-{number}" for number in (3, 4, 5)]
    left = {each.name for each in path.parent.iterdir()}
    assert not {name for name in left if "damaged-1" in name or "damaged-2" in name}
    archive = await open_sqlite_archive(path)
    assert await archive.names() == [f"round.{number}" for number in range(5)]
    await archive.aclose()


async def test_salvage_that_was_cut_short_is_done_again(path: Path) -> None:
    archive = await filled(path)
    before = await all_of(archive)
    await archive.aclose()
    overwrite(path, 0, os.urandom(100))
    kept = keeper(path)
    archive = await kept.open()
    with trio.CancelScope() as scope:
        kept.state = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kept.salvage)
            while kept.state is None or not kept.state.stored:
                await trio.testing.wait_all_tasks_blocked()
                await trio.lowlevel.checkpoint()
            scope.cancel()
    await archive.aclose()
    (aside,) = moved_aside(path)
    assert (report := report_of(aside)) is not None
    assert report.finished_ms is None
    kept = keeper(path)
    archive = await kept.open()
    assert await kept.salvage() > 0
    assert await all_of(archive) == before
    assert await kept.salvage() == 0
    await archive.aclose()


async def test_a_file_that_is_not_ours_is_left_alone(path: Path) -> None:
    path.write_bytes(b"somebody's notes\n" * 1000)  # noqa: ASYNC240
    with pytest.raises(ArchiveError) as caught:
        await keeper(path).open()
    assert caught.value.trouble == "foreign"
    assert [each.name for each in path.parent.iterdir()] == ["analytics.db"]


async def test_it_needs_an_open_archive(path: Path) -> None:
    with pytest.raises(ArchiveError):
        await keeper(path).salvage()


async def test_a_row_that_cannot_be_stored_costs_no_other(path: Path) -> None:
    await (await filled(path)).aclose()
    overwrite(path, 0, os.urandom(100))

    class Choosy:
        """Refuses one row, as SQLite does with what is too big."""

        def __init__(self, archive: SqliteArchive) -> None:
            self._archive = archive

        async def adopt(self, batch: Batch) -> int:
            if batch.table == "analytics_insights":
                raise PoisonError("too big")
            return await self._archive.adopt(batch)

    kept = keeper(path)
    archive = await kept.open()
    kept._archive = Choosy(archive)  # type: ignore[assignment]
    assert await kept.salvage() == SAMPLES * len(NAMES)
    await archive.aclose()
