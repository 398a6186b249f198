"""A device of its own for each browser: a share of this machine that it has alone, however many others there are.

People look at the page on phones and tablets of their own; five browsers on one machine's cores measure those cores.
Where control groups can be made (Linux, as root), a browser and all its processes get SHARE of one core: alone as among
five, so that what is slower among five is slower because of the service.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

SHARE: Final = 0.3  # of a core; five leave the service half a core of two
PERIOD_US: Final = 10_000
ROOTS: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))  # version 1, version 2


def possible() -> bool:
    try:
        with _group("coachiq-try"):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def device(number: int, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`command` with pipes as the only program of device `number`. Killed, with all it started, when left."""
    with _group(f"coachiq-device-{number}") as group:
        words = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *command]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()
            _empty(group)


@contextlib.contextmanager
def _group(name: str) -> Iterator[Path]:
    root = next((root for root in ROOTS if (root / "cgroup.procs").exists()), ROOTS[0])
    group = root / name
    group.mkdir()
    try:
        quota = round(SHARE * PERIOD_US)
        if (group / "cpu.cfs_quota_us").exists():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        yield group
    finally:
        group.rmdir()


def _empty(group: Path) -> None:
    """A browser's processes outlive the program that started it."""
    while left := (group / "cgroup.procs").read_text().split():
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        time.sleep(0.05)
