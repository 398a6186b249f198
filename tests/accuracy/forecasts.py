"""Accuracy of hourly forecasts: mean absolute scaled error against seasonal naive, and how often the interval held.

`python tests/accuracy/forecasts.py [seed]` prints a Markdown table. Held-out seed as in periods.py. Synthetic series
are of six kinds with random shapes and sizes; the real ones (where ../shared/data/nab is at hand) are hourly means.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from analytics.seasonal import forecast_hours

HELD_OUT_SEED = 20_261
HOUR_MS = 3_600_000
AHEAD = 24
REAL = Path(__file__).parents[3] / "shared" / "data" / "nab" / "realKnownCause"
REAL_FILES = ("nyc_taxi.csv", "ambient_temperature_system_failure.csv", "machine_temperature_system_failure.csv")
Rng = np.random.Generator
KINDS = ("shape + white", "shape + weather", "sun and clouds", "working week", "bursts of use", "level shifts")


def _ar(rng: Rng, memory: float, size: int) -> np.ndarray:
    shocks = rng.normal(size=size) * np.sqrt(1 - memory * memory)
    values = np.zeros(size)
    values[0] = rng.normal()
    for index in range(1, size):
        values[index] = memory * values[index - 1] + shocks[index]
    return values


def _shape(rng: Rng) -> np.ndarray:
    """A smooth day of size 1."""
    hours = np.arange(24) / 24 * 2 * np.pi
    day = sum(rng.normal() / k * np.cos(k * hours + rng.uniform(0, 6.3)) for k in (1, 2, 3))
    return np.asarray((day - np.mean(day)) / np.std(day))


def hourly(rng: Rng, kind: str, size: int) -> np.ndarray:
    """One hourly series of `size` hours."""
    hours = np.arange(size)
    day = _shape(rng)
    if kind == "shape + white":
        values = day[hours % 24] + rng.uniform(0.2, 1.0) * rng.normal(size=size)
    elif kind == "shape + weather":
        values = day[hours % 24] + rng.uniform(0.3, 1.5) * _ar(rng, 0.98, size) + 0.1 * rng.normal(size=size)
    elif kind == "sun and clouds":
        sun = np.maximum(0.0, np.sin((hours % 24 - 6) / 12 * np.pi)) ** 1.3
        clear = np.clip(0.7 + 0.3 * _ar(rng, 0.5, size // 24 + 1), 0.1, 1.0)[hours // 24]
        values = sun * clear * np.clip(1 + 0.15 * rng.normal(size=size), 0, None) * 4
    elif kind == "working week":
        free = (hours // 24 + rng.integers(7)) % 7 >= 5
        values = day[hours % 24] * np.where(free, 0.3, 1.0) - 1.0 * free + rng.uniform(0.1, 0.5) * rng.normal(size=size)
    elif kind == "bursts of use":
        rate = np.maximum(0.05, 0.5 + 0.5 * day)[hours % 24]
        values = rng.poisson(rate) * rng.lognormal(0, 0.5, size)
    else:
        level = np.repeat(rng.normal(0, 2, size // 100 + 1), 100)[:size]
        values = day[hours % 24] + level + 0.3 * rng.normal(size=size)
    return 10 + rng.uniform(0.5, 50) * values


def held_out(rng: Rng, count: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(kind, known hours, the next AHEAD): 8 to 42 days known, cut at any hour."""
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        known = int(rng.integers(8 * 24, 42 * 24))
        series = hourly(rng, kind, known + AHEAD)
        yield kind, series[:known], series[known:]


def real(rng: Rng, count: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for name in REAL_FILES:
        path = REAL / name
        if not path.exists():
            continue
        sums: dict[int, list[float]] = {}
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                stamp = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()
                sums.setdefault(int(stamp // 3600), []).append(float(row["value"]))
        first, last = min(sums), max(sums)
        at = np.array(sorted(sums))
        series = np.interp(np.arange(first, last + 1), at, [np.mean(sums[hour]) for hour in at.tolist()])
        for _ in range(count):
            known = int(rng.integers(14 * 24, 35 * 24))
            if len(series) > known + AHEAD:
                start = int(rng.integers(0, len(series) - known - AHEAD))
                yield name, series[start : start + known], series[start + known : start + known + AHEAD]


def judge(known: np.ndarray, future: np.ndarray) -> tuple[float, float, float, float] | None:
    """(our MASE, seasonal naive's, share of hours inside the interval, its mean width in naive errors)."""
    times = 1_700_006_400_000 + HOUR_MS * np.arange(len(known), dtype=np.int64)
    scale = float(np.abs(known[24:] - known[:-24]).mean())
    found = forecast_hours(times, known, len(future))
    if found is None or scale <= 0:
        return None
    inside = (found.low <= future) & (future <= found.high)
    ours, naive = np.abs(found.values - future).mean(), np.abs(known[-24:][np.arange(len(future)) % 24] - future).mean()
    width = float((found.high - found.low).mean()) / scale
    return float(ours) / scale, float(naive) / scale, float(inside.mean()), width


def measure(seed: int = HELD_OUT_SEED, count: int = 240) -> dict[str, list[tuple[float, float, float, float]]]:
    """Verdicts by kind of series."""
    rng = np.random.default_rng(seed)
    verdicts: dict[str, list[tuple[float, float, float, float]]] = {}
    for series in (held_out(rng, count), real(rng, max(2, count // 6))):
        for kind, known, future in series:
            verdict = judge(known, future)
            if verdict is not None:
                verdicts.setdefault(kind, []).append(verdict)
    return verdicts


def table(seed: int = HELD_OUT_SEED, count: int = 240) -> str:
    found = measure(seed, count)
    synthetic = [each for kind in KINDS for each in found.get(kind, [])]
    rows = [*found.items(), ("all synthetic", synthetic)]
    lines = [
        f"| hourly, {AHEAD} h ahead | forecasts | MASE ours | s. naive | better by | 95 % interval held | width |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, verdicts in rows:
        if verdicts:
            ours, naive, held, width = np.array(verdicts).mean(axis=0)
            better = f"{1 - ours / naive:.0%} | {held:.1%} | {width:.1f}"
            lines.append(f"| {kind} | {len(verdicts)} | {ours:.3f} | {naive:.3f} | {better} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else HELD_OUT_SEED))
