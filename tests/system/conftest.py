"""The whole process, from outside: start it, talk to it, stop it, kill it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LISTENING = re.compile(r"listening on http://\S+:(\d+)")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ServiceProcess:
    """One started service. Deadlines everywhere: a test that waits for ever tells nothing."""

    def __init__(
        self,
        environ: Mapping[str, str],
        cwd: Path,
        command: tuple[str, ...],
        program: tuple[str, ...] = ("-m", "gateway"),
    ) -> None:
        self.lines: list[str] = []
        self.port = 0
        self._listening = threading.Event()
        self.started_s = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *program, *command],
            env={**{k: v for k, v in os.environ.items() if not k.startswith("COACHIQ_")}, **environ},
            cwd=cwd,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            match = LISTENING.search(line)
            if match:
                self.port = int(match[1])
                self._listening.set()
        self._listening.set()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_ready(self, within_s: float = 15) -> float:
        """Until /readyz answers 200. Returns seconds since the start of the process."""
        deadline = time.monotonic() + within_s
        assert self._listening.wait(within_s), self.log
        assert self.port, self.log
        while time.monotonic() < deadline:
            try:
                if self.get("/readyz").status == 200:
                    return time.monotonic() - self.started_s
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError(f"not ready within {within_s} s:\n{self.log}")

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}, within_s: float = 15
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=within_s)
        try:
            raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, raw, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers.items()), response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        return self.request("POST", path, body)

    def wait_for(self, what: Callable[[], Any], within_s: float = 15) -> Any:
        """Ask until the answer is true; returns it."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            answer = what()
            if answer:
                return answer
            time.sleep(0.05)
        raise AssertionError(f"still not so after {within_s} s; log:\n{self.log}")

    def persistence(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("/api/analytics/status").json["persistence"]
        return answer

    def terminate(self, within_s: float = 10) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """Start services; whatever still runs at the end of the test is killed."""
    running: list[ServiceProcess] = []

    def run(
        *command: str, ready: bool = True, cwd: Path | None = None, program: str = "gateway", **environ: str
    ) -> ServiceProcess:
        """`environ` without the prefix: DB_PATH="...", PERSISTENCE="true"."""
        full = {
            name if name.startswith("COACHIQ_") else f"COACHIQ_ANALYTICS__{name}": value
            for name, value in environ.items()
        }
        if program != "gateway":
            full["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        service = ServiceProcess(full, cwd or tmp_path, command or ("serve", "--port", "0"), ("-m", program))
        running.append(service)
        if ready:
            service.wait_ready()
        return service

    yield run
    for service in running:
        service.close()


@pytest.fixture
def recordings() -> Path:
    """The folder of recorded buses beside the repository."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing")
        pytest.skip(f"{folder} is missing")
    return folder


@pytest.fixture
def start_watched(tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """Start a service whose disk is watched (watched_service.py); its database is tmp_path/analytics.db."""
    running: list[ServiceProcess] = []

    def run(plan: Mapping[str, Any], *, ready: bool = True, **environ: str) -> ServiceProcess:
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        full = {f"COACHIQ_ANALYTICS__{name}": value for name, value in environ.items()}
        full |= {
            "COACHIQ_ANALYTICS__PERSISTENCE": "true",
            "COACHIQ_ANALYTICS__DB_PATH": str(tmp_path / "analytics.db"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        }
        program = ("-m", "tests.system.watched_service", str(tmp_path))
        service = ServiceProcess(full, tmp_path, ("serve", "--port", "0"), program)
        running.append(service)
        if ready:
            service.wait_ready()
        return service

    yield run
    for service in running:
        service.close()
