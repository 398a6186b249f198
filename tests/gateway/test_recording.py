"""Recordings: the forms that are read, and rows that cost nobody else anything."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.recording import BadRow, RecordingError, Row, _unguarded, guarded, open_recording


def rows_of(path):
    with open_recording(path) as recording:
        return list(recording)


@pytest.fixture
def file(tmp_path):
    def write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_milliseconds_in_any_order_of_columns(file):
    path = file("value,metric_name,timestamp_ms\n1.5,a,1000\n-2,b,2000\n")
    assert rows_of(path) == [Row("a", 1000, 1.5), Row("b", 2000, -2.0)]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_pipe_is_read_as_a_file_is(compress):
    """`zcat a.csv.gz | coachiq-analytics import /dev/stdin`: its size is not known, and it can't be read twice."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as out:
        out.write(compress(b"metric_name,timestamp_ms,value\na,1000,1.5\n"))
    try:
        with open_recording(Path(f"/proc/self/fd/{reading}")) as recording:
            assert recording.fraction == 0.0
            assert list(recording) == [Row("a", 1000, 1.5)]
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1760000000", 1_760_000_000_000),
        ("1760000000.1234", 1_760_000_000_123),
        ("2025-10-09T08:53:20Z", 1_760_000_000_000),
        ("2025-10-09T08:53:20", 1_760_000_000_000),
        ("2025-10-09 10:53:20+02:00", 1_760_000_000_000),
        ("0", 0),
    ],
)
def test_times_in_seconds_or_iso(file, text, time_ms):
    assert rows_of(file(f"metric_name,timestamp,value\na,{text},1\n")) == [Row("a", time_ms, 1.0)]


def test_gzip_is_recognised_by_its_content(file):
    path = file(gzip.compress(b"metric_name,timestamp,value\na,1,1\n"), "plain.csv")
    assert rows_of(path) == [Row("a", 1000, 1.0)]


def test_a_byte_order_mark_blank_lines_quotes_and_case(file):
    path = file('\ufeffMetric_Name, Timestamp ,VALUE\r\n\r\n"tank, fresh",1,2\r\n')
    assert rows_of(path) == [Row("tank, fresh", 1000, 2.0)]


@pytest.mark.parametrize(
    ("cell", "name"),
    [("'=a", "=a"), ("''=a", "'=a"), ("=a", "=a"), ("'a", "'a"), ("''", "''"), ("'-1", "-1"), ("-1", "-1")],
)
def test_a_guard_against_formulas_is_taken_off(file, cell, name):
    assert rows_of(file(f"metric_name,timestamp,value\n{cell},1,1\n")) == [Row(name, 1000, 1.0)]


@given(st.text("'=+-@a", min_size=1))
def test_what_is_guarded_reads_as_it_was(name):
    assert _unguarded(guarded(name)) == name
    assert guarded(name)[0] not in "=+-@"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,1", "expected 3 columns, got 2"),
        (",1,1", "metric_name: expected a name, got an empty string"),
        ("a\x07,1,1", "metric_name: character U+0007 is not allowed in a name"),
        ("a,yesterday,1", "timestamp: expected unix seconds or ISO 8601, got 'yesterday'"),
        ("a,-1,1", "timestamp: expected unix seconds or ISO 8601, got '-1'"),
        ("a,1e300,1", "timestamp: expected unix seconds or ISO 8601, got '1e300'"),
        ("a,nan,1", "timestamp: expected unix seconds or ISO 8601, got 'nan'"),
        ("a,1,high", "value: expected a finite number, got 'high'"),
        ("a,1,NaN", "value: expected a finite number, got 'NaN'"),
        ("a,1,1e999", "value: expected a finite number, got '1e999'"),
        ("a,1,", "value: expected a finite number, got ''"),
        ("a,1,1_000", "value: expected a finite number, got '1_000'"),
        ("a,1_760_000_000,1", "timestamp: expected unix seconds or ISO 8601, got '1_760_000_000'"),
        (
            "a,1789257600000,1",
            "timestamp: expected unix seconds or ISO 8601, got '1789257600000' "
            "(milliseconds belong in a column timestamp_ms)",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_next_one_read(file, row, problem):
    assert rows_of(file(f"metric_name,timestamp,value\nz,1,1\n{row}\nz,2,2\n")) == [
        Row("z", 1000, 1.0),
        BadRow(3, problem),
        Row("z", 2000, 2.0),
    ]


@pytest.mark.parametrize("text", ["1.5", "1_000", "nan", "-1", "1e300", "soon"])
def test_milliseconds_must_be_whole(file, text):
    assert rows_of(file(f"metric_name,timestamp_ms,value\na,{text},1\n")) == [
        BadRow(2, f"timestamp_ms: expected unix milliseconds, got {text!r}")
    ]


def test_whole_milliseconds_may_have_a_point(file):
    assert rows_of(file("metric_name,timestamp_ms,value\na,1789257600001.0,1\n")) == [Row("a", 1_789_257_600_001, 1.0)]


def test_a_quote_that_never_ends_is_one_bad_row(file):
    found = rows_of(file('metric_name,timestamp,value\na,1,1\n"b,2,2\n'))
    assert found[0] == Row("a", 1000, 1.0)
    assert isinstance(found[1], BadRow)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected one column metric_name"),
        (b"name,timestamp,value\n", "expected one column metric_name, got the header 'name,timestamp,value'"),
        (b"metric_name,when,value\n", "expected one column timestamp"),
        (b"metric_name,timestamp,value,value\n", "expected one column value"),
        (b"metric_name,timestamp,value\na,1,1\n\xff\xfe,1,1\n", "not UTF-8"),
        (gzip.compress(b"metric_name,timestamp,value\n" + b"a,1,1\n" * 9999)[:-20], "ended before"),
        (b"\x1f\x8bnot gzip at all", "compression method"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(file, content, message):
    path = file(content)
    with pytest.raises(RecordingError, match=message) as caught:
        rows_of(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_directory(tmp_path):
    for path, message in ((tmp_path / "no.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(RecordingError, match=message):
            rows_of(path)


def test_how_far_it_has_come(file):
    path = file("metric_name,timestamp,value\n" + "a,1,1\n" * 100_000)
    with open_recording(path) as recording:
        seen = [recording.fraction for _ in recording]
    assert seen[0] < 0.2
    assert seen == sorted(seen)
    assert recording is not None
    assert seen[-1] == 1.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_one_error(file, content):
    path = file(b"metric_name,timestamp,value\n" + content, "any.csv")
    try:
        found = rows_of(path)
    except RecordingError:
        return
    assert all(isinstance(each, Row | BadRow) for each in found)
