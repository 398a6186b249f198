"""Run every check of the project on a fresh machine: `python3 tests/run.py [tox arguments]`.

Needs Python and pip alone. Makes a virtual environment, installs tox into it, shows tox the interpreters it would not
find by itself (pyenv's, which hide behind shims), and runs it. The exit code is tox's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-test"


def pyenv_interpreters() -> list[Path]:
    """The interpreters that pyenv holds, whether or not they are switched on here."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return []
    root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
    return sorted(Path(root).glob("versions/3.1[1-9]*/bin/python3"))


def main() -> int:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "tox>=4.20"]
    subprocess.run(pip, check=True)
    discover = [word for path in pyenv_interpreters() for word in ("--discover", str(path))]
    tox = [str(python), "-m", "tox", "run", *discover, *sys.argv[1:]]
    return subprocess.run(tox, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
