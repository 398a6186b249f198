"""The memory tier: what an append costs, what 434 metrics x 2 h at 1 Hz take, and how fast a window comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from storage.memory import MemoryTier
from storage.models import SeriesPart

METRICS = 434
SAMPLES = 7200
BEGIN_MS = 1_790_000_000_000
RETENTION_MS = 2 * 3_600_000
MIB = 1 << 20


def resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


def column(metric: int, samples: int) -> SeriesPart:
    """A noisy walk, quantised as sensors are, with times that jitter by 30 ms."""
    rng = np.random.default_rng(metric)
    times = BEGIN_MS + np.arange(samples) * 1000 + rng.integers(-30, 31, samples)
    noise = rng.normal(0, 0.05, samples)
    values = np.round(20.0 + np.cumsum(noise) * (metric % 3 > 0) + noise, metric % 3)
    return SeriesPart(f"coach.metric.{metric}", times.astype(np.int64), values)


def cut(columns: Iterable[SeriesPart], first: int, end: int) -> list[SeriesPart]:
    return [SeriesPart(part.name, part.times[first:end].copy(), part.values[first:end].copy()) for part in columns]


def tier(budget_bytes: int = 32 * MIB) -> MemoryTier:
    return MemoryTier(retention_ms=RETENTION_MS, budget_bytes=budget_bytes)


def cost_us(batches: list[list[SeriesPart]]) -> tuple[float, float]:
    """Microseconds a part and a sample, compression included."""
    memory, parts, samples = tier(), 0, 0
    begin = time.perf_counter()
    for seq, batch in enumerate(batches, 1):
        for part in batch:
            memory.append(part, seq=seq, now_ms=BEGIN_MS + 10 * RETENTION_MS)
            samples += len(part.times)
        parts += len(batch)
    spent_us = (time.perf_counter() - begin) * 1e6
    assert memory.status().samples == samples
    return spent_us / parts, spent_us / samples


def appends() -> None:
    columns = [column(metric, 1500) for metric in range(400)]
    for label, size in (("1 sample a part", 1), ("2.5 samples a part", 0), ("100 samples a part", 100)):
        edges = [0]
        while edges[-1] < 1500:
            edges.append(edges[-1] + (size or 2 + len(edges) % 2))
        if size == 1:
            edges = edges[:500]
        batches = [cut(columns, first, end) for first, end in pairwise(edges)]
        per_part, per_sample = cost_us(batches)
        print(f"append, {label}, 400 series = {per_part:.2f} us a part, {per_sample:.3f} us a sample")
    long = [[part] for metric in range(20) for part in cut([column(metric, 50_000)], 0, 10_000)]
    columns_us = cost_us(long)[1]
    print(f"append, columns of 10,000 = {columns_us:.3f} us a sample")
    copies = [part.times.copy() for (part,) in long]
    begin = time.perf_counter()
    for (part,), _ in zip(long, copies, strict=True):
        part.times.copy(), part.values.copy(), np.isfinite(part.values).all(), (part.times[1:] > part.times[:-1]).all()
    floor_us = (time.perf_counter() - begin) * 1e6 / (len(long) * 10_000)
    print(f"append, columns of 10,000, ratio to checking and copying them = {columns_us / floor_us:.1f}")


def footprint() -> None:
    column(0, 10)
    before = resident_bytes()
    memory = tier()
    for first in range(0, SAMPLES, 60):  # made minute by minute, so that the recorded data itself is not resident
        for metric in range(METRICS):
            rng = np.random.default_rng((metric, first))
            steps = np.arange(first, first + 60)
            times = BEGIN_MS + steps * 1000 + rng.integers(-30, 31, 60)
            values = np.round(20 + 3 * np.sin(steps / 900 + metric) + rng.normal(0, 0.05, 60), metric % 3)
            part = SeriesPart(f"coach.metric.{metric}", times.astype(np.int64), values)
            memory.append(part, seq=first * METRICS + metric + 1, now_ms=int(times[-1]))
        memory.evict(BEGIN_MS + first * 1000, None)
    added = resident_bytes() - before
    status = memory.status()
    print(f"{METRICS} metrics x {SAMPLES} samples, resident memory added = {added / MIB:.1f} MB")
    print(f"{METRICS} metrics x {SAMPLES} samples, counted by the tier = {status.bytes / MIB:.1f} MB")
    print(f"bytes a sample = {status.bytes / status.samples:.2f}")
    print(f"samples evicted = {status.evicted}")
    print(f"counted : resident = {status.bytes / added:.2f}")
    rounds = 200
    begin = time.perf_counter()
    for index in range(rounds):
        window = memory.window(f"coach.metric.{index}", 0, 2**62)
        assert len(window) == SAMPLES
    spent_us = (time.perf_counter() - begin) * 1e6 / rounds
    print(f"read a window of {SAMPLES} samples = {spent_us:.0f} us ({SAMPLES / spent_us:.0f} million samples/s)")


def main() -> None:
    footprint()
    appends()


if __name__ == "__main__":
    main()
