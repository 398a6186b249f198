"""The write-ahead log read by hand gives what SQLite itself recovers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.log_frames import FRAME_HEADER_BYTES, HEADER_BYTES, read_frames

PAGE = 4096
FRAME = FRAME_HEADER_BYTES + PAGE


@pytest.fixture
def log(tmp_path: Path) -> bytes:
    """Three transactions: a table, and two rows."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("INSERT INTO t VALUES (2)")
        return path.with_name("a.db-wal").read_bytes()


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_committed_pages_and_their_newest_content(log: bytes) -> None:
    frames = read_frames(log)
    assert frames is not None
    assert frames.page_bytes == PAGE
    assert set(frames.pages) == {1, 2}
    assert frames.page_count == 2
    assert frames.pages[2] == len(log) - PAGE


def test_a_transaction_counts_when_its_last_frame_is_whole(log: bytes) -> None:
    frames = read_frames(log[:-1])
    assert frames is not None
    assert frames.pages[2] == len(log) - PAGE - FRAME


@pytest.mark.parametrize("at", [0, 4, 16, PAGE // 2])
def test_a_damaged_frame_ends_it(log: bytes, at: int) -> None:
    last = len(log) - FRAME
    frames = read_frames(flipped(log, last + FRAME_HEADER_BYTES + at))
    assert frames is not None
    assert frames.pages[2] < last


@pytest.mark.parametrize("at", range(0, HEADER_BYTES, 3))
def test_a_damaged_header_leaves_nothing(log: bytes, at: int) -> None:
    assert read_frames(flipped(log, at)) is None


def test_no_log() -> None:
    assert read_frames(b"") is None


@given(st.binary(max_size=20_000))
def test_whatever_the_bytes_are(content: bytes) -> None:
    read_frames(content)
