"""Install the built wheel into a fresh environment and start it outside the checkout: `wheel_smoke.py DIST`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
import venv
import zipfile
from pathlib import Path


def main(dist: Path) -> int:
    (wheel,) = dist.resolve().glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        assert "conf/prepared.json" in files.namelist(), "built without what the yaml files say"
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
        subprocess.run(install, check=True)
        process = subprocess.Popen(
            [environment / "bin" / "coachiq-analytics", "serve", "--port", "0"],
            cwd=folder,
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr is not None
            for line in process.stderr:
                match = re.search(r"listening on (http://[^%\s\"]+)", line)
                if match:
                    break
            else:
                raise AssertionError("the service never said where it listens")
            for path in ("/livez", "/openapi.json", "/docs", "/api/analytics/status", "/", "/trends", "/sw.js"):
                with urllib.request.urlopen(match[1] + path, timeout=15) as answer:
                    assert answer.status == 200, path
                    assert path == "/docs" or not answer.url.endswith("/docs"), "built without the dashboard"
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=15)
            assert process.returncode == 0, process.returncode
        finally:
            if process.poll() is None:
                process.kill()
    print("wheel: installed, started, answered, stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
