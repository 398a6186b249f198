"""The whole process with authentication on: the command line, revocation while it runs, planted canaries."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

pytestmark = pytest.mark.system

SECRET = "canary-of-the-core-which-is-long-enough"
CORE_TOKEN = "canary-for-the-core"


def token_command(folder: Path, *arguments: str) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("COACHIQ_")}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "token", *arguments],
        env={**environ, "COACHIQ_ANALYTICS__DB_PATH": str(folder / "analytics.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_tokens_while_the_service_runs_and_no_canary_gets_out(start: Callable[..., Any], tmp_path: Path) -> None:
    service = start(
        ready=False,
        AUTH_MODE="token+jwt",
        DB_PATH=str(tmp_path / "analytics.db"),
        CORE_URL="http://127.0.0.1:9",
        CORE_TOKEN=CORE_TOKEN,
        LOG_LEVEL="DEBUG",
        COACHIQ_AUTH__SECRET_KEY=SECRET,
    )
    service.wait_ready()
    body = {"samples": [{"metric_name": "a", "value": 1}]}
    batch = "/api/analytics/metrics/batch"
    text = token_command(tmp_path, "create", "agent", "--scope", "ingest")
    reader = token_command(tmp_path, "create", "reader", "--scope", "read")
    admin = jwt.encode(
        {"sub": "u", "role": "admin", "type": "access", "exp": time.time() + 600}, SECRET, algorithm="HS256"
    )
    assert service.request("POST", batch, body).status == 401
    assert service.request("POST", batch, body, bearer(reader)).status == 403
    assert service.request("POST", batch, body, bearer(text)).status == 200
    seen = b""
    for path in ("/api/analytics/status", "/api/analytics/health", "/healthz", "/metrics", "/openapi.json"):
        for key in (reader, admin):
            answer = service.request("GET", path, None, bearer(key))
            assert answer.status == 200, path
            seen += answer.body
    for path in (f"/ws/analytics?token={reader}", f"/api/analytics/status?token={reader}", f"/write?p={reader}"):
        seen += service.request("GET", path).body
    token_command(tmp_path, "revoke", "agent")
    service.wait_for(lambda: service.request("POST", batch, body, bearer(text)).status == 401, within_s=5)
    assert service.terminate() == 0
    for canary in (SECRET, CORE_TOKEN, text, reader, admin):
        assert canary not in service.log
        assert canary.encode() not in seen
        for file in tmp_path.iterdir():
            assert canary.encode() not in file.read_bytes(), file
