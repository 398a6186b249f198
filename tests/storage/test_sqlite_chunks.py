"""SQL of packed history, on a file of the present form."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from storage.chunk import Run, encode
from storage.column import TIGHT
from storage.damage import Damage
from storage.migrations import migrate
from storage.models import Window
from storage.sqlite_chunks import (
    CHUNKS,
    amounts_of,
    by_ids,
    chunks_of,
    delete_rows,
    heads_of,
    newest_of,
    purge_packed,
    put_chunk,
    raise_tier,
    runs_in,
)
from storage.sqlite_names import fetcher


def run(metric_id: int, first_ms: int, size: int) -> Run:
    times = np.arange(first_ms, first_ms + size, dtype=np.int64)
    return Run(metric_id, Window(times, times.astype(np.float64)))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Metric 1: chunks of [0, 100) and [100, 300), and ten samples in a pack with metric 2."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        put_chunk(connection, encode([run(1, 0, 100)], TIGHT), 0)
        put_chunk(connection, encode([run(1, 100, 200)], TIGHT), 0)
        put_chunk(connection, encode([run(1, 300, 10), run(2, 0, 50)], TIGHT), 1)
        yield connection


def test_what_reaches_into_a_span(connection: sqlite3.Connection) -> None:
    rows = fetcher(connection)
    assert [head.start_ms for head in heads_of(rows, 1, 99, 100)] == [0]
    assert [head.start_ms for head in heads_of(rows, 1, 99, 101)] == [0, 100]
    assert sorted(stored.chunk_id for stored in chunks_of(rows, 1, 0, 400)) == [1, 2, 3]
    assert sorted(stored.chunk_id for stored in chunks_of(rows, 1, 0, 400, without=[1])) == [2, 3]
    assert [stored.chunk_id for stored in chunks_of(rows, 2, 0, 10)] == [3]


def test_amounts_in_order_of_time(connection: sqlite3.Connection) -> None:
    rows = fetcher(connection)
    assert amounts_of(rows, 1, 0, 400) == [(99, 100), (299, 200), (309, 60)]  # of a pack: everything in it at most
    assert amounts_of(rows, 1, 100, 300) == [(299, 200), (309, 60)]


def test_the_newest_need_no_older_chunk(connection: sqlite3.Connection) -> None:
    found = newest_of(fetcher(connection), 1, 0, 400, 15, Damage())
    assert sorted(each.first_ms for each in found) == [100, 300]


def test_a_damaged_chunk_is_noted_and_left_out(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE analytics_chunks SET data = substr(data, 1, length(data) - 1) WHERE chunk_id = 1")
    damage = Damage()
    broken, whole = (by_ids(fetcher(connection), [number])[0] for number in (1, 2))
    assert runs_in(broken, damage) == []
    assert len(runs_in(whole, damage)) == 1
    assert damage.rows(CHUNKS) == {1}


def test_deleting_and_raising_say_how_many(connection: sqlite3.Connection) -> None:
    assert raise_tier(connection, [1, 2, 99]) == 2
    assert delete_rows(connection, CHUNKS, [1, 99]) == 1
    assert purge_packed(connection, 300, 10) == 1
    assert [row[0] for row in connection.execute("SELECT chunk_id FROM analytics_chunks")] == [3]
