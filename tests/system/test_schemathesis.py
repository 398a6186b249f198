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


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed")
def test_the_document_and_the_service_agree(start: Callable[..., Any], tmp_path: Path) -> None:
    service = start(
        AUTH_MODE="token",
        PERSISTENCE="true",
        DB_PATH=str(tmp_path / "analytics.db"),
        MAX_ACTIONS_PER_MINUTE="1000000",
        ready=False,
    )
    service.wait_ready()
    environ = {name: text for name, text in os.environ.items() if not name.startswith("COACHIQ_")}
    token = subprocess.run(
        [sys.executable, "-m", "gateway", "token", "create", "fuzz", "--scope", "admin"],
        env={**environ, "COACHIQ_ANALYTICS__DB_PATH": str(tmp_path / "analytics.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.strip()
    url = f"http://127.0.0.1:{service.port}"
    document = tmp_path / "openapi.json"
    document.write_bytes(service.request("GET", "/openapi.json", None, {"Authorization": f"Bearer {token}"}).body)
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", url,
            "--header", f"Authorization: Bearer {token}",
            "--checks", CHECKS, "--phases", "examples,fuzzing", "--max-examples", "4", "--max-time", "60",
            "--exclude-path", "/api/analytics/features/{flag}",  # it would switch the service off
            "--exclude-path", "/api/analytics/notifications/test",  # it would send messages into the world
            "--request-timeout", "20", "--no-color", "--max-failures", "20",
        ],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
