"""Samples as CSV: every one, bit for bit, in parts that fit into memory."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from gateway.exporter import export_samples, seconds_text
from gateway.importer import import_recording
from gateway.recording import open_recording
from storage.models import SeriesPart, Window
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from tests.fakes.memory_archive import MemoryArchive
from tests.storage.archive_suite import everything

DAY_MS = 86_400_000
T0 = 1_780_000_000_000


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[SqliteArchive]:
    archive = await open_sqlite_archive(tmp_path / "a.db")
    rng = np.random.default_rng(2)
    for name in ('b, "quoted"', "a", "é/°C", "=cmd", "'=cmd"):
        times = T0 + np.sort(rng.choice(40 * DAY_MS, 5_000, replace=False)).astype(np.int64)
        await archive.append([SeriesPart(name, times, rng.normal(size=5_000) * 10.0 ** rng.integers(-300, 300, 5_000))])
    yield archive
    await archive.aclose()


async def test_out_and_in_again_is_the_same(archive: SqliteArchive, tmp_path: Path) -> None:
    while await archive.compact(1):
        pass
    file = tmp_path / "out.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        done = await export_samples(archive, text)
    assert (done.rows, done.metrics) == (25_000, 5)
    other = await open_sqlite_archive(tmp_path / "b.db")
    with open_recording(file) as recording:
        assert (await import_recording(recording, other)).stored == 25_000
    for name in await archive.names():
        assert await everything(other, name) == await everything(archive, name)
    await other.aclose()


async def test_a_span_and_some_metrics(archive: SqliteArchive) -> None:
    text = io.StringIO()
    start_ms, end_ms = T0 + 3 * DAY_MS + 7, T0 + 5 * DAY_MS
    done = await export_samples(archive, text, start_ms=start_ms, end_ms=end_ms, metrics=["a", "nobody"])
    window = (await archive.window(["a"], start_ms, end_ms))["a"]
    lines = text.getvalue().splitlines()
    assert lines[0] == "metric_name,timestamp,value"
    assert lines[1:] == [
        f"a,{seconds_text(time)},{value!r}" for time, value in zip(window.times, window.values.tolist(), strict=True)
    ]
    assert (done.rows, done.metrics, done.unknown) == (len(window), 1, ("nobody",))


async def test_an_empty_archive_is_a_header() -> None:
    text = io.StringIO()
    done = await export_samples(MemoryArchive(), text)
    assert (text.getvalue(), done.rows) == ("metric_name,timestamp,value\n", 0)


class Measuring(MemoryArchive):
    """Remembers the largest piece it was asked for."""

    largest = 0

    async def window(
        self, names: Sequence[str], start_ms: int, end_ms: int, limit: int | None = None
    ) -> Mapping[str, Window]:
        found = await super().window(names, start_ms, end_ms, limit)
        self.largest = max(self.largest, *(len(window) for window in found.values()), 0)
        return found


async def test_a_crowded_day_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.exporter.MOST_ROWS", 1_000)
    archive = Measuring()
    times = T0 + np.arange(20_000, dtype=np.int64) * 1_000
    sparse = T0 + np.arange(100, dtype=np.int64) * DAY_MS
    await archive.append([SeriesPart("a", times, times / 7), SeriesPart("b", sparse, sparse / 7)])
    text, fractions = io.StringIO(), list[float]()
    done = await export_samples(archive, text, progress=fractions.append)
    assert done.rows == 20_100
    assert len(set(text.getvalue().splitlines())) == 20_101
    assert archive.largest <= 1_000
    assert fractions == [0.5, 1.0]


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0"), (1_000, "1"), (1, "0.001"), (1_780_000_000_120, "1780000000.120"), (-1_500, "-1.500")]
)
def test_seconds(ms: int, text: str) -> None:
    assert seconds_text(ms) == text
