"""Packing changes where samples lie and nothing else: the archive against a dictionary, in whatever order."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pytest
import trio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from storage import compaction, packing, sqlite_journal, sqlite_writing
from storage.models import SeriesPart
from storage.sqlite_archive import SqliteArchive, open_sqlite_archive
from tests.fakes.memory_archive import MemoryArchive

NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module", autouse=True)
def small_sizes() -> Iterator[None]:
    """Every threshold within reach of a few samples."""
    with (
        patch.multiple(packing, OWN_SAMPLES=12, MOST_SAMPLES=30, PACK_SAMPLES=40),
        patch.multiple(sqlite_writing, OWN_SAMPLES=12, SMALL_COMMIT=3, ROWS_KEPT=6),
        patch.multiple(compaction, STEP_SAMPLES=60, MERGE_PACKS=3),
        patch.multiple(sqlite_journal, MOST_SAMPLES=50),
    ):
        yield


VALUES = st.one_of(st.integers(-3, 3).map(float), st.just(-0.0), st.floats(allow_nan=False, allow_infinity=False))
PARTS = st.lists(
    st.builds(
        lambda name, first, step, values: SeriesPart(
            name, first + step * np.arange(len(values), dtype=np.int64), np.array(values, dtype=np.float64)
        ),
        st.sampled_from(NAMES),
        st.integers(0, 400),
        st.sampled_from([0, 1, 1, 3]),
        st.lists(VALUES, min_size=1, max_size=40),
    ),
    min_size=1,
    max_size=4,
)
STEPS = st.lists(st.one_of(PARTS, st.just("compact"), st.just("open again")), min_size=1, max_size=14)


def with_archive(work: Callable[[Path], Awaitable[None]]) -> None:
    with TemporaryDirectory() as folder:
        trio.run(work, Path(folder) / "a.db")


async def same(archive: SqliteArchive, model: MemoryArchive) -> None:
    assert await archive.names() == await model.names()
    for start_ms, end_ms in ((0, 10_000), (77, 301)):
        found = await archive.window(NAMES, start_ms, end_ms)
        wanted = await model.window(NAMES, start_ms, end_ms)
        assert found.keys() == wanted.keys()
        for name, window in wanted.items():
            assert found[name].times.tolist() == window.times.tolist()
            assert found[name].values.tobytes() == window.values.tobytes()
        summed = await archive.buckets(NAMES, start_ms, end_ms, 50)
        right = await model.buckets(NAMES, start_ms, end_ms, 50)
        assert summed.keys() == right.keys()
        for name, buckets in right.items():
            for column in ("starts", "count", "minimum", "maximum"):
                assert getattr(summed[name], column).tolist() == getattr(buckets, column).tolist()
    newest = await archive.window(NAMES, 0, 300, limit=5)
    right_newest = await model.window(NAMES, 0, 300, limit=5)
    assert {name: window.times.tolist() for name, window in newest.items()} == {
        name: window.times.tolist() for name, window in right_newest.items()
    }


def nothing_lies_twice(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        spans = connection.execute(
            "SELECT metric_id, start_ms, end_ms FROM analytics_chunks WHERE level = 0 ORDER BY 1, 2"
        ).fetchall()
    for one, other in pairwise(spans):
        assert one[0] != other[0] or one[2] < other[1]


@settings(max_examples=50, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(STEPS)
def test_whatever_happens_in_whatever_order(steps: list[list[SeriesPart] | str]) -> None:
    async def run(path: Path) -> None:
        model = MemoryArchive()
        archive = await open_sqlite_archive(path)
        for step in steps:
            if step == "open again":
                await archive.aclose()
                archive = await open_sqlite_archive(path)
            elif step == "compact":
                await archive.compact(1)
            else:
                await archive.append(step)
                await model.append(step)
        await same(archive, model)
        for _ in range(50):
            if not await archive.compact(1):
                break
        else:
            raise AssertionError("compaction finds no end")
        await same(archive, model)
        await archive.aclose()
        nothing_lies_twice(path)

    with_archive(run)
