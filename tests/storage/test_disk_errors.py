"""An I/O error at the N-th call, for every N; again while it recovers; and a disk that dawdles."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trio

from storage.archive import ArchiveError
from storage.keeper import ArchiveKeeper
from storage.models import SeriesPart
from storage.recovery import find_damage, moved_aside
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from storage.sqlite_errors import OnDamage
from tests.fakes.disk import FULL, Disk
from tests.storage.archive_suite import everything

NOW_MS = 1_780_000_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        with Disk.install(tmp_path) as disk:
            yield disk
    except OSError as error:
        pytest.skip(str(error))


def keeper(path: Path) -> ArchiveKeeper:
    async def open_file(on_damage: OnDamage) -> SqliteArchive:
        return await open_sqlite_archive(path, busy_timeout_ms=100, on_damage=on_damage)

    return ArchiveKeeper(path, open_file, wall_ms=lambda: NOW_MS)


def part(index: int) -> SeriesPart:
    rng = np.random.default_rng(index)
    times = NOW_MS + np.arange(index * 40, (index + 1) * 40, dtype=np.int64) * 1000
    return SeriesPart(f"m.{index % 3}", times, rng.normal(size=40))


async def live(path: Path) -> dict[int, SeriesPart]:
    """A short life: open, append, read, purge, open again. What was acknowledged; trouble ends it."""
    stored: dict[int, SeriesPart] = {}
    archive: SqliteArchive | None = None
    try:
        for life in range(2):
            archive = await keeper(path).open()
            for index in range(life * 4, life * 4 + 4):
                await archive.append([part(index)])
                stored[index] = part(index)
                await everything(archive, "m.0")
            await archive.purge(0, 0, 10)
            await archive.aclose()
    except ArchiveError:
        if archive is not None:
            await closed(archive)
    return stored


async def closed(archive: SqliteArchive) -> None:
    try:
        await archive.aclose()
    except* ArchiveError:
        pass  # the disk fails while it closes, too


async def is_kept(path: Path, stored: dict[int, SeriesPart]) -> None:
    """Whatever the disk did, the next life has everything that was acknowledged."""
    assert find_damage(path) is None
    assert moved_aside(path) == []
    archive = await keeper(path).open()
    for name in {each.name for each in stored.values()}:
        kept = await everything(archive, name)
        for each in stored.values():
            if each.name == name:
                assert [kept[time] for time in each.times.tolist()] == each.values.tolist()
    await archive.aclose()


@pytest.mark.long
@pytest.mark.parametrize("lasting", [1, 3, 1_000_000], ids=["once", "three times", "from then on"])
async def test_an_io_error_at_every_call(disk: Disk, tmp_path: Path, lasting: int) -> None:
    await live(tmp_path / "whole.db")
    calls = disk.calls
    assert calls > 100
    step = 1 if lasting == 1 else 7
    for number in range(1, calls + 1, step):
        path = tmp_path / str(number) / "a.db"
        disk.calls, disk.fail_from, disk.fail_calls = 0, number, lasting
        stored = await live(path)
        disk.fail_from = None
        await is_kept(path, stored)
        shutil.rmtree(path.parent)


async def test_a_full_disk_at_every_write(disk: Disk, tmp_path: Path) -> None:
    disk.fail_kinds, disk.fail_code = frozenset({"write"}), FULL
    await live(tmp_path / "whole.db")
    for number in range(1, disk.calls + 1, 3):
        path = tmp_path / str(number) / "a.db"
        disk.calls, disk.fail_from, disk.fail_calls = 0, number, 5
        stored = await live(path)
        disk.fail_from = None
        await is_kept(path, stored)
        shutil.rmtree(path.parent)


async def recover(path: Path) -> int | None:
    """Open and save what a damaged file holds, as the service does; None: the disk was in trouble."""
    kept = keeper(path)
    try:
        archive = await kept.open()
    except ArchiveError:
        return None
    try:
        return await kept.salvage()
    except ArchiveError:
        return None
    finally:
        await closed(archive)


@pytest.mark.long
async def test_an_io_error_at_every_call_of_a_recovery(disk: Disk, tmp_path: Path) -> None:
    path = tmp_path / "sound" / "a.db"
    stored = await live(path)
    assert len(stored) == 8
    with path.open("r+b") as file:
        file.write(b"\0" * 100)
    shutil.copytree(path.parent, tmp_path / "whole")
    disk.calls = 0
    await recover(tmp_path / "whole" / "a.db")
    calls = disk.calls
    assert calls > 30
    for number in range(1, calls + 1):
        folder = tmp_path / str(number)
        shutil.copytree(path.parent, folder)
        disk.calls, disk.fail_from, disk.fail_calls = 0, number, 2
        await recover(folder / "a.db")
        disk.fail_from = None
        await recover(folder / "a.db")
        archive = await keeper(folder / "a.db").open()
        for each in stored.values():
            kept = await everything(archive, each.name)
            assert [kept.get(time) for time in each.times.tolist()] == each.values.tolist(), number
        await archive.aclose()
        assert len(moved_aside(folder / "a.db")) == 1
        shutil.rmtree(folder)


async def test_a_slow_disk_holds_up_nobody_but_its_own_callers(disk: Disk, tmp_path: Path) -> None:
    archive = await open_sqlite_archive(tmp_path / "a.db")
    disk.delay_s = 0.2
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await trio.sleep(0.01)
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        begun_s = trio.current_time()
        await archive.append([part(0)])
        took_s = trio.current_time() - begun_s
        nursery.cancel_scope.cancel()
    assert took_s > 0.5
    assert ticks > took_s / 0.01 / 3
    disk.delay_s = 0.0
    assert len(await everything(archive, "m.0")) == 40
    await archive.aclose()
