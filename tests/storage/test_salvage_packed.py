"""Packed history under damage: a bad chunk costs itself alone, and chunks, packs, journal and names come back."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage.keeper import ArchiveKeeper
from storage.models import SeriesPart
from storage.pages import Pages
from storage.recovery import moved_aside, report_of
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from storage.sqlite_errors import OnDamage
from tests.storage.archive_suite import everything

NOW_MS = 1_780_000_000_000
PAGE = 1024
LONG = [f"long.{number}" for number in range(8)]
SHORT = [f"short.{number}" for number in range(40)]
Content = dict[str, dict[int, float]]


def keeper(path: Path) -> ArchiveKeeper:
    async def open_file(on_damage: OnDamage) -> SqliteArchive:
        return await open_sqlite_archive(path, on_damage=on_damage)

    return ArchiveKeeper(path, open_file, wall_ms=lambda: NOW_MS)


async def content(archive: SqliteArchive) -> Content:
    return {name: await everything(archive, name) for name in await archive.names()}


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
async def sound(path: Path) -> Content:
    """Chunks of long series, packs of short ones, a journal, rows; what it holds."""
    archive = await open_sqlite_archive(path)
    rng = np.random.default_rng(1)
    for day in range(3):
        times = NOW_MS + day * 86_400_000 + np.arange(5_000, dtype=np.int64) * 10_000
        await archive.append([SeriesPart(name, times, rng.normal(size=5_000)) for name in LONG])
        few = NOW_MS + day * 86_400_000 + np.arange(20, dtype=np.int64) * 60_000
        await archive.append([SeriesPart(name, few, rng.normal(size=20)) for name in SHORT])
        while await archive.compact(1):
            pass
    late = NOW_MS + 4 * 86_400_000 + np.arange(500, dtype=np.int64) * 1_000
    await archive.append([SeriesPart(name, late, rng.normal(size=500)) for name in LONG])
    await archive.append([SeriesPart("row", late[:3], np.ones(3))])
    held = await content(archive)
    await archive.aclose()
    return held


def write(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def chunks(path: Path, where: str = "level = 0") -> list[tuple[int, int, int, bytes]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            f"SELECT metric_id, start_ms, end_ms, data FROM analytics_chunks WHERE {where} ORDER BY chunk_id"
        ).fetchall()


def name_of(metric_id: int, held: Content) -> str:
    from storage.sqlite_names import hashed

    return next(name for name in held if hashed(name) == metric_id)


def flip_a_bit(path: Path, data: bytes) -> None:
    """In the middle of the blob, where it lies in the file."""
    probe = data[len(data) // 2 : len(data) // 2 + 48]
    at = path.read_bytes().index(probe)
    write(path, at + 20, bytes([probe[20] ^ 0x04]))


def cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // PAGE * PAGE)


async def recovered(path: Path) -> Content:
    kept = keeper(path)
    archive = await kept.open()
    await kept.salvage()
    found = await content(archive)
    await archive.aclose()
    return found


async def test_a_flipped_bit_in_a_blob_costs_that_chunk_and_no_restart(path: Path, sound: Content) -> None:
    metric_id, start_ms, end_ms, data = chunks(path)[3]
    name = name_of(metric_id, sound)
    flip_a_bit(path, data)
    archive = await open_sqlite_archive(path)
    found = await content(archive)
    wanted = dict(sound)
    wanted[name] = {time: value for time, value in sound[name].items() if not start_ms <= time <= end_ms}
    assert len(wanted[name]) < len(sound[name])
    assert found == wanted
    await archive.aclose()


async def test_nor_does_it_come_along_in_a_salvage(path: Path, sound: Content) -> None:
    metric_id, start_ms, end_ms, data = chunks(path)[3]
    name = name_of(metric_id, sound)
    flip_a_bit(path, data)
    write(path, 0, b"\0" * 100)
    wanted = dict(sound)
    wanted[name] = {time: value for time, value in sound[name].items() if not start_ms <= time <= end_ms}
    assert await recovered(path) == wanted
    (aside,) = moved_aside(path)
    report = report_of(aside)
    assert report is not None
    assert report.refused_count == 1
    assert str(metric_id) in report.refused[0]
    assert "checksum" in report.refused[0]


async def test_all_of_it_comes_back_without_its_header(path: Path, sound: Content) -> None:
    write(path, 0, random.Random(1).randbytes(100))
    assert await recovered(path) == sound


async def test_all_of_it_comes_back_without_its_first_page(path: Path, sound: Content) -> None:
    """No schema, no list of free pages: by the shape of its rows alone. Deleted rows may come back; they are old
    samples of the same archive and the same times."""
    write(path, 0, b"\xff" * PAGE)
    assert await recovered(path) == sound


async def test_an_interior_page_of_the_chunks(path: Path, sound: Content) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'analytics_chunks'").fetchone()
    with Pages(path) as pages:
        assert pages.page(root)[0] == 0x05  # interior: it holds no rows
    write(path, (root - 1) * PAGE, b"\xff" * PAGE)
    kept = keeper(path)
    archive = await kept.open()  # the stop was clean: a read meets the damage
    told: list[str] = []
    kept.on_damage = lambda: told.append("damage")
    with pytest.raises(Exception, match="damaged"):
        await content(archive)
    await archive.aclose()
    assert told
    archive = await kept.open()
    await kept.salvage()
    assert await content(archive) == sound
    await archive.aclose()


async def test_truncated_it_keeps_what_is_left(path: Path, sound: Content) -> None:
    cut_in_half(path)
    found = await recovered(path)
    total = sum(map(len, sound.values()))
    kept = sum(map(len, found.values()))
    assert total * 0.2 < kept < total
    for name, samples in found.items():
        if name in sound:
            assert samples.items() <= sound[name].items()


async def test_salvaged_twice_it_is_the_same(path: Path, sound: Content) -> None:
    write(path, 0, b"\0" * 100)
    assert await recovered(path) == sound
    (aside,) = moved_aside(path)
    aside.with_name(f"{aside.name}.json").unlink()
    assert await recovered(path) == sound
