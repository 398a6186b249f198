"""Accuracy of "empty in", "full in": how often the 90 % interval held the truth, and how far off the middle was.

`python tests/accuracy/time_to.py [seed]` prints a Markdown table. Held-out seed as in periods.py. Each case simulates
use in steps of 10 minutes: random draws by hour of day, sizes and days of different size, refills in the past, a
sensor that rounds and slosh noise; it is cut at a random moment and runs on without a refill until the limit is
passed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from analytics.reach import time_to

HELD_OUT_SEED = 20_261
Rng = np.random.Generator
STEP_MS = 600_000
DAY = 144  # steps
START_MS = 1_700_000_000_000
KINDS = ("fresh water", "gray water", "propane", "battery without sun", "battery with sun")
Case = tuple[str, np.ndarray, np.ndarray, float, bool, int]  # kind, times, values, limit, resets, true time


def _water(rng: Rng, size: int) -> np.ndarray:
    """Use per step in % of the tank."""
    hour = np.arange(size) % DAY / 6
    rate = 0.1 + 2.0 * np.exp(-((hour - 8) ** 2) / 4) + 1.5 * np.exp(-((hour - 19) ** 2) / 6)
    people = np.repeat(rng.lognormal(0, rng.uniform(0.1, 0.5), size // DAY + 1), DAY)[:size]
    draws = rng.poisson(rng.uniform(0.15, 0.5) * rate * people)
    return np.asarray(draws * rng.lognormal(-1, 0.8, size) * rng.uniform(0.5, 2))


def _propane(rng: Rng, size: int) -> np.ndarray:
    days = size // DAY + 2
    cold = np.zeros(days)
    for index in range(1, days):
        cold[index] = 0.7 * cold[index - 1] + rng.normal() * 0.7
    hour = np.arange(size) % DAY / 6
    night = 1.0 + 0.8 * np.cos((hour - 4) / 12 * np.pi)
    duty = np.clip(0.15 * night * np.exp(0.5 * np.interp(np.arange(size) / DAY, np.arange(days), cold)), 0, 1)
    return (rng.random(size) < duty) * rng.uniform(0.1, 0.4)


def _battery(rng: Rng, size: int, *, sun: bool) -> np.ndarray:
    """Net discharge per step, % of charge."""
    hour = np.arange(size) % DAY / 6
    load = rng.uniform(0.08, 0.25) * (1 + 0.6 * (hour > 17)) * rng.lognormal(0, 0.4, size)
    if not sun:
        return np.asarray(load)
    clear = np.repeat(rng.uniform(0.2, 1.0, size // DAY + 1), DAY)[:size]
    shine = np.maximum(0, np.sin((hour - 6) / 12 * np.pi)) * clear
    return np.asarray(load - shine * load.mean() * rng.uniform(2.0, 3.5))


def case(rng: Rng, kind: str) -> Case | None:
    known, ahead = int(rng.integers(3 * DAY, 21 * DAY)), 60 * DAY
    offset = int(rng.integers(DAY))
    if kind == "battery without sun":
        known = int(rng.integers(DAY // 4, 2 * DAY))
    size = known + ahead + offset
    resets = "battery" not in kind
    if kind == "propane":
        use = _propane(rng, size)
    elif resets:
        use = _water(rng, size)
    else:
        use = _battery(rng, size, sun=kind == "battery with sun")
    use = use[offset:]
    rising = kind == "gray water"
    level, limit = float(rng.uniform(60, 100)), 5.0 if resets else 20.0
    levels = np.empty(known)
    for index in range(known):
        level = min(100.0, level - use[index])
        if level < rng.uniform(5, 30) and resets and rng.random() < 0.1:
            level = float(rng.uniform(70, 100))
        if level <= limit:
            if not resets:
                return None
            level = float(rng.uniform(70, 100))
        levels[index] = level
    if level - limit < 8:
        return None
    future = use[known:]
    after = level - np.cumsum(future) if kind != "battery with sun" else _clamped(level, future)
    passed = np.flatnonzero(after <= limit)
    if not len(passed):
        return None
    seen = np.round(levels + rng.normal(0, rng.choice([0.05, 0.4]), known), int(rng.integers(0, 2)))
    times = START_MS + STEP_MS * np.arange(offset, offset + known, dtype=np.int64)
    truth = int(times[-1]) + STEP_MS * (int(passed[0]) + 1)
    if rising:
        seen, limit = 100 - seen, 100 - limit
    keep = np.append(True, np.diff(seen) != 0) | (rng.random(known) < 0.02)  # on change, and now and then
    keep[-1] = True
    return kind, times[keep], seen[keep], limit, resets, truth


def _clamped(level: float, use: np.ndarray) -> np.ndarray:
    after = np.empty(len(use))
    for index, each in enumerate(use.tolist()):
        level = min(100.0, level - each)
        after[index] = level
    return after


def cases(rng: Rng, count: int) -> Iterator[Case]:
    for index in range(count):
        found = case(rng, KINDS[index % len(KINDS)])
        if found is not None:
            yield found


def measure(seed: int = HELD_OUT_SEED, count: int = 1500) -> dict[str, list[tuple[bool, bool, bool, float, float]]]:
    """By kind: (answered, too early, too late, error of the middle as a share of the true time, width likewise)."""
    verdicts: dict[str, list[tuple[bool, bool, bool, float, float]]] = {}
    for kind, times, values, limit, resets, truth in cases(np.random.default_rng(seed), count):
        found = time_to(times, values, limit, resets=resets, low=0.0, high=100.0)
        rows = verdicts.setdefault(kind, [])
        if found is None:
            rows.append((False, False, False, np.nan, np.nan))
            continue
        ahead = truth - int(times[-1])
        late = found.latest_ms is not None and truth > found.latest_ms
        latest = found.latest_ms if found.latest_ms is not None else found.at_ms + (found.at_ms - found.earliest_ms)
        width = (latest - found.earliest_ms) / ahead
        rows.append((True, truth < found.earliest_ms, late, abs(found.at_ms - truth) / ahead, width))
    return verdicts


def table(seed: int = HELD_OUT_SEED, count: int = 1500) -> str:
    found = measure(seed, count)
    lines = [
        "| level | cases | answered | 90 % interval held | truth earlier | truth later | median error | median width |",
        "|---|---|---|---|---|---|---|---|",
    ]
    together = [row for rows in found.values() for row in rows]
    for kind, rows in (*found.items(), ("all", together)):
        all_rows = np.array(rows, dtype=np.float64)
        told = all_rows[all_rows[:, 0] > 0]
        if not len(told):
            lines.append(f"| {kind} | {len(rows)} | 0 % | | | | | |")
            continue
        early, late = told[:, 1].mean(), told[:, 2].mean()
        lines.append(
            f"| {kind} | {len(rows)} | {len(told) / len(rows):.0%} | {1 - early - late:.1%} | {early:.1%} | {late:.1%} "
            f"| {np.median(told[:, 3]):.0%} | {np.median(told[:, 4]):.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else HELD_OUT_SEED))
