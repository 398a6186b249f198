from __future__ import annotations

import logging
from pathlib import Path

import pytest

from storage.detector_state import MAGIC, DetectorState

STATES = {"m": [1, 2.5, b"\x00\xff", [None, True]], "käse": []}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    state = DetectorState(tmp_path / "analytics.detectors")
    assert state.load() == {}
    state.save(STATES)
    state.save(STATES)
    assert state.load() == STATES
    assert [path.name for path in tmp_path.iterdir()] == ["analytics.detectors"]


@pytest.mark.parametrize("damage", ["flipped", "cut", "foreign", "empty"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "analytics.detectors"
    state = DetectorState(path)
    state.save(STATES)
    data = bytearray(path.read_bytes())
    data[-3] ^= 0x40
    path.write_bytes({"flipped": data, "cut": data[:-5], "foreign": b"SQLite format 3", "empty": b""}[damage])
    with caplog.at_level(logging.WARNING):
        assert state.load() == {}
    assert str(path) in caplog.text


def test_a_file_that_lies_about_its_content_is_refused(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "analytics.detectors"
    body = zlib.compress(b"\x01")
    path.write_bytes(MAGIC + zlib.crc32(body).to_bytes(4, "big") + body)
    assert DetectorState(path).load() == {}


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    state = DetectorState(tmp_path / "analytics.detectors")
    state.save(STATES)
    (tmp_path / "analytics.detectors.new").mkdir()
    with pytest.raises(OSError):
        state.save({})
    assert state.load() == STATES
