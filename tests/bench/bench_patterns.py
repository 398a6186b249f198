"""What a round of the pattern analyzer costs: 200 metrics, two hours in memory at 10 s, thirty days by the hour.

Prints the time its thread computed, the time the whole round took, and the longest time the event loop stood still.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import numpy as np
import trio

sys.path.insert(0, str(Path(__file__).parents[2]))

from actors.clock import TrustedClock
from actors.mailbox import Mailbox
from actors.messages import Analyze, Pressure
from actors.pattern_analyzer import PatternAnalyzer
from conf.loader import load_catalogue
from storage.history import History
from storage.insight_book import InsightBook
from storage.memory import MemoryTier
from storage.models import SeriesPart

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
METRICS = 200
DAYS = 30


def fill(memory: MemoryTier) -> None:
    """Metrics of eight kinds: daily, weekly, noise, random walks, tanks, compressors, counters, steps."""
    rng = np.random.default_rng(1)
    old = NOW_MS - DAYS * DAY_MS + 600_000 * np.arange(DAYS * 144 - 12, dtype=np.int64)
    new = NOW_MS - 7_200_000 + 10_000 * np.arange(720, dtype=np.int64)
    times = np.concatenate((old, new))
    day = np.sin(2 * np.pi * times / DAY_MS)
    size = len(times)
    for index in range(METRICS):
        noise = rng.normal(size=size)
        kinds = (
            20 + 5 * day + noise,
            20 + 5 * day * (1 + (times // DAY_MS % 7 >= 5)) + noise,
            noise,
            noise.cumsum(),
            100 - (times - times[0]) / DAY_MS * 11 % 80 + 0.2 * noise,
            4 + 2 * (times // 300_000 % 4 == 0) + 0.2 * noise,
            np.maximum(0, noise).cumsum(),
            13 + 2.0 * (times > times[size // 2]) + 0.1 * noise,
        )
        name = f"tank.{index}.level" if index % 8 == 4 else f"metric.{index}"
        memory.append(SeriesPart(name, times, kinds[index % 8]), seq=memory.last_seq + 1, now_ms=NOW_MS)


async def measure() -> dict[str, float]:
    memory = MemoryTier(retention_ms=DAYS * DAY_MS, budget_bytes=256 << 20)
    fill(memory)
    book = InsightBook(max_patterns=1000)
    mailbox: Mailbox[Analyze] = Mailbox("patterns", capacity=1, pressure=Pressure.CONFLATE)
    analyzer = PatternAnalyzer(
        mailbox=mailbox,  # type: ignore[arg-type]
        notifier=Mailbox("notifier", capacity=64, pressure=Pressure.DROP_OLDEST),
        persister=Mailbox("persister", capacity=1, pressure=Pressure.CONFLATE),
        history=History(memory, lambda: NOW_MS),
        book=book,
        catalogue=load_catalogue(None),
        clock=TrustedClock(lambda: NOW_MS),
        interval_s=1800,
        limiter=trio.CapacityLimiter(1),
    )
    longest = 0.0
    beats: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await trio.sleep(0.001)
            beats.append(time.perf_counter() - began - 0.001)

    own = time.thread_time()
    process = time.process_time()
    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(beat)
        mailbox.put_nowait(Analyze())
        mailbox.close()
        await analyzer.run()
        nursery.cancel_scope.cancel()
    took = time.perf_counter() - began
    loop = time.thread_time() - own
    longest = max(beats)
    return {
        "thread_s": time.process_time() - process - loop,
        "loop_s": loop,
        "round_s": took,
        "longest_gap_ms": longest * 1000,
        "p99.9_gap_ms": float(np.quantile(beats, 0.999)) * 1000,
        "patterns": float(len(book.patterns())),
    }


def main() -> None:
    assert threading.current_thread() is threading.main_thread()
    for name, value in trio.run(measure).items():
        print(f"{name:16s} {value:8.2f}")


if __name__ == "__main__":
    main()
