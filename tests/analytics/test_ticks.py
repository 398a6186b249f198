from __future__ import annotations

import numpy as np

from analytics.ticks import LONGEST_MS, MOST, RUNG, Tick, Ticker

START = 1_700_000_000_000


def run(ticker: Ticker, count: int, step_ms: int, start_ms: int = START) -> list[Tick]:
    ticks = []
    for index in range(count):
        at = start_ms + index * step_ms
        ticker.add(1.0, 1.0, 1.0, 1)
        if ticker.due(at, at):
            ticks.append(ticker.close(at, at))
    return ticks


def test_a_slow_metric_is_never_summed_up() -> None:
    assert all(tick.samples == 1 for tick in run(Ticker(), 2 * RUNG, LONGEST_MS))


def test_a_fast_one_is_more_and_more_up_to_five_minutes() -> None:
    ticks = run(Ticker(), 600_000, 1_000)
    assert ticks[0].samples == 1
    assert LONGEST_MS // 2_000 < ticks[-1].samples <= LONGEST_MS // 1_000
    assert sum(tick.samples for tick in ticks) <= 600_000
    assert len(ticks) < 10 * RUNG


def test_a_batch_makes_few_ticks_however_large_it_is() -> None:
    short = list(Ticker().cut(START + np.arange(10_000), np.arange(10_000.0), START + 10_000))
    assert 1 <= len(short) <= 10
    assert sum(tick.samples for tick in short) == 10_000
    days = list(Ticker().cut(START + np.arange(10_000) * 300_000, np.arange(10_000.0), START))
    assert 100 < len(days) <= MOST + 2
    first = short[0]
    assert (first.low, first.high) == (0.0, first.samples - 1.0)
    assert first.mean == (first.samples - 1) / 2


def test_numbers_at_the_edge_of_doubles_have_a_mean() -> None:
    ticker = Ticker()
    [tick] = ticker.cut(np.array([START, START]), np.array([1.7e308, 1.7e308]), START)
    assert tick.mean == 1.7e308


def test_bursts_of_arrivals_are_one_tick_and_a_clock_set_back_does_not_stop_it() -> None:
    ticker = Ticker()
    ticker.add(1.0, 1.0, 1.0, 1)
    assert ticker.due(START, START)
    ticker.close(START, START)
    assert not ticker.due(START + 60_000, START + 100)
    assert ticker.due(START + 60_000, START + 1_000)
    assert ticker.due(START - 10**9, START - 10**9)


def test_it_goes_on_after_a_restart() -> None:
    ticker, restored = Ticker(), Ticker()
    run(ticker, 5_000, 1_000)
    restored.unpack(ticker.pack())
    later = START + 5_000_000
    assert len(run(restored, 1_000, 1_000, later)) in range(len(run(ticker, 1_000, 1_000, later)) - 1, 300)


def test_what_is_taken_at_once_is_what_is_added_and_closed() -> None:
    at_once, apart = Ticker(), Ticker()
    ticks: tuple[list[Tick | None], list[Tick | None]] = ([], [])
    for index in range(3 * RUNG):
        at, value = START + index * 1_000, float(index % 7)
        samples = 1 + index % 3
        part = (samples * value, value - 1.0 * (samples > 1), value + 2.0 * (samples > 1), samples)
        ticks[0].append(at_once.take(*part, at, at))
        apart.add(*part)
        ticks[1].append(apart.close(at, at) if apart.due(at, at) else None)
    assert ticks[0] == ticks[1]
    assert {1, 2, 3} <= {tick.samples for tick in ticks[0] if tick is not None}
    assert at_once.pack() == apart.pack()
