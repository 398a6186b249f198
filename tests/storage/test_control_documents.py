"""Documents: revisions, and who comes second."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from storage.control_documents import (
    StaleError,
    TooManyError,
    all_documents,
    delete_document,
    document,
    put_document,
)
from storage.control_schema import migrate


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    yield connection
    connection.close()


def put(connection, id_="a", body=None, **members):
    return put_document(connection, "k", id_, body or {}, **{"expected": "any", "now_ms": 5, "limit": 3, **members})


def test_revisions_rise_and_are_never_given_twice(connection) -> None:
    first = put(connection)
    second = put(connection)
    delete_document(connection, "k", "a", expected="any")
    third = put(connection)
    assert first.revision < second.revision < third.revision
    assert put(connection, now_ms=1_000_000).revision == 1_000_000


def test_the_second_of_two_changes_is_told(connection) -> None:
    first = put(connection, body={"by": "one"})
    put(connection, body={"by": "two"}, expected=(first.revision,))
    with pytest.raises(StaleError) as caught:
        put(connection, body={"by": "three"}, expected=(first.revision,))
    assert caught.value.present.body == {"by": "two"}
    with pytest.raises(StaleError):
        delete_document(connection, "k", "a", expected=(first.revision,))
    assert document(connection, "k", "a").body == {"by": "two"}


@pytest.mark.parametrize(
    ("there", "expected", "fits"),
    [(True, "present", True), (False, "present", False), (True, "absent", False), (False, "absent", True)],
)
def test_what_must_be_there(connection, there, expected, fits) -> None:
    if there:
        put(connection)
    if fits:
        put(connection, expected=expected)
    else:
        with pytest.raises(StaleError):
            put(connection, expected=expected)


def test_kinds_and_owners_are_apart(connection) -> None:
    put(connection, body={"x": 1}, owner="anna")
    put(connection, body={"x": 2}, owner="bert")
    assert [each.body["x"] for each in all_documents(connection, "k", "anna")] == [1]
    assert document(connection, "other", "a", "anna") is None


def test_no_more_than_the_limit(connection) -> None:
    for id_ in "abc":
        put(connection, id_)
    with pytest.raises(TooManyError):
        put(connection, "d")
    put(connection, "a")
