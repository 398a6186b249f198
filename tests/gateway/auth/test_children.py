"""The watcher is there where there are tokens to watch."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.settings import Settings
from conf.values import Secret
from gateway.auth.access import build_access
from gateway.auth.children import access_children


@pytest.mark.parametrize(("mode", "count"), [("none", 0), ("jwt", 0), ("token", 1), ("token+jwt", 1)])
def test_children(tmp_path: Path, mode: str, count: int) -> None:
    settings = Settings(auth_mode=mode, auth_secret=Secret("s" * 32), tokens_file=tmp_path / "t")  # type: ignore[arg-type]
    assert len(access_children(build_access(settings, lambda: 0))) == count
