"""Killed while packing and thinning: every sample that was acknowledged is there, once."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio

from storage.budget import Budget
from storage.sqlite_archive import open_sqlite_archive

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 30
BUDGET = Budget(1_200_000)
WORKER = """
import sys, trio
import numpy as np
from pathlib import Path
from storage.budget import Budget
from storage.models import SeriesPart
from storage.sqlite_archive import open_sqlite_archive

async def keep_house(archive):
    while True:
        while await archive.compact(3_000) or await archive.thin():
            print("step", flush=True)
        await trio.sleep(0.001)

async def main():
    archive = await open_sqlite_archive(Path(sys.argv[1]), budget=Budget(int(sys.argv[3])))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_house, archive)
        for index in range(int(sys.argv[2]), 10_000_000, 500):
            times = (index + np.arange(500, dtype=np.int64)) * 1_000
            noise = np.random.default_rng(index).normal(size=500)
            await archive.append([
                SeriesPart("fast", times, noise),
                SeriesPart("slow", times[::50], np.round(noise[::50], 1)),
            ])
            print(index + 500, flush=True)

trio.run(main)
"""


def work_and_die(path: Path, first: int, steps: int) -> int:
    """Append while packing and thinning go on, and kill it after so many steps of those. Returns how far it had got."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(first), str(BUDGET.total)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    reached, seen = first, 0
    for line in process.stdout:
        if line.startswith("step"):
            seen += 1
            if seen >= steps:
                break
        else:
            reached = int(line)
    process.send_signal(signal.SIGKILL)
    rest = [int(word) for word in process.stdout.read().split("\n")[:-1] if word.isdigit()]
    process.wait()
    process.stdout.close()
    return max([reached, *rest])


@pytest.mark.long
async def test_counts_add_up_after_every_kill(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    rng = random.Random(7)
    reached = 0
    for _ in range(ROUNDS):
        reached = await trio.to_thread.run_sync(work_and_die, path, reached, rng.randint(2, 25))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        archive = await open_sqlite_archive(path, budget=BUDGET)
        everything = await archive.buckets(["fast", "slow"], 0, 2**50, 2**45)
        fast, slow = int(everything["fast"].count.sum()), int(everything["slow"].count.sum())
        assert fast >= reached
        assert (fast % 500, slow) == (0, fast // 50)  # whole commits
        newest = (await archive.window(["fast"], 0, 2**50, limit=1))["fast"]
        assert newest.times[0] == (fast - 1) * 1_000
        reached = fast
        await archive.aclose()
