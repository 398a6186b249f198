"""Passing by: what a calm metric takes without its detectors, and that they see all of it in the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from analytics.calm import FAR, LONG_MS, Calm
from analytics.catalogue import Catalogue, MetricSpec
from analytics.records import Finding
from analytics.streaming import MANY_PARTS, Watchlist

START = 1_790_000_000_000
METRICS = 2 * MANY_PARTS


@dataclass(frozen=True)
class Part:
    name: str
    times: np.ndarray
    values: np.ndarray


def armed(*, until_ms: int = FAR, before_ms: int = FAR) -> Calm:
    calm = Calm()
    calm.arm((0.0, 10.0), 1_000, until_ms, 5_000, before_ms)
    return calm


def test_nothing_is_taken_until_it_is_armed() -> None:
    assert not Calm().takes((0, 0, 1.0, 1.0, 1.0, 1.0, 1), 0)


@pytest.mark.parametrize(
    "part",
    [
        (999, 1_100, 1.0, 2.0, 2.0, 3.0, 2),  # begins before the last sample
        (1_100, 2_000, 1.0, 2.0, 2.0, 3.0, 2),  # reaches the time when a detector wants to see one
        (1_100, 1_200, -0.1, 2.0, 2.0, 1.9, 2),
        (1_100, 1_200, 1.0, 10.1, 1.0, 11.1, 2),
    ],
)
def test_what_is_not_ordinary_is_for_the_detectors(part: tuple[int, int, float, float, float, float, int]) -> None:
    calm = armed(until_ms=2_000)
    assert not calm.takes(part, 5_000)
    assert not calm.parts
    assert calm.takes((1_100, 1_200, 1.0, 2.0, 2.0, 3.0, 2), 5_000)


def test_a_long_part_and_a_clock_set_back_are_for_the_detectors() -> None:
    calm = armed(before_ms=6_000)
    assert not calm.takes((1_100, 1_101 + LONG_MS, 1.0, 2.0, 2.0, 3.0, 2), 5_000)
    assert not calm.takes((1_100, 1_200, 1.0, 2.0, 2.0, 3.0, 2), 4_999)
    assert not calm.takes((1_100, 1_200, 1.0, 2.0, 2.0, 3.0, 2), 6_000)


def test_what_passed_by_is_added_up() -> None:
    calm = armed()
    assert calm.takes((1_000, 1_200, 1.0, 4.0, 4.0, 5.0, 2), 5_040)
    assert calm.takes((1_300, 1_300, 2.0, 2.0, 2.0, 2.0, 1), 5_050)
    assert (calm.parts, calm.count, calm.total, calm.least, calm.most) == (2, 3, 7.0, 1.0, 4.0)
    assert (calm.last_ms, calm.value, calm.arrived_ms, calm.longest_ms) == (1_300, 2.0, 5_050, 40)
    calm.end()
    assert not calm.takes((1_400, 1_400, 2.0, 2.0, 2.0, 2.0, 1), 5_060)
    assert calm.parts == 2


def story(findings: list[Finding]) -> list[tuple[object, ...]]:
    return [(each.kind, each.metric, each.at_ms, each.level, each.over) for each in findings]


@pytest.mark.parametrize("seed", range(4))
def test_batches_tell_what_their_parts_would_have_told(seed: int) -> None:
    """Metrics that are left alone for most of the time, with a limit crossed, a spike, a pause and a clock set back."""
    rng = np.random.default_rng(seed)
    catalogue = Catalogue([MetricSpec(pattern="m*", kind="gauge", warn_high=30.0, bad_direction="both")])
    together, apart = Watchlist(catalogue), Watchlist(catalogue)
    told: tuple[list[Finding], list[Finding]] = ([], [])
    passed = 0
    for step in range(2_400):
        now_ms = START + step * 1_000 - (3_600_000 if step > 2_000 else 0)
        if 900 <= step < 1_000 and step % 7:
            continue
        values = 20 + np.sin(step / 300) + rng.normal(0, 0.1, (METRICS, 4))
        values[3] += 15.0 * (1_300 < step < 1_400)
        values[5, 2] += 6.0 * (step == 1_700)
        times = now_ms + np.arange(4) * 250
        parts = [Part(f"m{n}", times, values[n]) for n in range(METRICS) if not (n == 7 and step > 1_500)]
        told[0].extend(together.observe_all(parts, now_ms))
        for part in parts:
            told[1].extend(apart.observe(part, now_ms))
        passed += together._watches["m0"].calm.parts > 0
        if step % 10 == 0:
            told[0].extend(together.sweep(now_ms))
            told[1].extend(apart.sweep(now_ms))
    assert passed > 300
    assert story(told[0]) == story(told[1])
    assert any(each.metric == "m3" for each in told[0])
    packed = together.pack(), apart.pack()
    assert packed[0].keys() == packed[1].keys()
    ticks = [each["m1"][0] for each in packed]
    assert ticks[0] == ticks[1]
