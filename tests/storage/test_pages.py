"""Pages by hand: the same rows as SQLite reads, and an end whatever the bytes are."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.pages import Pages, Row

PAGE = 4096
BIG = 50_000


def make(path: Path, rows: int = 3_000) -> list[tuple[object, ...]]:
    """A table with rowids and one without, every kind of value, payloads over many pages."""
    rng = random.Random(5)
    made = [
        (
            f"name {index:05} é",
            rng.choice([0, 1, -1, 127, -129, 40_000, -(2**23), 2**40, -(2**62), 2**63 - 1]),
            rng.random() if index % 2 else float(index),
            rng.randbytes(rng.choice([0, 10, 500, 4_000, BIG if index % 500 == 0 else 1])),
            None,
        )
        for index in range(rows)
    ]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE plain (name TEXT, number INTEGER, real REAL, data BLOB, empty)")
        connection.execute(
            "CREATE TABLE clustered (name TEXT PRIMARY KEY, number INTEGER, real REAL, data BLOB, empty) WITHOUT ROWID"
        )
        connection.executemany("INSERT INTO plain VALUES (?, ?, ?, ?, ?)", made)
        connection.executemany("INSERT INTO clustered VALUES (?, ?, ?, ?, ?)", made)
        connection.commit()
    return made


def roots(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.mark.parametrize("page_bytes", [512, PAGE, 65536])
def test_walking_gives_every_row(path: Path, page_bytes: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("VACUUM")
    made = make(path)
    with Pages(path) as pages:
        assert pages.page_bytes == page_bytes
        plain = list(pages.walk(roots(path)["plain"]))
        clustered = list(pages.walk(roots(path)["clustered"]))
        assert pages.damaged == 0
        list(pages.walk(1))
        assert [row for _, rows in pages.orphans() for row in rows] == []
    assert [row.record for row in plain] == made
    assert [row.rowid for row in plain] == list(range(1, len(made) + 1))
    assert sorted(row.record for row in clustered) == sorted(made)
    assert {row.rowid for row in clustered} == {None}


def test_rows_in_the_log_count(path: Path) -> None:
    make(path, 10)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM plain WHERE rowid > 1")
        with Pages(path) as pages:
            assert len(list(pages.walk(2))) == 1
        with Pages(path, with_log=False) as pages:
            assert len(list(pages.walk(2))) == 10


def test_orphans_are_found_and_deleted_rows_are_not(path: Path) -> None:
    made = make(path)
    root = roots(path)["plain"]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM plain WHERE rowid <= 1000")
        connection.commit()
    content = bytearray(path.read_bytes())
    content[(root - 1) * PAGE : root * PAGE] = bytes(PAGE)  # an interior page of a table holds no rows
    path.write_bytes(content)
    with Pages(path) as pages:
        for other in (1, roots(path)["clustered"]):
            list(pages.walk(other))
        assert list(pages.walk(root)) == []
        assert pages.damaged == 1
        found = [row.record for _, rows in pages.orphans() for row in rows if row.rowid is not None]
    assert sorted(found) == sorted(made[1000:])


def everything(path: Path) -> list[Row]:
    with Pages(path) as pages:
        rows = [row for root in range(1, pages.count + 1) for row in pages.walk(root)]
        return rows + [row for _, found in pages.orphans() for row in found]


def test_damage_of_every_kind_ends_well(path: Path) -> None:
    make(path, 200)
    sound = path.read_bytes()
    rng = random.Random(6)
    for _ in range(150):
        content = bytearray(sound)
        for _ in range(rng.randint(1, 60)):
            at = rng.randrange(len(content))
            content[at : at + 8] = rng.randbytes(rng.randint(1, 8))
        path.write_bytes(content[: rng.randrange(len(content))] if rng.random() < 0.2 else content)
        everything(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=3 * 512))
def test_whatever_the_bytes_are(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    everything(path)


def test_a_tree_that_bites_its_tail_ends(path: Path) -> None:
    make(path)
    root = roots(path)["plain"]
    content = bytearray(path.read_bytes())
    start = (root - 1) * PAGE
    content[start + 8 : start + 12] = root.to_bytes(4, "big")
    path.write_bytes(content)
    with Pages(path) as pages:
        assert len(list(pages.walk(root))) > 0
        assert pages.damaged == 1


@pytest.mark.parametrize("page_bytes", [512, 1024, PAGE, 16384])
def test_how_large_pages_are_is_found_without_a_header(path: Path, page_bytes: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("VACUUM")
    made = make(path)
    root = roots(path)["plain"]
    with path.open("r+b") as file:
        file.write(random.Random(1).randbytes(100))
    with Pages(path) as pages:
        assert (pages.has_header, pages.page_bytes) == (False, page_bytes)
        assert [row.record for row in pages.walk(root)] == made
