"""Samples as rows: written in groups, read by span, taken out and purged by the oldest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.migrations import migrate
from storage.models import SeriesPart, Window
from storage.sqlite_names import fetcher
from storage.sqlite_rows import (
    GROUP_ROWS,
    purge_rows,
    put_rows,
    row_count,
    row_names,
    row_window,
    take_all,
    take_oldest,
    take_window,
)
from tests.storage.archive_suite import part

EXACT_MS = 2**52
TIMES = st.one_of(st.integers(0, 50), st.integers(1 - EXACT_MS, EXACT_MS - 1))
VALUES = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)  # no minus zero
SAMPLES = st.dictionaries(st.sampled_from(["a", "b", "küche"]), st.dictionaries(TIMES, VALUES, max_size=40))
Stored = dict[str, dict[int, float]]


@contextmanager
def a_file() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        yield connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """Metric a: 0, 10 ... 90 ms with values 0 ... 9; b: one sample at 5 ms."""
    with a_file() as connection:
        put_rows(connection, [part("a", list(range(0, 100, 10)), [float(n) for n in range(10)]), part("b", [5], [0.5])])
        yield connection


def parts_of(samples: Stored) -> list[SeriesPart]:
    return [part(name, list(each), list(each.values())) for name, each in samples.items()]


def as_dict(window: Window | SeriesPart) -> dict[int, float]:
    return dict(zip(window.times.tolist(), window.values.tolist(), strict=True))


def everything(connection: sqlite3.Connection) -> Stored:
    rows = fetcher(connection)
    return {name: as_dict(row_window(rows, name, -EXACT_MS, EXACT_MS)) for name in row_names(rows)}


@given(SAMPLES)
def test_samples_come_back_as_they_were_in_order_of_time(samples: Stored) -> None:
    with a_file() as connection:
        put_rows(connection, parts_of(samples))
        assert everything(connection) == {name: each for name, each in samples.items() if each}
        for name in samples:
            times = row_window(fetcher(connection), name, -EXACT_MS, EXACT_MS).times
            assert times.tolist() == sorted(samples[name])


def test_many_rows_go_with_few_statements() -> None:
    with a_file() as connection:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        size = 2 * GROUP_ROWS + 13
        put_rows(connection, [SeriesPart("a", np.arange(size, dtype=np.int64), np.ones(size))])
        connection.set_trace_callback(None)
        assert [each.count("'a'") for each in statements] == [256, 256, 8, 4, 1]
        assert row_count(fetcher(connection), 1_000) == size


def test_of_two_samples_with_one_time_the_later_wins_with_its_metadata(connection: sqlite3.Connection) -> None:
    put_rows(connection, [part("a", [20, 20], [7.0, 8.0], '{"unit":"V"}'), part("b", [5], [1.5])])
    put_rows(connection, [part("a", [20], [9.0])])
    stored = "SELECT metric_name, value, metadata FROM analytics_metrics WHERE timestamp IN (0.02, 0.005)"
    assert connection.execute(stored).fetchall() == [("a", 9.0, None), ("b", 1.5, None)]


def test_nothing_to_put_is_no_statement(connection: sqlite3.Connection) -> None:
    before = connection.total_changes
    put_rows(connection, [])
    put_rows(connection, [part("c", [], [])])
    assert connection.total_changes == before


@pytest.mark.parametrize(("most", "count"), [(1, 1), (10, 10), (11, 11), (12, 11)])
def test_rows_are_counted_up_to_a_bound(connection: sqlite3.Connection, most: int, count: int) -> None:
    assert row_count(fetcher(connection), most) == count


def test_each_name_stands_once_and_in_order(connection: sqlite3.Connection) -> None:
    put_rows(connection, [part(name, [1], [1.0]) for name in ("ü", "A", "aa", "")])
    assert row_names(fetcher(connection)) == ["", "A", "a", "aa", "b", "ü"]


def test_no_rows_have_no_names() -> None:
    with a_file() as connection:
        rows = fetcher(connection)
        assert row_names(rows) == []
        assert row_count(rows, 5) == 0
        assert take_all(rows) == []


@pytest.mark.parametrize(
    ("start", "end", "limit", "times"),
    [
        (20, 40, None, [20, 30]),
        (21, 41, None, [30, 40]),
        (20, 20, None, []),
        (0, 100, 3, [70, 80, 90]),
        (0, 40, 2, [20, 30]),
        (80, 100, 5, [80, 90]),
        (0, 100, 0, []),
    ],
)
def test_a_window_begins_at_its_start_and_ends_before_its_end(
    connection: sqlite3.Connection, start: int, end: int, limit: int | None, times: list[int]
) -> None:
    window = row_window(fetcher(connection), "a", start, end, limit)
    assert as_dict(window) == {time: time / 10 for time in times}
    assert window.times.tolist() == times
    assert (window.times.dtype, window.values.dtype) == (np.int64, np.float64)
    assert not window.times.flags.writeable
    assert not window.values.flags.writeable


def test_what_is_taken_is_gone_and_nothing_else(connection: sqlite3.Connection) -> None:
    assert as_dict(take_window(fetcher(connection), "a", 0, 90)) == {time: time / 10 for time in range(0, 90, 10)}
    assert everything(connection) == {"a": {90: 9.0}, "b": {5: 0.5}}
    assert not len(take_window(fetcher(connection), "a", 0, 90))
    assert not len(take_window(fetcher(connection), "unheard.of", 0, 90))


def test_a_span_is_taken_with_its_latest_metadata(connection: sqlite3.Connection) -> None:
    put_rows(connection, [part("a", [25], [1.0], '{"unit":"V"}'), part("a", [85], [2.0], '{"unit":"mV"}')])
    assert take_window(fetcher(connection), "a", 0, 80).metadata == '{"unit":"V"}'
    assert take_oldest(fetcher(connection), "b", 9).metadata is None
    assert take_oldest(fetcher(connection), "a", 9).metadata == '{"unit":"mV"}'


def test_all_are_taken_with_the_latest_metadata_of_each_metric(connection: sqlite3.Connection) -> None:
    put_rows(connection, [part("a", [25], [1.0], '{"unit":"V"}'), part("a", [15], [2.0], '{"unit":"mV"}')])
    a, b = take_all(fetcher(connection))
    assert (a.name, a.metadata) == ("a", '{"unit":"V"}')  # by time; the rows after it have none
    assert a.times.tolist() == [0, 10, 15, 20, 25, *range(30, 100, 10)]
    assert (b.name, b.metadata, as_dict(b)) == ("b", None, {5: 0.5})
    assert everything(connection) == {}


@given(SAMPLES)
def test_taking_all_is_the_way_back_of_putting(samples: Stored) -> None:
    with a_file() as connection:
        put_rows(connection, parts_of(samples))
        taken = take_all(fetcher(connection))
        assert {each.name: as_dict(each) for each in taken} == {name: each for name, each in samples.items() if each}
        assert everything(connection) == {}


@given(st.dictionaries(TIMES, VALUES, max_size=20), st.integers(1, 25))
def test_the_oldest_are_taken_to_the_very_number(samples: dict[int, float], most: int) -> None:
    with a_file() as connection:
        put_rows(connection, parts_of({"a": samples, "b": {0: 1.0}}))
        oldest = sorted(samples)[:most]
        assert as_dict(take_oldest(fetcher(connection), "a", most)) == {time: samples[time] for time in oldest}
        left = {time: value for time, value in samples.items() if time not in oldest}
        assert everything(connection) == ({"a": left} if left else {}) | {"b": {0: 1.0}}


def test_a_purge_goes_metric_by_metric_and_stops_at_its_bound(connection: sqlite3.Connection) -> None:
    put_rows(connection, [part("b", [6, 7], [0.6, 0.7])])
    assert purge_rows(connection, 0.050, 3) == 3
    assert sorted(everything(connection)["a"]) == [30, 40, 50, 60, 70, 80, 90]
    assert purge_rows(connection, 0.050, 3) == 3  # two of a, one of b
    newer = {time: time / 10 for time in range(50, 100, 10)}
    assert everything(connection) == {"a": newer, "b": {6: 0.6, 7: 0.7}}
    assert [purge_rows(connection, 0.050, 3) for _ in range(2)] == [2, 0]
    assert everything(connection) == {"a": newer}


@given(SAMPLES, TIMES, st.integers(1, 20))
def test_a_purge_deletes_what_is_older_and_never_more_than_asked(samples: Stored, before_ms: int, most: int) -> None:
    with a_file() as connection:
        put_rows(connection, parts_of(samples))
        older = sum(time < before_ms for each in samples.values() for time in each)
        gone = purge_rows(connection, before_ms / 1000, most)
        assert gone == min(older, most)
        left = everything(connection)
        assert sum(map(len, left.values())) == sum(map(len, samples.values())) - gone
        for name, each in left.items():  # of each metric the oldest went
            assert sorted(each) == sorted(samples[name])[-len(each) :]
        while purge_rows(connection, before_ms / 1000, most):
            pass
        newer = {name: {t: v for t, v in each.items() if t >= before_ms} for name, each in samples.items()}
        assert everything(connection) == {name: each for name, each in newer.items() if each}
