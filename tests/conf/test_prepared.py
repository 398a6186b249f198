"""What was prepared is what the yaml says, and nothing is believed of any other text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conf import prepared as module
from conf.loader import read_conf
from conf.prepared import prepared
from conf.yaml_text import parse_yaml

NAMES = ("feature_flags.yaml", "kpis.yaml", "metrics.yaml", "rules.yaml")
CONTENT = (
    b'{"a.yaml": {"sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "content": [1, 2.5]}}'
)


def place(name: str) -> Path:
    return Path(module.__file__).with_name(name)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    module._entries.cache_clear()
    yield
    module._entries.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_the_installed_package_brings_what_its_yaml_says(name: str) -> None:
    text = place(name).read_bytes()
    content = prepared(name, text)
    assert content is not None, "not built: python hatch_build.py"
    assert content == parse_yaml(text.decode()) == read_conf(name)


def test_one_letter_more_and_the_yaml_is_read(tmp_path: Path) -> None:
    name = "metrics.yaml"
    (tmp_path / name).write_bytes(place(name).read_bytes() + b"\n")
    assert prepared(name, (tmp_path / name).read_bytes()) is None
    assert read_conf(name, tmp_path) == read_conf(name)


@pytest.mark.parametrize("written", [None, b"", CONTENT[:-9], b'{"a.yaml": 3}', b'{"a.yaml": {"content": 3}}'])
def test_without_anything_prepared_the_yaml_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes | None
) -> None:
    known = read_conf("metrics.yaml")
    monkeypatch.setattr(module, "PREPARED", tmp_path / "prepared.json")
    module._entries.cache_clear()
    if written is not None:
        (tmp_path / "prepared.json").write_bytes(written)
    assert prepared("a.yaml", b"a") is None
    assert read_conf("metrics.yaml") == known


def test_the_hash_is_that_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREPARED", tmp_path / "prepared.json")
    (tmp_path / "prepared.json").write_bytes(CONTENT)
    assert prepared("a.yaml", b"a") == [1, 2.5]
    assert prepared("a.yaml", b"b") is None
    assert prepared("b.yaml", b"a") is None
