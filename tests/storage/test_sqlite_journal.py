"""The journal: what goes into a row of it, and how a reader looks into many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import sqlite_journal
from storage.damage import Damage
from storage.migrations import migrate
from storage.models import SeriesPart, Window
from storage.sqlite_chunks import JOURNAL
from storage.sqlite_journal import JournalView, gathered, put_metadata, put_samples
from storage.sqlite_names import Rows, fetcher
from storage.sqlite_rows import put_rows, row_names, row_window
from tests.storage.archive_suite import part

VOLTS, MILLIVOLTS = '{"unit":"V"}', '{"unit":"mV"}'
TIMES = st.integers(0, 40)
COMMITS = st.lists(
    st.dictionaries(
        st.integers(1, 4),
        st.dictionaries(TIMES, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    ),
    max_size=6,
)


@contextmanager
def a_file(path: Path | str = ":memory:") -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection)
        yield connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with a_file() as connection:
        yield connection


@pytest.fixture
def rows(connection: sqlite3.Connection) -> Rows:
    return fetcher(connection)


class Counted:
    """Fetches, and keeps how often a blob was asked for, and how often what the rows span."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._rows = fetcher(connection)
        self.blobs: list[object] = []
        self.spans = 0

    def __call__(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        if "WHERE journal_id = ?" in sql:
            self.blobs += parameters
        elif "FROM analytics_journal" in sql:
            self.spans += 1
        return self._rows(sql, *parameters)


def window(samples: dict[int, float]) -> Window:
    times = sorted(samples)
    return Window(np.array(times, dtype=np.int64), np.array([samples[time] for time in times]))


def straight(first_ms: int, size: int) -> Window:
    times = np.arange(first_ms, first_ms + size, dtype=np.int64)
    return Window(times, times.astype(np.float64))


def as_dict(found: Window) -> dict[int, float]:
    assert (np.diff(found.times) > 0).all()
    return dict(zip(found.times.tolist(), found.values.tolist(), strict=True))


def seen(samples: dict[str, Window]) -> dict[str, dict[int, float]]:
    return {name: as_dict(each) for name, each in samples.items()}


def test_the_few_rows_go_along_and_what_comes_now_is_newer(connection: sqlite3.Connection, rows: Rows) -> None:
    put_rows(connection, [part("a", [1, 2], [1.0, 2.0], VOLTS), part("b", [7], [7.0], VOLTS)])
    samples, metadata = gathered(rows, [part("a", [3, 2], [3.0, -2.0]), part("c", [1], [0.0], MILLIVOLTS)])
    assert seen(samples) == {"a": {1: 1.0, 2: -2.0, 3: 3.0}, "b": {7: 7.0}, "c": {1: 0.0}}
    assert metadata == {"a": VOLTS, "b": VOLTS, "c": MILLIVOLTS}
    assert row_names(rows) == []


def test_of_one_metric_in_several_parts_the_last_wins(rows: Rows) -> None:
    parts = [part("a", [9, 1, 9], [1.0, 2.0, 3.0], VOLTS), part("a", [1], [4.0], MILLIVOLTS), part("a", [5], [5.0])]
    samples, metadata = gathered(rows, parts)
    assert seen(samples) == {"a": {1: 4.0, 5: 5.0, 9: 3.0}}
    assert metadata == {"a": MILLIVOLTS}  # a part that brings none takes none away


def test_a_part_without_samples_leaves_nothing(rows: Rows) -> None:
    assert gathered(rows, [part("a", [], [], VOLTS)]) == ({}, {})


@pytest.mark.parametrize(("held", "left"), [(5, []), (6, [0, 10, 40, 50])])
def test_of_many_rows_only_those_of_that_time_are_taken(
    connection: sqlite3.Connection, rows: Rows, monkeypatch: pytest.MonkeyPatch, held: int, left: list[int]
) -> None:
    monkeypatch.setattr(sqlite_journal, "FEW_ROWS", 5)
    put_rows(connection, [part("a", [10 * n for n in range(held)], [float(n) for n in range(held)])])
    samples, _ = gathered(rows, [part("a", [30, 20], [-3.0, -2.0]), part("b", [10], [1.0])])
    taken = {10 * n: float(n) for n in range(held) if 10 * n not in left}
    assert seen(samples) == {"a": {**taken, 20: -2.0, 30: -3.0}, "b": {10: 1.0}}
    assert row_window(rows, "a", 0, 100).times.tolist() == left


def test_many_rows_between_the_new_samples_do_not_come_to_lie_over_them(
    connection: sqlite3.Connection, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_journal, "FEW_ROWS", 2)
    put_rows(connection, [part("a", [0, 15, 20, 30], [0.0, 1.0, 2.0, 3.0])])
    samples, _ = gathered(rows, [part("a", [10, 20], [-1.0, -2.0]), part("a", [15], [-1.5])])
    assert seen(samples) == {"a": {10: -1.0, 15: -1.5, 20: -2.0}}
    assert row_window(rows, "a", 0, 100).times.tolist() == [0, 30]


def test_a_commit_is_one_row_of_all_its_metrics(connection: sqlite3.Connection, rows: Rows) -> None:
    put_samples(connection, {7: straight(100, 3), 2: straight(50, 2)})
    put_samples(connection, {})
    (row,) = JournalView(Damage()).spans(rows)
    assert (row.journal_id, row.metric_id, row.last_metric_id) == (1, 2, 7)
    assert (row.start_ms, row.end_ms, row.count) == (50, 102, 5)


def test_a_very_large_commit_is_a_few_rows(
    connection: sqlite3.Connection, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_journal, "MOST_SAMPLES", 50)
    put_samples(connection, {metric_id: straight(0, size) for metric_id, size in ((4, 9), (1, 30), (2, 20), (3, 70))})
    view = JournalView(Damage())
    assert [(row.metric_id, row.last_metric_id, row.count) for row in view.spans(rows)] == [
        (1, 2, 50),
        (3, 3, 70),
        (4, 4, 9),
    ]
    assert view.counts(rows) == {1: 30, 2: 20, 3: 70, 4: 9}


def test_metadata_is_the_latest(rows: Rows) -> None:
    ids = {"a": 5, "b": 6}
    put_metadata(rows, ids, {"a": VOLTS, "b": VOLTS})
    put_metadata(rows, ids, {"a": MILLIVOLTS})
    stored = rows("SELECT metric_id, metadata FROM analytics_series_metadata ORDER BY metric_id")
    assert stored == [(5, MILLIVOLTS), (6, VOLTS)]


@given(COMMITS, TIMES, TIMES)
def test_a_window_is_what_was_committed_with_the_latest_of_each_time(
    commits: list[dict[int, dict[int, float]]], start_ms: int, end_ms: int
) -> None:
    kept: dict[int, dict[int, float]] = {}
    counts: dict[int, int] = {}
    with a_file() as connection:
        for commit in commits:
            put_samples(connection, {metric_id: window(samples) for metric_id, samples in commit.items()})
            for metric_id, samples in commit.items():
                kept.setdefault(metric_id, {}).update(samples)
                counts[metric_id] = counts.get(metric_id, 0) + len(samples)
        view = JournalView(Damage())
        for metric_id in range(6):
            found = as_dict(view.window(fetcher(connection), metric_id, start_ms, end_ms))
            expected = kept.get(metric_id, {}).items()
            assert found == {time: value for time, value in expected if start_ms <= time < end_ms}
        assert view.counts(fetcher(connection)) == counts


def test_a_reader_sees_what_another_connection_commits_and_asks_once_in_between(tmp_path: Path) -> None:
    with a_file(tmp_path / "a.db") as writer, a_file(tmp_path / "a.db") as reader:
        rows, view = Counted(reader), JournalView(Damage())
        assert view.spans(rows) == []
        for last in (1, 2, 3):
            put_samples(writer, {1: window({last: 0.5})})
            for _ in range(3):
                assert view.window(rows, 1, 0, 9).times.tolist() == list(range(1, last + 1))
        assert rows.spans == 4
        assert rows.blobs == [1, 2, 3]  # each unpacked once


def test_a_number_that_is_given_again_is_another_row(tmp_path: Path) -> None:
    with a_file(tmp_path / "a.db") as writer, a_file(tmp_path / "a.db") as reader:
        rows, view = fetcher(reader), JournalView(Damage())
        for value in (1.0, 2.0):
            put_samples(writer, {1: window({5: value})})
            assert [row.journal_id for row in view.spans(rows)] == [1]
            assert as_dict(view.window(rows, 1, 0, 9)) == {5: value}
            writer.execute("DELETE FROM analytics_journal")
        assert not len(view.window(rows, 1, 0, 9))


@pytest.mark.parametrize(("metric_id", "start_ms", "end_ms"), [(4, 0, 100), (6, 0, 100), (5, 0, 10), (5, 20, 100)])
def test_a_row_of_other_metrics_or_times_is_not_unpacked(
    connection: sqlite3.Connection, metric_id: int, start_ms: int, end_ms: int
) -> None:
    put_samples(connection, {5: straight(10, 10)})  # 10 ... 19
    rows = Counted(connection)
    assert not len(JournalView(Damage()).window(rows, metric_id, start_ms, end_ms))
    assert rows.blobs == []


@pytest.mark.parametrize(("room", "fetched"), [(1 << 20, [1, 2, 3]), (5_000, [1, 2, 3, 2]), (0, [1, 2, 3, 1, 2])])
def test_the_rows_last_looked_at_are_kept(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, room: int, fetched: list[int]
) -> None:
    """Each takes 24 bytes a sample and 500: two of them go into 5,000."""
    monkeypatch.setattr(sqlite_journal, "CACHE_BYTES", room)
    for metric_id in (1, 2, 3):
        put_samples(connection, {metric_id: straight(0, 80)})
    rows, view = Counted(connection), JournalView(Damage())
    for metric_id in (1, 2, 1, 3, 3, 1, 2) if room else (1, 2, 3, 3, 1, 2):
        assert len(view.window(rows, metric_id, 0, 80)) == 80
    assert rows.blobs == fetched


def test_a_damaged_row_is_noted_once_and_its_neighbours_are_served(connection: sqlite3.Connection) -> None:
    for value in (1.0, 2.0, 3.0):
        put_samples(connection, {1: window({4: value, 10 * int(value): value})})
    connection.execute("UPDATE analytics_journal SET data = zeroblob(length(data)) WHERE journal_id = 3")
    damage, rows = Damage(), Counted(connection)
    view = JournalView(damage)
    assert as_dict(view.window(rows, 1, 0, 99)) == {4: 2.0, 10: 1.0, 20: 2.0}
    assert view.counts(rows) == {1: 4}
    assert damage.rows(JOURNAL) == {3}
    assert rows.blobs == [1, 2, 3]


def test_what_comes_out_of_rows_is_as_good_in_the_journal(connection: sqlite3.Connection, rows: Rows) -> None:
    """To the last bit, minus zero and the smallest numbers included."""
    values = [-0.0, 5e-324, 1.7976931348623157e308, -1 / 3]
    samples, _ = gathered(rows, [SeriesPart("a", np.arange(4, dtype=np.int64), np.array(values))])
    put_samples(connection, {9: samples["a"]})
    assert JournalView(Damage()).window(rows, 9, 0, 4).values.tobytes() == np.array(values).tobytes()
