"""A service as its own process, for a browser to look at: started, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServiceProcess:
    """`python -m gateway <command> --port P`. A context manager; leaving it ends the process."""

    def __init__(self, command: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "gateway", *command, "--port", str(self.port)]
        self._log = folder / "service.log"
        prefixed = {f"COACHIQ_ANALYTICS__{name}": value for name, value in (settings or {}).items()}
        self._environment = {
            **os.environ,
            "COACHIQ_ANALYTICS__DB_PATH": str(folder / "analytics.db"),
            "TZ": "UTC",
            **prefixed,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_s: float = 90) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        until = time.monotonic() + within_s
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                select_nothing(0.05)
        raise AssertionError(f"the service did not become ready:\n{self._log.read_text()[-2000:]}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
        self._process = None

    def send(self, path: str, body: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status < 300

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return json.load(answer)

    def insight(self, about: str = "", within_s: float = 60) -> Any:
        """The first insight whose title has `about` in it: the service is ready before it has one."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for each in self.get("/api/analytics/insights")["insights"]:
                if about in each["title"]:
                    return each
            select_nothing(0.2)
        raise AssertionError(f"no insight about {about!r} within {within_s:g} s")

    def __enter__(self) -> ServiceProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def select_nothing(seconds: float) -> None:
    """The pause between two looks at a process that says how far it is by nothing but answering."""
    import select

    select.select([], [], [], seconds)
