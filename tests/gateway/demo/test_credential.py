"""How the simulated coach gets in, whatever the service asks for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from conf.settings import Settings
from conf.values import Secret
from gateway.auth.access import build_access
from gateway.demo.credential import coach_token


@pytest.mark.parametrize("mode", ["token", "jwt", "token+jwt"])
def test_a_key_for_as_long_as_the_demo_runs(tmp_path: Path, mode: str) -> None:
    settings = Settings(
        auth_mode=mode,  # type: ignore[arg-type]
        auth_secret=Secret("a secret of the core which is long enough"),
        tokens_file=tmp_path / "tokens.json",
    )
    with coach_token(settings) as text:
        verifier = build_access(settings, lambda: time.time_ns() // 1_000_000).verifier
        assert verifier.identify(text).may("ingest")
        assert not verifier.identify(text).may("admin")
    if "token" in mode:
        assert '"tokens": []' in settings.tokens_path.read_text()


def test_nobody_asks(tmp_path: Path) -> None:
    with coach_token(Settings(tokens_file=tmp_path / "tokens.json")) as text:
        assert text is None
    assert list(tmp_path.iterdir()) == []
