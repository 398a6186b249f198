"""Accuracy of the anomaly detector: the NAB files at hand beside others' results, and series in which nothing happens.

`python -m tests.accuracy.anomalies` prints Markdown tables.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from analytics.retrospect import look_back

from . import nab

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "nab"
COUNT, STEP_MS, SERIES = 8_640, 300_000, 6


def nulls(rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Series in which nothing ever happens, 30 days at 5 minutes each."""

    def ar() -> np.ndarray:
        shocks, values = rng.normal(size=COUNT), np.zeros(COUNT)
        for index in range(1, COUNT):
            values[index] = 0.95 * values[index - 1] + shocks[index]
        return values

    def sawtooth() -> np.ndarray:
        level, values = 100.0, []
        for _ in range(COUNT):
            level = 100.0 if level < rng.uniform(10, 25) else level - abs(rng.normal(0.15, 0.1))
            values.append(round(level + 0.3 * rng.normal(), 1))
        return np.array(values)

    makers = {
        "white": lambda: rng.normal(size=COUNT), "lognormal": lambda: rng.lognormal(size=COUNT),
        "t3": lambda: rng.standard_t(3, size=COUNT), "random walk": lambda: rng.normal(size=COUNT).cumsum(),
        "AR(0.95)": ar, "Poisson(2)": lambda: rng.poisson(2, size=COUNT).astype(float),
        "daily + noise": lambda: 10 + 3 * np.sin(np.arange(COUNT) * np.pi / 144) + 0.5 * rng.normal(size=COUNT),
        "tank sawtooth": sawtooth,
    }  # fmt: skip
    return {name: [make() for _ in range(SERIES)] for name, make in makers.items()}


# The whole corpus and the development half, as published: files' results at the threshold that is best for them.
PEERS = (
    ("ARTime", 74.9, 65.2, 80.4, 67.6, "106 of 116", 0.70, "58"),
    ("Numenta", 70.1, 63.2, 74.3, 66.1, "96 of 116", 0.51, "68"),
    ("contextOSE", 69.9, 67.0, 73.2, 61.2, "92 of 116", 0.22, "69"),
    ("htmjava", 66.1, 58.8, 70.7, 63.2, "91 of 116", 0.54, "67"),
    ("numentaTM", 64.6, 56.7, 69.4, 62.5, "91 of 116", 0.65, "67"),
    ("earthgecko Skyline", 58.2, 46.2, 63.8, 48.3, "87 of 116", 0.91, "-"),
    ("knncad", 58.0, 43.4, 64.8, 53.9, "91 of 116", 1.08, "-"),
    ("RCF", 51.7, 38.4, 59.7, 51.9, "87 of 116", 0.90, "37"),
    ("windowedGaussian", 39.6, 20.9, 47.4, 24.3, "73 of 116", 0.90, "-"),
    ("an alarm by the clock, every 600 samples", 25.9, 4.3, 34.5, 23.1, "60 of 116", 1.61, "-"),
)


def peers_table() -> str:
    """What others reach, for comparison. The last column: windows they hit at 0.1 false events a metric-week."""
    lines = [
        "| others, whole corpus | standard | low FP | low FN | development half | windows | false events | at 0.1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {standard} | {low_fp} | {low_fn} | {half} | {windows} | {false:.2f} | {few} |"
        for name, standard, low_fp, low_fn, half, windows, false, few in PEERS
    ]
    return "\n".join(lines)


def nab_table(folder: Path = DATA) -> str:
    """Our rows, and what a sample costs. Every labelled file below `folder` is judged, whichever half it is."""
    files = nab.load(folder)
    begun = time.process_time()
    told, candidates = [], []
    for file in files:
        found = look_back(np.array(file.times, dtype=np.int64), np.array(file.values))
        rows = {at_ms: row for row, at_ms in reversed(list(enumerate(file.times)))}
        told.append([(rows[each.at_ms], each.score) for each in found.anomalies if each.at_ms in rows])
        candidates.append([(rows[each.at_ms], each.score) for each in found.candidates])
    cost_us = (time.process_time() - begun) / sum(len(file.times) for file in files) * 1e6
    lines = [
        f"| ours, {len(files)} files | standard | low FP | low FN | windows hit | false events a metric-week |",
        "|---|---|---|---|---|---|",
    ]
    for name, alarms in (("shipped", told), ("one a week (candidates)", candidates)):
        result = nab.at(files, alarms, 0.0)
        scores = " | ".join(f"{score:.1f}" for score in result.scores.values())
        lines.append(f"| {name} | {scores} | {result.hit} of {result.windows} | {result.false_per_week:.3f} |")
    return "\n".join([*lines, "", f"{cost_us:.0f} µs a sample, everything on."])


def null_table(seed: int = 2_026) -> str:
    lines = ["| null series | events a metric-week, shipped |", "|---|---|"]
    times = 1_700_000_000_000 + np.arange(COUNT, dtype=np.int64) * STEP_MS
    for name, series in nulls(np.random.default_rng(seed)).items():
        events = sum(len(look_back(times, values).anomalies) for values in series)
        lines.append(f"| {name} | {events / (SERIES * COUNT * STEP_MS / nab.WEEK_MS):.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    for table in (nab_table(), peers_table(), null_table()):
        print(table, end="\n\n", flush=True)
