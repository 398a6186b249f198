"""Eleven kinds of corruption, and exactly what survives each.

Every file is that of a killed process: a database, and a log with the last commits. "Rows" are those of the tables that
hold rows; packed history is in test_salvage_packed.py.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.log_frames import FRAME_HEADER_BYTES, HEADER_BYTES, read_frames
from storage.migrations import migrate
from storage.pages import Pages
from storage.recovery import find_damage, move_aside, moved_aside
from storage.salvage import Salvage, adopting, is_familiar, shapes_of
from storage.sqlite_schema import shapes

PAGE = 4096
NAMES = [f"coach.{'compartment.' * 10}metric_{index:02}" for index in range(20)]
SAMPLES = 400
LATE = 30  # rows that only the log has, one to a commit
Key = tuple[str, float]


def insert(connection: sqlite3.Connection, rows: list[tuple[str, float, float]]) -> None:
    connection.executemany("INSERT INTO analytics_metrics (metric_name, timestamp, value) VALUES (?, ?, ?)", rows)


def insight(index: int) -> tuple[object, ...]:
    return (
        f"id-{index:03}",
        f"title {index}",
        "words " * 40,
        "cost",
        "low",
        0.5,
        0.5,
        1.0,
        f"key {index}",
        float(index),
        "new",
    )


PUT_INSIGHT = (
    "INSERT INTO analytics_insights (insight_id, title, description, category, severity, confidence, impact_score,"
    " created_at, insight_key, updated_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Image:
    """The files of a killed process, and what they hold. Page numbers are those of the database alone."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        self.path = path
        self.log = path.with_name(path.name + "-wal")
        rng = random.Random(seed)
        live = path.with_name("live.db")
        with closing(sqlite3.connect(live, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
            connection.execute("BEGIN")
            insert(connection, [(name, float(at), rng.random()) for name in NAMES for at in range(SAMPLES)])
            insert(connection, [("gone", float(at), 1.0) for at in range(4_000)])
            connection.executemany(PUT_INSIGHT, [insight(index) for index in range(300)])
            connection.execute("COMMIT")
            connection.execute("DELETE FROM analytics_metrics WHERE metric_name = 'gone'")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.settled = self._rows(connection)
            for at in range(LATE):
                insert(connection, [(NAMES[0], 10_000.0 + at, 0.5)])
            self.rows = self._rows(connection)
            self.roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
            shutil.copy(live, path)
            shutil.copy(live.with_name("live.db-wal"), self.log)
        live.unlink()

    @staticmethod
    def _rows(connection: sqlite3.Connection) -> set[Key]:
        return set(connection.execute("SELECT metric_name, timestamp FROM analytics_metrics"))

    def pages(self) -> dict[int, set[Key]]:
        """Which rows lie in which page: of the tree as both files give it."""
        found: dict[int, set[Key]] = {}
        with Pages(self.path) as pages:
            list(pages.walk(self.roots["analytics_metrics"]))
            for number in sorted(pages.seen):
                page = pages.page(number)
                _, cells = pages._parse(page, number)
                rows = list(pages._rows(page, cells, strict=True))
                found[number] = {(str(row.record[0]), float(row.record[1])) for row in rows}  # type: ignore[arg-type]
        return found

    def in_log(self) -> set[int]:
        frames = read_frames(self.log.read_bytes())
        assert frames is not None
        return set(frames.pages)

    def overwrite(self, number: int, content: bytes = b"\xff" * PAGE) -> None:
        write(self.path, (number - 1) * PAGE, content)

    def interior(self) -> int:
        """A page in the middle of the tree of samples that only the database has."""
        in_log, root = self.in_log(), self.roots["analytics_metrics"]
        with Pages(self.path) as pages:
            list(pages.walk(root))
            for number in pages.seen - in_log - {root}:
                if pages.page(number)[0] == 0x02:
                    return number
        raise AssertionError("the tree is too small")

    def freelist_trunk(self) -> int:
        return int.from_bytes(self.path.read_bytes()[32:36], "big")


def write(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def flip(path: Path, at: int) -> None:
    write(path, at, bytes([path.read_bytes()[at] ^ 0x10]))


def header(image: Image) -> set[Key]:
    image.overwrite(1, random.Random(1).randbytes(100))
    return image.rows


def first_page(image: Image) -> set[Key]:
    write(image.log, 0, b"\0" * HEADER_BYTES)  # or the log would have a sound copy
    image.overwrite(1)
    return image.settled


def interior_page(image: Image) -> set[Key]:
    number = image.interior()
    lost = image.pages()[number]
    assert lost
    image.overwrite(number)
    return image.rows - lost


def root_page(image: Image) -> set[Key]:
    write(image.log, 0, b"\0" * HEADER_BYTES)
    root = image.roots["analytics_metrics"]
    lost = image.pages()[root]
    image.overwrite(root)
    return image.settled - lost


def leaf_page(image: Image) -> set[Key]:
    number, lost = next(
        (number, rows) for number, rows in image.pages().items() if len(rows) > 10 and number not in image.in_log()
    )
    image.overwrite(number)
    return image.rows - lost


def index_page(image: Image) -> set[Key]:
    image.overwrite(image.roots["analytics_insights_by_update"])
    return image.rows


def freelist(image: Image) -> set[Key]:
    image.log.unlink()  # or it would have a sound copy; a read then has to meet the damage
    image.overwrite(image.freelist_trunk())
    return image.settled


def log_header(image: Image) -> set[Key]:
    flip(image.log, 20)
    return image.settled


def log_frame(image: Image) -> set[Key]:
    """The tenth commit: it and all after it are gone, as SQLite itself recovers."""
    content = image.log.read_bytes()
    commits = [
        at
        for at in range(HEADER_BYTES, len(content), FRAME_HEADER_BYTES + PAGE)
        if int.from_bytes(content[at + 4 : at + 8], "big")
    ]
    assert len(commits) == LATE
    flip(image.log, commits[9] + FRAME_HEADER_BYTES + 2_000)
    return image.settled | {(NAMES[0], 10_000.0 + at) for at in range(9)}


def truncated(image: Image) -> set[Key]:
    kept = image.path.stat().st_size // PAGE * 6 // 10
    in_log = image.in_log()
    lost = set[Key]().union(*(rows for number, rows in image.pages().items() if number > kept and number not in in_log))
    with image.path.open("r+b") as file:
        file.truncate(kept * PAGE + 100)
    return image.rows - lost


def emptied(image: Image) -> set[Key]:
    in_log = image.in_log()
    kept = set[Key]().union(*(rows for number, rows in image.pages().items() if number in in_log))
    image.path.write_bytes(b"")
    return kept


def stale_journal(image: Image) -> set[Key]:
    """A hot journal of an older state of the file: SQLite would play it back."""
    old = image.path.with_name("old.db")
    shutil.copy(image.path, old)
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("UPDATE analytics_metrics SET value = -1.0")
        shutil.copy(old.with_name("old.db-journal"), image.path.with_name(image.path.name + "-journal"))
        connection.execute("ROLLBACK")
    old.unlink()
    assert image.path.with_name(image.path.name + "-journal").stat().st_size > PAGE
    return image.rows


def foreign_log(image: Image) -> set[Key]:
    folder = image.path.parent / "other"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "a.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE songs (title)")
        connection.executemany("INSERT INTO songs VALUES (?)", [("la " * 300,) for _ in range(100)])
        shutil.copy(folder / "a.db-wal", image.log)
    return image.settled


UNHARMED = (log_header, log_frame, stale_journal)  # SQLite itself leaves a sound file


@pytest.mark.parametrize(
    "kind",
    [
        header,
        first_page,
        interior_page,
        root_page,
        leaf_page,
        index_page,
        freelist,
        log_header,
        log_frame,
        truncated,
        emptied,
        stale_journal,
        foreign_log,
    ],
)
def test_what_survives(kind: Callable[[Image], set[Key]], tmp_path: Path) -> None:
    image = Image(tmp_path / "a.db")
    assert image.settled < image.rows
    expected = kind(image)
    damage = find_damage(image.path, None if image.log.exists() else "a read met damage")
    if kind in UNHARMED:
        assert damage is None
        with closing(sqlite3.connect(image.path)) as connection:
            assert Image._rows(connection) == expected
            assert connection.execute("SELECT count(*) FROM analytics_insights").fetchone() == (300,)
        return
    assert damage is not None
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir() if each.is_file() and "-shm" not in each.name}
    aside = move_aside(image.path, damage)
    new, insights = saved(aside, tmp_path / "new.db")
    assert new == expected
    assert kind in (truncated, emptied) or insights == 300
    after = {each.name.replace(".damaged-1", "") for each in tmp_path.iterdir() if each.is_file()}
    assert set(before) <= after
    assert aside.read_bytes() == before["a.db"]
    assert moved_aside(image.path) == [aside]


def saved(aside: Path, new: Path) -> tuple[set[Key], int]:
    salvage = Salvage(aside, shapes())
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        migrate(connection)
        for batch in salvage.batches():
            for sql, values in adopting(batch):
                connection.execute(sql, values)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (insights,) = connection.execute("SELECT count(*) FROM analytics_insights").fetchone()
        return Image._rows(connection), insights


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    image = Image(tmp_path / "a.db")
    query = (
        "SELECT * FROM analytics_metrics"
        " UNION ALL SELECT insight_id, title, updated_at, severity FROM analytics_insights"
    )
    copy = tmp_path / "copy.db"
    shutil.copy(image.path, copy)
    shutil.copy(image.log, tmp_path / "copy.db-wal")
    with closing(sqlite3.connect(copy)) as connection:
        wanted = sorted(connection.execute(query))
    image.overwrite(1, b"\0" * 100)
    saved(image.path, tmp_path / "new.db")
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert sorted(connection.execute(query)) == wanted


def test_what_the_new_file_has_is_newer_and_rows_it_refuses_are_passed_over(tmp_path: Path) -> None:
    image = Image(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as connection:
        migrate(connection)
        insert(connection, [(NAMES[0], 0.0, 77.0)])
    with closing(sqlite3.connect(image.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE analytics_insights SET severity = 'fatal' WHERE insight_id = 'id-007'")
    rows, insights = saved(image.path, tmp_path / "new.db")
    assert rows == image.rows
    assert insights == 299
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        query = "SELECT value FROM analytics_metrics WHERE metric_name = ? AND timestamp = 0.0"
        assert connection.execute(query, (NAMES[0],)).fetchone() == (77.0,)


def test_columns_that_came_later_take_their_default(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as old:
        old.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, a TEXT)")
        old.execute("INSERT INTO t VALUES (7, 'x')")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        new.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, a TEXT, b TEXT NOT NULL DEFAULT 'later')")
        for batch in Salvage(tmp_path / "old.db", shapes_of(new, ["t", "no such table"])).batches():
            for sql, values in adopting(batch):
                new.execute(sql, values)
        assert new.execute("SELECT * FROM t").fetchall() == [(7, "x", "later")]


def test_rows_that_fail_their_check_are_named(tmp_path: Path) -> None:
    image = Image(tmp_path / "a.db")

    def check(table: str, row: dict[str, object]) -> str | None:
        return (
            f"{row['insight_id']} is bad"
            if table == "analytics_insights" and str(row["insight_id"]) < "id-150"
            else None
        )

    salvage = Salvage(image.path, shapes(), check)
    assert sum(len(batch.rows) for batch in salvage.batches() if batch.table == "analytics_insights") == 150
    assert salvage.refused_count == 150
    assert len(salvage.refused) == 100
    assert "id-000 is bad" in salvage.refused


def test_ours_is_told_from_others(tmp_path: Path) -> None:
    image = Image(tmp_path / "a.db")
    assert is_familiar(image.path, shapes())
    image.overwrite(1)
    assert is_familiar(image.path, shapes())
    notes = tmp_path / "notes"
    notes.write_bytes(random.Random(1).randbytes(50 * PAGE))
    assert not is_familiar(notes, shapes())
    with closing(sqlite3.connect(tmp_path / "songs.db")) as connection:
        connection.execute("CREATE TABLE songs (title)")
        connection.execute("INSERT INTO songs VALUES ('la')")
        connection.commit()
    assert not is_familiar(tmp_path / "songs.db", shapes())
