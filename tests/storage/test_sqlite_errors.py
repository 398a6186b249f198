"""Errors of sqlite3 told apart: trouble with the disk, content that will never do, and who hears of damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.archive import ArchiveError, PoisonError, Trouble
from storage.sqlite_errors import judged, judging

TROUBLES: list[Trouble] = ["busy", "full", "unavailable", "corrupt", "replaced", "foreign", "newer", "closed"]


def error(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    made = kind("what sqlite says")
    made.sqlite_errorcode = code
    return made


def raised(work: Callable[[], object]) -> sqlite3.Error:
    """What sqlite3 itself raises."""
    with pytest.raises(sqlite3.Error) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_BUSY, "busy"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "busy"),
        (sqlite3.SQLITE_BUSY_RECOVERY, "busy"),
        (sqlite3.SQLITE_LOCKED, "busy"),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, "busy"),
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_IOERR_WRITE, "full"),
        (sqlite3.SQLITE_IOERR_FSYNC, "full"),
        (sqlite3.SQLITE_IOERR_DIR_FSYNC, "full"),
        (sqlite3.SQLITE_IOERR_TRUNCATE, "full"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, "full"),
        (sqlite3.SQLITE_IOERR_SHMMAP, "full"),
        (sqlite3.SQLITE_IOERR, "unavailable"),
        (sqlite3.SQLITE_IOERR_READ, "unavailable"),
        (sqlite3.SQLITE_IOERR_SHMOPEN, "unavailable"),
        (sqlite3.SQLITE_CANTOPEN, "unavailable"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "unavailable"),
        (sqlite3.SQLITE_READONLY, "unavailable"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "unavailable"),
        (sqlite3.SQLITE_PERM, "unavailable"),
        (sqlite3.SQLITE_AUTH, "unavailable"),
        (sqlite3.SQLITE_NOTADB, "corrupt"),
        (sqlite3.SQLITE_CORRUPT, "corrupt"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "corrupt"),
        (sqlite3.SQLITE_ERROR, "unavailable"),
        (sqlite3.SQLITE_NOMEM, "unavailable"),
        (sqlite3.SQLITE_INTERRUPT, "closed"),
    ],
)
def test_trouble_with_the_disk(code: int, trouble: str) -> None:
    found = judged(error(code))
    assert isinstance(found, ArchiveError)
    assert found.trouble == trouble
    assert found.reason == str(found)
    assert found.reason.endswith(" (what sqlite says)")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (sqlite3.SQLITE_BUSY, "another program has locked the database (what sqlite says)"),
        (sqlite3.SQLITE_IOERR_WRITE, "the disk, or the space the database may take, is full (what sqlite says)"),
        (sqlite3.SQLITE_IOERR_READ, "the disk reports an error (what sqlite says)"),
        (sqlite3.SQLITE_NOTADB, "the file is not a database (what sqlite says)"),
        (sqlite3.SQLITE_ERROR, "the database refuses to work (what sqlite says)"),
    ],
)
def test_a_reason_is_a_sentence_for_people(code: int, reason: str) -> None:
    assert str(judged(error(code))) == reason


def test_content_that_will_never_do() -> None:
    for made in (
        error(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError),
        error(sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.IntegrityError),
        error(sqlite3.SQLITE_TOOBIG, sqlite3.DataError),
        error(sqlite3.SQLITE_MISMATCH, sqlite3.IntegrityError),
        error(sqlite3.SQLITE_RANGE, sqlite3.InterfaceError),
        sqlite3.ProgrammingError("Error binding parameter 1"),
        sqlite3.InterfaceError("bad parameter"),
    ):
        found = judged(made)
        assert isinstance(found, PoisonError)
        assert str(found) == str(made)


def test_errors_of_the_module_itself() -> None:
    closed = judged(sqlite3.ProgrammingError("Cannot operate on a closed database."))
    damaged = judged(sqlite3.OperationalError("Could not decode to UTF-8 column"))
    assert isinstance(closed, ArchiveError)
    assert closed.trouble == "closed"
    assert isinstance(damaged, ArchiveError)
    assert damaged.trouble == "corrupt"
    assert "Could not decode to UTF-8 column" in damaged.reason


def test_what_sqlite_itself_raises(tmp_path: Path) -> None:
    """The same, without made-up errors: codes and words are those of the interpreter at hand."""
    (tmp_path / "text").write_bytes(b"no database at all " * 100)
    with (
        closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)) as one,
        closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)) as other,
        closing(sqlite3.connect(tmp_path / "text")) as text,
    ):
        one.execute("CREATE TABLE t (x REAL NOT NULL)")
        one.execute("BEGIN IMMEDIATE")
        found = {
            "locked": raised(lambda: other.execute("BEGIN IMMEDIATE")),
            "no database": raised(lambda: text.execute("SELECT * FROM t")),
            "no file": raised(lambda: sqlite3.connect(tmp_path / "none" / "a.db")),
            "no text": raised(lambda: one.execute("SELECT CAST(x'ff' AS TEXT)").fetchone()),
            "no value": raised(lambda: one.execute("INSERT INTO t VALUES (NULL)")),
            "no type of SQLite's": raised(lambda: one.execute("INSERT INTO t VALUES (?)", ([],))),
        }
    found["closed"] = raised(lambda: one.execute("SELECT 1"))
    judgements = {what: judged(each) for what, each in found.items()}
    assert {what: each.trouble for what, each in judgements.items() if isinstance(each, ArchiveError)} == {
        "locked": "busy",
        "no database": "corrupt",
        "no file": "unavailable",
        "no text": "corrupt",
        "closed": "closed",
    }


def test_a_full_database_as_sqlite_itself_says_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("PRAGMA max_page_count = 2")
        found = judged(raised(lambda: connection.execute("INSERT INTO t VALUES (zeroblob(100000))")))
    assert isinstance(found, ArchiveError)
    assert found.trouble == "full"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_only_a_file_that_must_be_opened_anew_is_told_of(trouble: Trouble) -> None:
    heard: list[ArchiveError] = []
    raised = ArchiveError(trouble, "why")
    with pytest.raises(ArchiveError) as caught, judging(heard.append):
        raise raised
    assert caught.value is raised  # as it came, with no cause made up
    assert caught.value.__cause__ is None
    assert heard == ([raised] if trouble in ("corrupt", "replaced") else [])


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (sqlite3.SQLITE_CORRUPT, ArchiveError, True),
        (sqlite3.SQLITE_NOTADB, ArchiveError, True),
        (sqlite3.SQLITE_FULL, ArchiveError, False),
        (sqlite3.SQLITE_IOERR_READ, ArchiveError, False),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, PoisonError, False),
    ],
)
def test_an_error_of_sqlite_leaves_as_one_of_ours(code: int, kind: type[Exception], told: bool) -> None:
    heard: list[ArchiveError] = []
    made = error(code)
    with pytest.raises(kind, match="what sqlite says") as caught, judging(heard.append):
        raise made
    assert caught.value.__cause__ is made
    assert heard == ([caught.value] if told else [])
    with pytest.raises(kind), judging():  # nobody needs to listen
        raise made


@pytest.mark.parametrize("made", [KeyError("oops"), PoisonError("never"), KeyboardInterrupt()])
def test_what_is_not_sqlites_passes_untouched(made: BaseException) -> None:
    heard: list[ArchiveError] = []
    with pytest.raises(type(made)) as caught, judging(heard.append):
        raise made
    assert caught.value is made
    assert heard == []


def test_no_error_is_no_damage() -> None:
    heard: list[ArchiveError] = []
    with judging(heard.append):
        pass
    assert heard == []
