"""What the streaming detectors cost: CPU time a sample and bytes of state a metric, with everything on.

200 gauges of five kinds at 1 Hz, as the recorder hands them over: a part of one sample a metric and second. Three
stretches: the first minutes (a tick a sample), after an hour, after the metrics' ticks have grown to five minutes; and
one metric that comes every five minutes, where every sample is a tick.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec

from analytics.catalogue import Catalogue
from analytics.streaming import Watchlist
from storage.models import SeriesPart

START_MS = 1_790_000_000_000
METRICS = 200
ROUND = 300  # seconds measured in each stretch


def values_of(index: int, size: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(size=size)
    kinds = (20 + noise, noise.cumsum(), 10 + rng.lognormal(size=size), np.round(50 + noise), 3 + 0.1 * noise)
    return kinds[index % 5]


def measure(watchlist: Watchlist, first_s: int, rng: np.random.Generator) -> float:
    """µs a sample over ROUND seconds from `first_s` on."""
    columns = [values_of(index, ROUND, rng) for index in range(METRICS)]
    batches = [
        [
            SeriesPart(
                f"m{index}", np.array([START_MS + (first_s + second) * 1000]), columns[index][second : second + 1]
            )
            for index in range(METRICS)
        ]
        for second in range(ROUND)
    ]
    begun = time.thread_time()
    for second, batch in enumerate(batches):
        watchlist.observe_all(batch, START_MS + (first_s + second) * 1000)
    return (time.thread_time() - begun) / (ROUND * METRICS) * 1e6


def main() -> None:
    rng = np.random.default_rng(1)
    watchlist = Watchlist(Catalogue())
    print(f"{'first five minutes at 1 Hz':34s} {measure(watchlist, 0, rng):8.1f} µs a sample")
    print(f"{'next five minutes':34s} {measure(watchlist, ROUND, rng):8.1f} µs a sample")
    slow = Watchlist(Catalogue())
    column = values_of(1, 6_000, rng)
    parts = [
        SeriesPart("slow", np.array([START_MS + 300_000 * index]), column[index : index + 1]) for index in range(6_000)
    ]
    begun = time.thread_time()
    for part in parts:
        slow.observe(part, int(part.times[0]))
    print(f"{'every five minutes, three weeks':34s} {(time.thread_time() - begun) / 6_000 * 1e6:8.1f} µs a sample")
    state = slow.pack()["slow"]
    print(f"{'state of that metric, packed':34s} {len(msgspec.msgpack.encode(state)):8d} bytes")


if __name__ == "__main__":
    main()
