"""The double shows the same behaviour as the real thing: tests that stand on it stand firm."""

from __future__ import annotations

import pytest

from tests.fakes.memory_archive import MemoryArchive
from tests.storage.archive_suite import ArchiveSuite


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


class TestMemoryArchive(ArchiveSuite):
    pass
