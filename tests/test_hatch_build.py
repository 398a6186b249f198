"""The build hook: what decides on building. Building itself is what the wheel's own check does."""

from __future__ import annotations

import importlib.util
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
