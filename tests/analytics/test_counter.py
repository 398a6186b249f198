from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue, MetricSpec
from analytics.counter import CounterAnomalies, rate_spec
from analytics.local_time import UTC_TIME
from analytics.streaming import Watchlist
from storage.models import SeriesPart

START = 1_790_000_000_000
STEP = 300_000
SPEC = MetricSpec(pattern="pump.cycles", kind="counter", unit="l", title="Water pumped", min_deviation=1e9)


def run(counted: np.ndarray, watchlist: Watchlist | None = None) -> list[tuple[int, str, bool]]:
    """(index, kind, over) of what is told of a counter with these readings, one every five minutes."""
    watchlist = Watchlist(Catalogue([SPEC])) if watchlist is None else watchlist
    told = []
    for index, value in enumerate(counted.tolist()):
        now_ms = START + index * STEP
        part = SeriesPart("pump.cycles", np.array([now_ms]), np.array([value]))
        told += [(index, str(each.kind), each.over) for each in watchlist.observe(part, now_ms)]
    return told


def counter(rate: np.ndarray, resets: tuple[int, ...] = (), dips: tuple[int, ...] = ()) -> np.ndarray:
    values = rate.cumsum() + 10_000.0
    for at in resets:
        values[at:] -= values[at - 1]
    values[list(dips)] = 0.0
    return values


@pytest.fixture
def rate() -> np.ndarray:
    return np.abs(5 + np.random.default_rng(4).normal(size=3_000))


def test_restarts_of_a_counter_and_bad_readings_are_no_events(rate: np.ndarray) -> None:
    assert run(counter(rate, resets=(700, 1_400, 2_500), dips=(1_900, 2_700))) == []


def test_a_counter_that_counts_much_faster_is_told(rate: np.ndarray) -> None:
    rate[2_600:2_700] += 60.0
    told = run(counter(rate))
    assert told
    assert 2_600 <= told[0][0] <= 2_612


def test_what_was_counted_since_a_restart_counts() -> None:
    judged = CounterAnomalies("m", SPEC, UTC_TIME)
    rates = []
    for index, reading in enumerate((100.0, 110.0, 120.0, 6.0, 16.0)):
        judged.note(reading, reading, reading, 1)
        rates.append(judged._rate(START + index * 3_600_000))
        judged._clear()
    assert rates == [None, 10.0, 10.0, 6.0, 10.0]


def test_a_restart_within_a_batch_says_nothing_of_that_batch() -> None:
    judged = CounterAnomalies("m", SPEC, UTC_TIME)
    judged.note(100.0, 100.0, 100.0, 1)
    assert judged._rate(START) is None
    judged._clear()
    judged.note(125.0, 2.0, 115.0, 3)
    assert judged._rate(START + 3_600_000) is None


def test_the_state_survives(rate: np.ndarray) -> None:
    watchlist = Watchlist(Catalogue([SPEC]))
    values = counter(rate)
    run(values[:2_000], watchlist)
    state = watchlist.pack()
    other = Watchlist(Catalogue([SPEC]))
    assert other.unpack(state) == 1
    assert other.pack() == state


def test_a_rate_has_its_own_words() -> None:
    assert (rate_spec(SPEC).unit, rate_spec(SPEC).title, rate_spec(SPEC).min_deviation) == (
        "l/h", "Rate of Water pumped", None,
    )  # fmt: skip
