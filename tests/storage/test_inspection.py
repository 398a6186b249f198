"""What a look from outside finds; how it is said is `doctor`'s."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.inspection import inspect_archive
from storage.migrations import CURRENT
from storage.sqlite_archive import open_sqlite_archive
from tests.storage.archive_suite import an_insight, part


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    archive = await open_sqlite_archive(tmp_path / "a.db")
    await archive.append([part("packed", range(2_000), range(2_000))], [an_insight()])
    while await archive.compact(1):
        pass
    await archive.append([part("journal", range(5_000, 6_000), range(1_000))])
    await archive.append([part("packed", [9_000], [1.0]), part("row", [10_000], [1.0])])
    await archive.aclose()
    return tmp_path / "a.db"


async def test_samples_wherever_they_lie(path: Path) -> None:
    before = path.read_bytes()  # noqa: ASYNC240
    state = inspect_archive(path)
    assert (state.samples, state.metrics) == (3_002, 3)
    assert (state.first_ms, state.last_ms) == (0, 10_000)
    assert (state.insights, state.patterns) == (1, 0)
    assert state.version == CURRENT
    assert state.sound
    assert path.read_bytes() == before  # noqa: ASYNC240


async def test_an_empty_file_and_none(tmp_path: Path) -> None:
    (tmp_path / "b.db").touch()
    state = inspect_archive(tmp_path / "b.db")
    assert (state.exists, state.size_bytes, state.sound) == (True, 0, True)
    assert not inspect_archive(tmp_path / "none.db").exists
