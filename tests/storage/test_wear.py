"""What the kernel counts, or nothing."""

from __future__ import annotations

import os
from pathlib import Path

from storage.wear import written_bytes


def test_the_number_is_found(tmp_path: Path) -> None:
    file = tmp_path / "io"
    file.write_text("rchar: 1\nwchar: 2\nwrite_bytes: 4096\ncancelled_write_bytes: 9\n")
    assert written_bytes(file) == 4096
    file.write_text("nothing of the kind\nwrite_bytes: many\n")
    assert written_bytes(file) is None
    assert written_bytes(tmp_path / "absent") is None


def test_what_is_written_counts(tmp_path: Path) -> None:
    before = written_bytes()
    assert before is not None
    with (tmp_path / "file").open("wb") as file:
        file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    after = written_bytes()
    assert after is not None
    assert after - before >= 0  # a file system in memory counts nothing
