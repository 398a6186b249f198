"""Run the measurements and print them: `run.py [NAME ...]` (all by default). It judges nothing.

Each `bench_NAME.py` here is a program of its own and prints lines of `key = value`. Rates are given as ratios to a
floor or to the layer below, measured in the same run, because machines are noisy.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    programs = [HERE / f"bench_{name}.py" for name in names] or sorted(HERE.glob("bench_*.py"))
    failed = 0
    for program in programs:
        print(f"== {program.stem.removeprefix('bench_')}", flush=True)
        failed += bool(subprocess.run([sys.executable, str(program)], check=False).returncode)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
