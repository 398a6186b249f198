"""Ids of metrics: the same in every file, given once, and not lost for long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from storage import sqlite_names
from storage.damage import Damage
from storage.migrations import migrate
from storage.sqlite_names import Names, fetcher, hashed, packed_names, unpacked_names


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()


def test_an_id_is_a_hash_of_the_name(connection: sqlite3.Connection) -> None:
    rows = fetcher(connection)
    ids = Names(Damage()).ids_for(rows, ["battery.voltage", "küche"])
    assert ids == {"battery.voltage": hashed("battery.voltage"), "küche": hashed("küche")}
    other = Names(Damage())
    other.refresh(rows)
    assert other.id_of("küche") == ids["küche"]
    assert other.name_of(ids["küche"]) == "küche"
    assert other.id_of("unheard.of") is None


def test_names_of_others_are_learnt_and_nothing_is_stored_twice(connection: sqlite3.Connection) -> None:
    rows = fetcher(connection)
    one, two = Names(Damage()), Names(Damage())
    one.ids_for(rows, [f"m{index}" for index in range(600)])
    two.refresh(rows)
    two.ids_for(rows, ["m1", "m2", "new"])
    assert [row[0] for row in rows("SELECT count(*) FROM analytics_series")] == [4]  # 256 + 256 + 88, and one


def test_what_was_rolled_back_is_given_again(connection: sqlite3.Connection) -> None:
    names, rows = Names(Damage()), fetcher(connection)
    connection.execute("BEGIN")
    names.ids_for(rows, ["a"])
    connection.execute("ROLLBACK")
    names.refresh(rows)
    assert names.id_of("a") is None
    names.ids_for(rows, ["a"])
    names.refresh(rows)
    assert names.id_of("a") == hashed("a")


def test_two_names_that_meet_in_one_number(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_names, "hashed", lambda name: 7)
    rows = fetcher(connection)
    names = Names(Damage())
    assert names.ids_for(rows, ["a", "b"]) == {"a": 7, "b": 8}
    names.refresh(rows)
    assert names.ids_for(rows, ["c", "a"]) == {"c": 9, "a": 7}
    later = Names(Damage())
    later.refresh(rows)
    assert [later.id_of(name) for name in "abc"] == [7, 8, 9]


def test_a_damaged_row_is_named_and_comes_back_with_the_next_sample(connection: sqlite3.Connection) -> None:
    rows, damage = fetcher(connection), Damage()
    Names(Damage()).ids_for(rows, ["a"])
    connection.execute("UPDATE analytics_series SET crc = crc + 1")
    names = Names(damage)
    names.refresh(rows)
    assert "names" in damage.named()[0]
    assert names.name_of(hashed("a")) == f"unnamed.{hashed('a'):010x}"
    names.ids_for(rows, ["a"])
    names.refresh(rows)
    assert names.name_of(hashed("a")) == "a"


@pytest.mark.parametrize("blob", [b"", b"not zlib", None, "text"])
def test_what_is_no_list_of_names(blob: bytes) -> None:
    ((crc, _),) = packed_names(["a"])
    assert unpacked_names(blob, crc) is None


def test_a_lone_surrogate_is_no_name(connection: sqlite3.Connection) -> None:
    with pytest.raises(UnicodeEncodeError):
        Names(Damage()).ids_for(fetcher(connection), ["\ud800"])
