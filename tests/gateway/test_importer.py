"""Importing: batches, bad rows named, equal times replaced, what was committed stays."""

from __future__ import annotations

import gzip

import pytest

from gateway import importer
from gateway.importer import MAX_NAMED, import_recording, series
from gateway.recording import BadRow, RecordingError, Row, open_recording
from storage.archive import ArchiveError
from tests.fakes.memory_archive import MemoryArchive


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


@pytest.fixture
def run(tmp_path, archive):
    async def run(text, **options):
        path = tmp_path / "a.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with open_recording(path) as recording:
            return await import_recording(recording, archive, **options)

    return run


def csv_of(*rows: str) -> str:
    return "\n".join(("metric_name,timestamp,value", *rows, ""))


async def test_rows_are_stored_with_their_times(run, archive):
    done = await run(csv_of("a,1,1.5", "b,2.5,2", "a,3,-1"))
    assert archive.samples == {"a": {1000: 1.5, 3000: -1.0}, "b": {2500: 2.0}}
    assert (done.stored, done.bad, done.first_ms, done.last_ms) == (3, 0, 1000, 3000)


async def test_batches_are_bounded(run, archive, monkeypatch):
    monkeypatch.setattr(importer, "BATCH_ROWS", 10)
    seen: list[float] = []
    done = await run(csv_of(*(f"a,{at},1" for at in range(25))), progress=seen.append)
    assert (archive.appends, done.stored) == (3, 25)
    assert seen == sorted(seen)
    assert seen[-1] == 1


async def test_the_later_of_two_rows_wins_and_again_is_harmless(run, archive):
    for _ in range(2):
        await run(csv_of("a,1,1", "a,1,2"))
    assert archive.samples == {"a": {1000: 2.0}}


async def test_bad_rows_are_named_and_counted(run, archive):
    done = await run(csv_of("a,1,1", "a,x,1", "a,2,NaN", *["a,,"] * 100, "a,3,1"))
    assert len(archive.samples["a"]) == done.stored == 2
    assert done.bad == 102
    assert len(done.named) == MAX_NAMED
    assert done.named[:2] == [
        BadRow(3, "timestamp: expected unix seconds or ISO 8601, got 'x'"),
        BadRow(4, "value: expected a finite number, got 'NaN'"),
    ]


async def test_a_file_without_rows(run, archive):
    done = await run(csv_of())
    assert (done.stored, done.bad, done.first_ms, archive.appends) == (0, 0, None, 0)


async def test_what_was_committed_before_the_file_broke_off_stays(run, archive, monkeypatch):
    monkeypatch.setattr(importer, "BATCH_ROWS", 100)
    text = csv_of(*(f"a,{at},{at * 7919 % 1000}" for at in range(20_000)))
    with pytest.raises(RecordingError, match="ended before"):
        await run(gzip.compress(text.encode())[:-30])
    assert len(archive.samples["a"]) > 10_000


async def test_trouble_with_the_archive_is_the_callers(run, archive):
    archive.trouble = ArchiveError("full", "the disk is full")
    with pytest.raises(ArchiveError):
        await run(csv_of("a,1,1"))


def test_series_keep_the_order_of_their_rows():
    parts = series([Row("b", 2, 1.0), Row("a", 1, 2.0), Row("b", 1, 3.0)])
    assert [(part.name, part.times.tolist(), part.values.tolist()) for part in parts] == [
        ("b", [2, 1], [1.0, 3.0]),
        ("a", [1], [2.0]),
    ]
