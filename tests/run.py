"""Run every check of the project on a fresh machine: `python3 tests/run.py [tox arguments]`.

Needs Python and pip alone. Makes a virtual environment, installs tox into it, looks for the oldest and the newest
interpreter that the project supports and this machine has (pyenv's, which hide behind shims, included), runs the
tests on both at once (the long ones on the oldest alone), and everything else. With arguments, runs tox with these
instead. The exit code is tox's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-test"
MINORS = range(11, 14)  # of Python 3
# What may run at once, two at a time, stage by stage. The dashboard's check fetches all that Node needs, which the
# builds of the wheel then find there; meanwhile run those that need no wheel. The tests wait as much as they compute:
# two take little longer than one, and the wheel's check fits beside the slower. The browser is last and alone.
BEFORE = ("dashboard", "async", "types", "lint", "imports")
AFTER = ("wheel",)
LAST = ("browser",)


def version(python: str) -> tuple[int, int] | None:
    """What this interpreter says it is; None when it does not run (a pyenv shim of a version that is not on)."""
    say = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        said = subprocess.run(say, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(said[0]), int(said[1])


def interpreters() -> dict[int, str]:
    """Minor version -> an interpreter of it."""
    candidates = [sys.executable]
    candidates += [path for minor in MINORS if (path := shutil.which(f"python3.{minor}"))]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        candidates += [str(path) for path in sorted(Path(root).glob("versions/3.*/bin/python3"))]
    found: dict[int, str] = {}
    for candidate in candidates:
        is_a = version(candidate)
        if is_a is not None and is_a[0] == 3 and is_a[1] in MINORS:
            found.setdefault(is_a[1], candidate)
    return found


def main(arguments: list[str]) -> int:
    found = interpreters()
    if not found:
        print(f"no Python of 3.{MINORS[0]} to 3.{MINORS[-1]} on this machine", file=sys.stderr)
        return 1
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "tox>=4.67"]
    subprocess.run(pip, check=True)
    tests = [f"py3{min(found)}"] + [f"py3{max(found)}-short"] * (len(found) > 1)
    known = [word for path in found.values() for word in ("--discover", path)]

    def tox(command: list[str], words: list[str]) -> int:
        return subprocess.run([str(python), "-m", "tox", *command, *known, *words], cwd=ROOT, check=False).returncode

    if arguments:
        return tox(["run"], arguments)
    failed = 0
    for stage in (BEFORE, (*tests, *AFTER), LAST):
        together = ["run-parallel", "--parallel", "2", "--parallel-no-spinner"]
        failed = tox(together, ["--skip-missing-interpreters", "false", "-e", ",".join(stage)]) or failed
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
