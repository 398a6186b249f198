"""Schemathesis against the live server: no undocumented status, no 5xx, no answer off its schema, no ignored auth."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"


# Each alone with a service of its own: the first switches routes off for all others, the second sends messages to the
# channels that somebody may have put into the preferences.
ALONE = ("/api/analytics/features/{flag}", "/api/analytics/notifications/test")


class Fuzzed:
    """A service with tokens, and schemathesis against it."""

    def __init__(self, start: Callable[..., Any], folder: Path) -> None:
        self.folder = folder
        database = str(folder / "analytics.db")
        self.service = start(
            AUTH_MODE="token", PERSISTENCE="true", DB_PATH=database, MAX_ACTIONS_PER_MINUTE="1000000", ready=False
        )
        self.service.wait_ready()
        self.environ = {name: text for name, text in os.environ.items() if not name.startswith("COACHIQ_")}
        self.token = subprocess.run(
            [sys.executable, "-m", "gateway", "token", "create", "fuzz", "--scope", "admin"],
            env={**self.environ, "COACHIQ_ANALYTICS__DB_PATH": database},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.service.request(method, path, body, {"Authorization": f"Bearer {self.token}"})

    def run(self, *more: str) -> None:
        document = self.folder / "openapi.json"
        document.write_bytes(self.ask("GET", "/openapi.json").body)
        done = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "run", str(document),
                "--url", f"http://127.0.0.1:{self.service.port}",
                "--header", f"Authorization: Bearer {self.token}",
                "--checks", CHECKS, "--phases", "examples,fuzzing",
                "--request-timeout", "20", "--no-color", "--max-failures", "20", *more,
            ],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=300,
        )  # fmt: skip
        found = done.stdout[done.stdout.find("= FAILURES =") :]
        assert done.returncode == 0, f"{found[:12_000]}\n{done.stderr[-2000:]}\n{self.service.log[-4000:]}"


@pytest.fixture
def fuzzed(start: Callable[..., Any], tmp_path: Path) -> Fuzzed:
    if find_spec("schemathesis") is None:
        pytest.skip("schemathesis is not installed")
    return Fuzzed(start, tmp_path)


@pytest.mark.long
def test_the_document_and_the_service_agree(fuzzed: Fuzzed) -> None:
    fuzzed.run(
        "--max-examples", "4", "--max-time", "60", *(part for path in ALONE for part in ("--exclude-path", path))
    )


@pytest.mark.parametrize("path", ALONE)
def test_routes_that_are_fuzzed_alone(fuzzed: Fuzzed, path: str) -> None:
    fuzzed.run("--max-examples", "25", "--include-path", path)
    for flag in ("analytics_dashboard", "analytics_dashboard_enhanced", "persistence"):
        assert fuzzed.ask("PUT", f"/api/analytics/features/{flag}", {"enabled": True}).status == 200
    assert fuzzed.ask("GET", "/api/analytics/status").json["persistence"]["enabled"]
