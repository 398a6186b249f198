"""The Numenta Anomaly Benchmark's score from its published formula (Lavin & Ahmad 2015), all thresholds in one pass.

An alarm inside a label window counts by how early in the window the first one comes (a scaled sigmoid), an alarm
outside costs by how far behind the last window it lies, a missed window costs once. The first 15 % of a file (at most
750 rows) are not judged. 0 is a detector that says nothing, 100 a perfect one.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PROFILES = {"standard": (0.11, 1.0), "low_fp": (0.22, 1.0), "low_fn": (0.11, 2.0)}  # cost of false alarm, of a miss
WEEK_MS = 7 * 86_400_000
EVENT_MS = 3_600_000  # false alarms within an hour of each other are one event


@dataclass(frozen=True)
class Labelled:
    """One file: rows and the label windows as half-open index spans."""

    name: str
    times: list[int]
    values: list[float]
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        return math.floor(0.15 * min(len(self.times), 5000))

    @property
    def weeks(self) -> float:
        return (self.times[-1] - self.times[self.probation]) / WEEK_MS


@dataclass(frozen=True)
class Result:
    threshold: float
    scores: dict[str, float]
    hit: int
    windows: int
    false_events: int
    weeks: float

    @property
    def false_per_week(self) -> float:
        return self.false_events / self.weeks


def load(folder: Path) -> list[Labelled]:
    labels = json.loads((folder / "combined_windows.json").read_text())
    files = []
    for path in sorted(folder.glob("*/*.csv")):
        name = f"{path.parent.name}/{path.name}"
        with path.open(newline="") as file:
            rows = [(_ms(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
        times = [time for time, _ in rows]
        windows = []
        for first, last in labels[name]:
            begin, end = _ms(first), _ms(last)
            inside = [index for index, time in enumerate(times) if begin <= time <= end]
            windows.append((inside[0], inside[-1] + 1))
        files.append(Labelled(name, times, [value for _, value in rows], windows))
    return files


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def sigmoid(position: float) -> float:
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def sweep(files: list[Labelled], alarms: list[list[tuple[int, float]]], floor: float = -1e9) -> list[Result]:
    """Results at every threshold that makes a difference, falling; `alarms`: (row, score) of each file.

    False events are not counted here (-1).
    """
    events = sorted(
        ((score, number, row) for number, found in enumerate(alarms) for row, score in found
         if row >= files[number].probation and score >= floor),
        reverse=True,
    )  # fmt: skip
    total = sum(len(file.windows) for file in files)
    weeks = sum(file.weeks for file in files)
    best: dict[tuple[int, int], tuple[int, float]] = {}
    gain, cost = 0.0, 0.0
    false: list[list[int]] = [[] for _ in files]
    results: list[Result] = []
    for place, (score, number, row) in enumerate(events):
        file = files[number]
        window = next((w for w in file.windows if w[0] <= row < w[1]), None)
        if window is not None:
            worth = sigmoid(-(window[1] - row) / (window[1] - window[0])) / sigmoid(-1.0)
            known = best.get((number, window[0]))
            if known is None or row < known[0]:
                gain += worth - (known[1] if known else 0.0)
                best[number, window[0]] = (row, worth)
        else:
            before = [w for w in file.windows if w[1] <= row]
            if before:
                right, width = before[-1][1] - 1, before[-1][1] - before[-1][0]
                cost += sigmoid((row - right) / (width - 1))
            else:
                cost -= 1.0
            false[number].append(file.times[row])
        if place + 1 == len(events) or events[place + 1][0] != score:
            scores = {
                name: 100 * (gain + fp * cost - fn * (total - len(best)) + fn * total) / (total + fn * total)
                for name, (fp, fn) in PROFILES.items()
            }
            results.append(Result(score, scores, len(best), total, -1, weeks))
    return results


def at(files: list[Labelled], alarms: list[list[tuple[int, float]]], threshold: float) -> Result:
    """The result at one threshold, with false events counted."""
    kept = [[(row, score) for row, score in found if score >= threshold] for found in alarms]
    results = sweep(files, kept)
    events = 0
    for file, found in zip(files, kept, strict=True):
        last = -(1 << 62)
        for row, _ in sorted(found):
            if row >= file.probation and not any(w[0] <= row < w[1] for w in file.windows):
                events += file.times[row] - last > EVENT_MS
                last = file.times[row]
    total, weeks = sum(len(file.windows) for file in files), sum(file.weeks for file in files)
    if not results:
        return Result(threshold, dict.fromkeys(PROFILES, 0.0), 0, total, 0, weeks)
    final = results[-1]
    return Result(threshold, final.scores, final.hit, total, events, weeks)


def best(files: list[Labelled], alarms: list[list[tuple[int, float]]]) -> Result:
    """The result at the threshold with the best standard score: what a leaderboard shows."""
    results = sweep(files, alarms)
    return at(files, alarms, max(results, key=lambda result: result.scores["standard"]).threshold)
