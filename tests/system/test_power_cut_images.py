"""Power cuts, not only kills: recorded writes cut anywhere, what was not synced lost, torn and out of order.

The writes are those of the archive through migration, ingest, packing, thinning and backup, and those of a whole
service that samples are sent to. Whatever the cut: the file is sound, and every sample whose append had returned is
there.
"""

from __future__ import annotations

import pickle
import random
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import trio

from storage.backup import back_up
from storage.budget import Budget
from storage.damage import Damage
from storage.migrations import MIGRATIONS, migrate
from storage.models import SeriesPart
from storage.recovery import find_damage
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from storage.sqlite_names import fetcher
from storage.sqlite_reading import Reading
from tests.fakes.disk import Disk, Op
from tests.fakes.power_cut import EVERY_WAY, Image, images

NAMES = [f"m.{number}" for number in range(6)]
T0 = 1_780_000_000_000
EVER = (0, 2**52)
STARTED, THINNED = "started", "thinned"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    try:
        with Disk.install(tmp_path) as disk:
            yield disk
    except OSError as error:
        pytest.skip(str(error))


class Life:
    """An archive in use. Marks stand around each append: what is being stored, and that it is."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self.disk = disk
        self.path = path
        self.rng = np.random.default_rng(1)
        self.at_ms = T0

    async def append(self, archive: SqliteArchive, samples: int, names: Sequence[str] = NAMES) -> None:
        times = self.at_ms + np.arange(samples, dtype=np.int64) * 1_000
        self.at_ms += samples * 1_000
        parts = [SeriesPart(name, times, self.rng.normal(size=samples)) for name in names]
        self.disk.mark((STARTED, parts))
        await archive.append(parts)
        self.disk.mark(("stored", parts))

    async def ingest_and_pack(self) -> None:
        """From a file of the first form on."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, MIGRATIONS[:1])
        archive = await open_sqlite_archive(self.path)
        for number in range(25):
            await self.append(archive, int(self.rng.choice([1, 3, 40, 300])), NAMES[: 1 + number % len(NAMES)])
            if number % 6 == 5:
                while await archive.compact(1):
                    pass
            if number == 15:
                await trio.to_thread.run_sync(back_up, self.path, self.path.with_name("copy.db"))
        await archive.aclose()
        archive = await open_sqlite_archive(self.path)
        await self.append(archive, 10)
        await archive.aclose()

    async def fill_and_thin(self) -> int:
        """Returns how many samples the thinning went over. None is deleted."""
        archive = await open_sqlite_archive(self.path, budget=Budget(1_000_000))
        thinned = 0
        for _ in range(22):
            await self.append(archive, 1_500)
            while await archive.compact(1):
                pass
            self.disk.mark((THINNED, None))
            while step := await archive.thin():
                thinned += step
        await archive.aclose()
        return thinned


def cuts(ops: Sequence[Op], most: int, seed: int) -> list[int]:
    """So many places, and the first and last."""
    rng = random.Random(seed)
    return sorted({0, len(ops), *rng.sample(range(len(ops)), min(most, len(ops)))})


def expected(image: Image) -> tuple[dict[str, dict[int, float]], dict[str, dict[int, float]], bool]:
    """What must be there, what may be there besides, and whether some of it may have become buckets."""
    must: dict[str, dict[int, float]] = {}
    may: dict[str, dict[int, float]] = {}
    thinned = False
    for what, parts in image.marks:
        if what == THINNED:
            thinned = True
            continue
        into = may if what == STARTED else must
        if what == STARTED:
            may.clear()
        for part in parts:
            into.setdefault(part.name, {}).update(zip(part.times.tolist(), part.values.tolist(), strict=True))
        if what != STARTED:
            may.clear()
    return must, may, thinned


def check(image: Image, folder: Path, name_of_file: str = "a.db", old: Mapping[str, dict[int, float]] = {}) -> None:
    """`old`: what was there before the record began. Raises AssertionError."""
    where = f"cut at {image.cut}, {image.how}"
    image.write(folder)
    path = folder / name_of_file
    assert find_damage(path) is None, where
    must, may, thinned = expected(image)
    for name, samples in old.items():
        must[name] = samples | must.get(name, {})
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), where
        rows, damage = fetcher(connection), Damage()
        reading = Reading(damage)
        reading.begin(rows)
        for name in {*must, *may, *reading.stored(rows)}:
            wanted, besides = must.get(name, {}), may.get(name, {})
            if thinned:
                count = int(reading.buckets(rows, name, *EVER, 3_600_000).count.sum())
                assert count in (len(wanted), len({*wanted, *besides})), where
                continue
            window = reading.window(rows, name, *EVER, None)
            found: Mapping[int, float] = dict(zip(window.times.tolist(), window.values.tolist(), strict=True))
            assert {time: found.get(time) for time in wanted} == wanted, where
            assert found.keys() - wanted.keys() <= besides.keys(), where
        assert len(damage) == 0, where


@pytest.mark.long
async def test_through_migration_ingest_packing_and_backup(disk: Disk, tmp_path: Path) -> None:
    disk.recording = True
    await Life(disk, tmp_path / "a.db").ingest_and_pack()
    disk.recording = False
    found = 0
    for image in images(disk.ops, cuts(disk.ops, 160, seed=1), EVERY_WAY, seed=2):
        check(image, tmp_path / "image")
        found += 1
    assert found >= 600


@pytest.mark.long
async def test_through_thinning(disk: Disk, tmp_path: Path) -> None:
    disk.recording = True
    assert await Life(disk, tmp_path / "a.db").fill_and_thin() > 1_000
    disk.recording = False
    found = 0
    for image in images(disk.ops, cuts(disk.ops, 48, seed=3), EVERY_WAY, seed=4):
        check(image, tmp_path / "image")
        found += 1
    assert found >= 190


def test_without_syncs_the_images_do_lose_samples(disk: Disk, tmp_path: Path) -> None:
    """That the check can fail: the same life, with every sync taken out of the record."""

    async def live() -> None:
        disk.recording = True
        await Life(disk, tmp_path / "a.db").ingest_and_pack()

    trio.run(live)
    ops = [op for op in disk.ops if op.kind != "sync"]
    failed = 0
    for image in images(ops, cuts(ops, 10, seed=1), ("reordered", "torn"), seed=2):
        try:
            check(image, tmp_path / "image")
        except (AssertionError, sqlite3.Error):
            failed += 1
    assert failed > 5


def packed_chunks(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        count: int = connection.execute("SELECT count(*) FROM analytics_chunks").fetchone()[0]
        return count


@pytest.mark.system
def test_through_the_life_of_a_service(start_watched, tmp_path: Path) -> None:
    """From a file of the first form on: migration, writes with and without ack, packing, a backup, the stop."""
    path = tmp_path / "analytics.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, MIGRATIONS[:1])
        connection.executemany(
            "INSERT INTO analytics_metrics (metric_name, timestamp, value) VALUES ('old', ?, 0.5)",
            [(T0 / 1000 + at,) for at in range(300)],
        )
    old = {"old": {T0 + at * 1000: 0.5 for at in range(300)}}
    before = {str(path): path.read_bytes()}
    service = start_watched({"record": True, "pack": True}, FLUSH_INTERVAL="0.3", CLEANUP_INTERVAL_SECONDS="1")
    service.wait_for(lambda: service.persistence()["state"] == "on")
    now_s = int(time.time())
    acknowledged = 0
    for number in range(40):
        times = [now_s - 4000 + number * 100 + at for at in range(1 if number % 3 else 60)]
        series = [
            {"metric_name": f"m.{one}", "timestamps": times, "values": [number / 7] * len(times)} for one in "abc"
        ]
        ack = "?ack=durable" if number % 2 else ""
        answer = service.request("POST", f"/api/analytics/metrics/batch{ack}", {"series": series})
        assert answer.status == 200, answer.body
        acknowledged += 3 * len(times)
        if number == 20:
            assert service.post("/api/analytics/storage/backup", {}).status == 200
    service.wait_for(lambda: packed_chunks(path) > 0)
    assert service.terminate() == 0
    ops: list[Op] = pickle.loads((tmp_path / "ops.pickle").read_bytes())
    stored = [op.mark for op in ops if op.kind == "mark" and op.mark[0] == "stored"]
    assert sum(len(part) for _, parts in stored for part in parts) >= acknowledged
    own = [op for op in ops if op.kind == "mark" or Path(op.path).name.startswith("analytics.db")]
    found = 0
    for image in images(own, cuts(own, 75, seed=5), EVERY_WAY, 6, before):
        check(image, tmp_path / "image", "analytics.db", old)
        found += 1
    assert found >= 300
