"""The accuracy table: NAB subset, null series, kinds. Prints Markdown rows; see docs/ACCURACY.md."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nab

from analytics.retrospect import look_back

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


def main() -> int:
    if not DATA.exists():
        print(f"missing: {DATA}")
        return 1
    files = nab.load(DATA)
    begun = time.process_time()
    told, candidates = [], []
    for file in files:
        found = look_back(np.array(file.times, dtype=np.int64), np.array(file.values))
        rows = {at_ms: row for row, at_ms in reversed(list(enumerate(file.times)))}
        told.append([(rows[each.at_ms], each.score) for each in found.anomalies if each.at_ms in rows])
        candidates.append([(rows[each.at_ms], each.score) for each in found.candidates])
    samples = sum(len(file.times) for file in files)
    print(f"{(time.process_time() - begun) / samples * 1e6:.0f} µs a sample, everything on\n")
    print(
        "| setting | standard | low FP | low FN | windows hit | false events a metric-week |\n|---|---|---|---|---|---|"
    )
    for name, alarms in (("shipped", told), ("one a week (candidates)", candidates)):
        result = nab.at(files, alarms, 0.0)
        scores = " | ".join(f"{score:.1f}" for score in result.scores.values())
        print(f"| {name} | {scores} | {result.hit} of {result.windows} | {result.false_per_week:.3f} |", flush=True)
    print("\n| null series | events a metric-week, shipped |\n|---|---|")
    times = 1_700_000_000_000 + np.arange(COUNT, dtype=np.int64) * STEP_MS
    for name, series in nulls(np.random.default_rng(2_026)).items():
        events = sum(len(look_back(times, values).anomalies) for values in series)
        print(f"| {name} | {events / (SERIES * COUNT * STEP_MS / nab.WEEK_MS):.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
