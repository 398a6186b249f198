"""The build hook: what decides on building. Building itself is what the wheel's own check does."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path, hook: ModuleType) -> Path:
    for name in ("dashboard/src/main.ts", "dashboard/package-lock.json", "docs/openapi.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    result = tmp_path / hook.RESULT
    result.mkdir(parents=True)
    for part in hook.PARTS:
        (result / part).write_text("built")
    (result / hook.STAMP).write_text(hook.fingerprint(tmp_path))
    return tmp_path


def test_what_was_built_from_these_sources_is_current(hook: ModuleType, tree: Path) -> None:
    assert hook.is_current(tree)
    assert hook.ensure_built(tree) is False
    for name in ("dashboard/node_modules/a.js", hook.GENERATED):  # what building leaves behind is no source
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("x")
    assert hook.is_current(tree)


@pytest.mark.parametrize("name", ["dashboard/src/main.ts", "dashboard/package-lock.json", "docs/openapi.json"])
def test_a_changed_source_asks_for_a_build(hook: ModuleType, tree: Path, name: str) -> None:
    (tree / name).write_text("changed")
    assert not hook.is_current(tree)


def test_a_new_a_moved_and_a_missing_file_ask_for_a_build(hook: ModuleType, tree: Path) -> None:
    source = tree / "dashboard/src/main.ts"
    source.rename(source.with_name("other.ts"))
    assert not hook.is_current(tree)
    source.with_name("other.ts").rename(source)
    assert hook.is_current(tree)
    (tree / "dashboard/src/new.ts").write_text("")
    assert not hook.is_current(tree)
    (tree / "dashboard/src/new.ts").unlink()
    (tree / hook.RESULT / "index.html").unlink()
    assert not hook.is_current(tree)


def test_without_a_stamp_nothing_is_current(hook: ModuleType, tree: Path) -> None:
    (tree / hook.RESULT / hook.STAMP).unlink()
    assert not hook.is_current(tree)


def test_the_yaml_files_are_prepared_once_and_again_when_one_changes(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    for name, text in (("a.yaml", "[1, 2.5, °C]"), ("b.yaml", "b: {c: null}")):
        (tmp_path / "conf" / name).write_text(text, encoding="utf-8")
    assert not hook.is_prepared(tmp_path)
    assert hook.ensure_prepared(tmp_path) is True
    entries = json.loads((tmp_path / hook.PREPARED).read_bytes())
    assert {name: entry["content"] for name, entry in entries.items()} == {
        "a.yaml": [1, 2.5, "°C"],
        "b.yaml": {"b": {"c": None}},
    }
    assert hook.ensure_prepared(tmp_path) is False
    (tmp_path / "conf" / "a.yaml").write_text("2")
    assert hook.ensure_prepared(tmp_path) is True
    (tmp_path / "conf" / "b.yaml").unlink()
    assert not hook.is_prepared(tmp_path)


@pytest.mark.parametrize("written", ["", "[]", '{"a.yaml": 1}', '{"a.yaml": {"content": 1}}'])
def test_what_was_cut_off_is_prepared_again(hook: ModuleType, tmp_path: Path, written: str) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.yaml").write_text("1")
    (tmp_path / hook.PREPARED).write_text(written)
    assert hook.ensure_prepared(tmp_path) is True
    assert hook.is_prepared(tmp_path)


@pytest.mark.parametrize("text", ["1: a number for a name", "2026-11-29", ".nan"])
def test_what_json_has_no_form_for_is_refused(hook: ModuleType, tmp_path: Path, text: str) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.yaml").write_text(text)
    with pytest.raises((ValueError, TypeError)):
        hook.ensure_prepared(tmp_path)
    assert not hook.is_prepared(tmp_path)
