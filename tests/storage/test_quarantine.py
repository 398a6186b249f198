from __future__ import annotations

import numpy as np

from storage.grid import sum_up
from storage.history import History
from storage.memory import MemoryTier
from storage.models import SeriesPart, Window
from storage.quarantine import mended, scaled, suspect_spans, without_implausible

NOW = 1_790_000_000_000
STEP = 60_000
RANGE = (-30.0, 60.0)


def window(*values: float) -> Window:
    return Window(NOW + 10_000 * np.arange(len(values), dtype=np.int64), np.array(values))


def test_a_bucket_with_an_implausible_sample_is_made_again_without_it() -> None:
    samples = window(4.0, 5.0, -127.0, 6.0)
    buckets = sum_up(samples, STEP)
    ((first, end),) = suspect_spans(buckets, RANGE)
    assert first <= NOW < NOW + 30_000 < end
    clean = without_implausible(buckets, [samples], RANGE)
    assert (int(clean.count.sum()), float(clean.total.sum()), float(clean.minimum.min())) == (3, 15.0, 4.0)


def test_nothing_is_suspect_where_nothing_is_known_of_the_range() -> None:
    assert suspect_spans(sum_up(window(1e9, -1e9), STEP), (None, None)) == []


def test_repairs() -> None:
    samples = window(4.0, -127.0, 8.0)
    bad = Window(samples.times[1:2], samples.values[1:2])
    assert mended(bad, samples, RANGE).values.tolist() == [6.0]
    assert len(mended(bad, bad, RANGE)) == 0  # no plausible neighbour
    fahrenheit = window(200.0, 9000.0)
    assert scaled(fahrenheit, 0.1, RANGE).values.tolist() == [20.0]  # the other one stays implausible


async def test_the_history_keeps_them_and_leaves_them_out_of_sums() -> None:
    memory = MemoryTier(retention_ms=86_400_000)
    times = NOW - 600_000 + 10_000 * np.arange(60, dtype=np.int64)
    values = np.full(60, 5.0)
    values[[7, 33, 34]] = -127.0
    memory.append(SeriesPart("fridge", times, values), seq=1, now_ms=NOW)
    history = History(memory, lambda: NOW, lambda name: RANGE)
    kept = await history.window(["fridge"], NOW - 600_000, NOW)
    assert len(kept.windows["fridge"]) == 60
    summed = await history.buckets(["fridge"], NOW - 600_000, NOW, STEP)
    assert int(summed.buckets["fridge"].count.sum()) == 57
    assert float(summed.buckets["fridge"].minimum.min()) == 5.0
    found = await history.implausible(["fridge"], NOW - 600_000, NOW, 2)
    assert found.windows["fridge"].times.tolist() == times[[33, 34]].tolist()  # the newest two
    memory.append(SeriesPart("fridge", times, np.full(60, -127.0)), seq=2, now_ms=NOW)
    assert (await history.buckets(["fridge"], NOW - 600_000, NOW, STEP)).buckets == {}
