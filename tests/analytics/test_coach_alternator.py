"""An alternator that wears: told when several days' journeys say so at the same charge, and by nothing harmless."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_alternator import AlternatorTrend, Work, by_day, fallen
from analytics.coach_engines import warm
from analytics.coach_log import SLOT_MS, CoachLog
from analytics.coach_sign import STAYS, Sign
from analytics.coach_view import CoachView
from analytics.coach_watch import CoachWatch
from analytics.records import FindingKind
from analytics.words import number

from .coach_days import A_DAY, START_MS, Days, strength

VOLTS, CURRENT = "battery.chassis.voltage", "alternator.current"
KIND = FindingKind.ALTERNATOR_WEAK
GIVEN = {VOLTS: 14.1, CURRENT: 90.0}


def weak(view: CoachView) -> list[Sign]:
    return list(AlternatorTrend().alternator_weak(view))


def driven(
    metric: str,
    *shares: float,
    charge: tuple[float, ...] = (70.0,),
    hours: tuple[float, ...] = (3.0,),
    rpm: float = 1900.0,
    every: int = 2,
) -> Days:
    """A journey from ten o'clock on every second day, the last one yesterday: what the metric gives, as shares."""
    days = Days(14, 2)
    days.values = {
        name: values for name, values in days.values.items() if name in ("engine.rpm", "battery.house.soc", metric)
    }
    for back, share in enumerate(reversed(shares)):
        begin = (13 - every * back) * A_DAY + 120
        road = slice(begin, begin + round(12 * hours[-(back % len(hours)) - 1]))
        days.values["engine.rpm"][road] = rpm
        days.values["battery.house.soc"][road] = charge[-(back % len(charge)) - 1]
        days.values[metric][road] = share * GIVEN[metric]
    return days


@pytest.mark.parametrize(
    ("metric", "shares"),
    [
        (VOLTS, (1, 1, 0.96, 0.96)), (VOLTS, (1, 1, 1.005, 0.995, 0.96, 0.965)),
        (CURRENT, (1, 1, 0.55, 0.55)), (CURRENT, (1, 0.97, 1.02, 0.75, 0.72, 0.73)),
    ],
)  # fmt: skip
def test_several_days_well_below_several_before(
    shipped_catalogue: Catalogue, metric: str, shares: tuple[float, ...]
) -> None:
    (sign,) = weak(driven(metric, *shares).view(shipped_catalogue))
    assert sign.strength >= 1
    later = sum(share < 0.968 for share in shares)
    unit = shipped_catalogue.spec(metric).unit
    assert sign.facts["days"] == str(later)
    assert sign.facts["earlier"] == str(len(shares) - later)
    assert float(sign.facts["usual"].split()[0]) == pytest.approx(GIVEN[metric], rel=0.03)
    assert number(sign.value, unit) != sign.facts["usual"]


@pytest.mark.parametrize(
    ("metric", "shares"),
    [
        (VOLTS, (1, 1, 1, 1, 1, 1)), (CURRENT, (1, 1, 1, 1, 1, 1)),
        (VOLTS, (1, 1, 1, 1, 0.8)), (VOLTS, (1, 0.9, 0.9, 0.9)),  # one day on a side says nothing
        (VOLTS, (1, 1, 0.98, 0.98)),  # heat, headlights, a blower
        (VOLTS, (1.03, 1.0, 1.04, 0.97, 0.95, 0.96)),  # one that is regulated up and down
        (VOLTS, (1, 0.95, 1, 0.95, 1, 0.95)), (VOLTS, (1, 1, 0.95, 0.95, 1, 1)),
        (CURRENT, (1, 1, 0.85, 0.85, 0.86)), (CURRENT, (1, 1, 0.75, 0.75)),
        (CURRENT, (0.5, 0.5, 1, 1)),
    ],
)  # fmt: skip
def test_what_is_little_or_may_be_chance_is_not_told(
    shipped_catalogue: Catalogue, metric: str, shares: tuple[float, ...]
) -> None:
    assert strength(weak, driven(metric, *shares).view(shipped_catalogue)) < 1


@pytest.mark.parametrize(
    ("metric", "others"),
    [
        (VOLTS, {"charge": (100.0, 100.0, 60.0, 60.0)}),  # a drained battery pulls the voltage down
        (CURRENT, {"charge": (60.0, 60.0, 85.0, 85.0)}),  # a fuller one takes less
        (CURRENT, {"charge": (96.0,)}), (CURRENT, {"rpm": 700.0}), (VOLTS, {"hours": (0.5,)}),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_not(shipped_catalogue: Catalogue, metric: str, others: dict) -> None:  # type: ignore[type-arg]
    assert (weak(driven(metric, 1, 1, 0.5, 0.5, **others).view(shipped_catalogue))) == []


@pytest.mark.parametrize(("share", "told"), [(0.98, False), (0.96, True)])
def test_a_chassis_of_24_volts_is_allowed_twice_as_much(shipped_catalogue: Catalogue, share: float, told: bool) -> None:
    catalogue = Catalogue(shipped_catalogue.specs)
    catalogue.place(VOLTS, np.array([28.2]))
    days = driven(VOLTS, 1, 1, share, share)
    days.values[VOLTS] *= 2
    assert any(sign.strength >= 1 for sign in weak(days.view(catalogue))) is told


def test_longer_journeys_are_journeys(shipped_catalogue: Catalogue) -> None:
    """The current falls off in the tenth hour, when the battery is full."""
    days = driven(CURRENT, 1, 1, 1, 1, hours=(2.0, 2.0, 10.0, 10.0))
    for begin in (11 * A_DAY + 120, 13 * A_DAY + 120):
        days.values["battery.house.soc"][begin + 30 : begin + 120] = 99.0
        days.values[CURRENT][begin + 30 : begin + 120] = 14.0
    assert strength(weak, days.view(shipped_catalogue)) == 0


def test_two_journeys_of_one_day_are_one(shipped_catalogue: Catalogue) -> None:
    days = driven(VOLTS, 1, 1, 0.9)
    again = slice(13 * A_DAY + 190, 13 * A_DAY + 230)
    days.values["engine.rpm"][again], days.values["battery.house.soc"][again] = 1900, 70.0
    days.values[VOLTS][again] = 12.7
    assert (weak(days.view(shipped_catalogue))) == []


def test_without_a_gauge_of_the_charge_the_voltage_alone_is_judged(shipped_catalogue: Catalogue) -> None:
    soc = ("battery.house.soc",)
    assert strength(weak, driven(VOLTS, 1, 1, 0.9, 0.9).view(shipped_catalogue, soc)) >= 1
    assert (weak(driven(CURRENT, 1, 1, 0.5, 0.5).view(shipped_catalogue, soc))) == []


def test_nothing_known_nothing_said(shipped_catalogue: Catalogue) -> None:
    days = driven(VOLTS, 1, 1, 0.9, 0.9)
    assert (weak(days.view(shipped_catalogue, tuple(days.values)))) == []
    days.values[VOLTS][:] = np.nan
    days.values = {name: values for name, values in days.values.items() if name != VOLTS}
    assert (weak(days.view(shipped_catalogue))) == []


def told(days: Days, catalogue: Catalogue) -> list[tuple[int, bool]]:
    """Day and whether it was the end, hour by hour."""
    log = days.log(catalogue)
    watch = CoachWatch(log, lambda times: times)
    first = log.end_slot - days.slots
    return [
        ((finding.at_ms // SLOT_MS - first) // A_DAY, finding.over)
        for slot in range(first + 6 * A_DAY, log.end_slot + 1, 36)
        for finding in watch.look(end_slot=slot)
        if finding.kind == KIND
    ]


def test_told_once_and_over_when_it_gives_as_before(shipped_catalogue: Catalogue) -> None:
    assert told(driven(VOLTS, 1, 1, 0.93, 0.93, 0.93, 0.93), shipped_catalogue) == [(9, False)]
    assert told(driven(VOLTS, 1, 1, 0.93, 0.93, 0.93, 1), shipped_catalogue) == [(9, False), (13, True)]


def test_what_it_gave_before_has_left_the_log_and_nothing_is_over(shipped_catalogue: Catalogue) -> None:
    for shares in ((1, 0.93, 0.93, 0.93), (1, 0.96, 0.93, 0.93), (0.93, 0.93, 0.93, 0.93)):
        assert strength(weak, driven(VOLTS, *shares).view(shipped_catalogue)) == 0
        assert (weak(driven(VOLTS, *shares).view(shipped_catalogue))) == []
    (sign,) = weak(driven(VOLTS, 1, 0.93, 0.93, 1).view(shipped_catalogue))
    assert sign.strength < STAYS


def test_the_surest_parting_is_taken() -> None:
    fall = fallen(np.array([14.1, 14.1, 14.1, 13.4, 13.4]), 0.05)
    assert fall is not None
    assert (fall.since, fall.usual, fall.value) == (3, 14.1, 13.4)
    assert fall.sure == pytest.approx(0.7 / (0.05 * np.sqrt(1 / 3 + 1 / 2)) / 7.45)
    assert fallen(np.array([14.1, 14.1, 13.4]), 0.05) is None


def test_chance_alone_is_rare() -> None:
    """Days that differ by chance: few partings are surer than chance, whatever the number of days."""
    dice = np.random.default_rng(4)
    for days in (4, 6, 9, 14):
        falls = [fallen(dice.normal(14, 0.3, days), 0.05) for _ in range(1000)]
        assert sum(fall is not None and fall.sure >= 1 for fall in falls) <= 10


def test_a_charge_that_one_day_had_compares_with_nothing() -> None:
    day = np.repeat([1, 2, 3], 4)
    charge = np.repeat([60.0, 65.0, 85.0], 4)
    times = np.arange(12, dtype=np.int64)
    days, values = by_day(Work(times, day, np.repeat([50.0, 40.0, 10.0], 4), charge))
    assert (days, values.tolist()) == ([1, 2], [50.0, 40.0])
    assert by_day(Work(times[:0], day[:0], charge[:0], charge[:0]))[0] == []


def test_journeys_are_kept_for_four_weeks(shipped_catalogue: Catalogue) -> None:
    """Every fifth day is one on the road: two weeks hold three at most."""
    days = Days(27)
    days.values = {name: days.values[name] for name in ("engine.rpm", "battery.house.soc", VOLTS)}
    days.values["battery.house.soc"][:] = 70.0
    for day, volts in ((3, 14.1), (8, 14.1), (13, 14.1), (18, 13.4), (23, 13.4)):
        road = slice(day * A_DAY + 120, day * A_DAY + 156)
        days.values["engine.rpm"][road], days.values[VOLTS][road] = 1900, volts
    log, trend, strengths = CoachLog(), AlternatorTrend(), {}
    for slot in range(36, days.slots + 1, 36):
        for name, values in days.values.items():
            times = START_MS + np.arange(slot - 36, slot, dtype=np.int64) * SLOT_MS
            log.take(name, shipped_catalogue.spec(name), times, values[slot - 36 : slot], int(times[-1]) + SLOT_MS)
        view = CoachView(log, lambda times: times, log.end_slot)
        for sign in trend.alternator_weak(view):
            strengths[slot // A_DAY] = sign.strength
            assert (sign.facts["days"], sign.facts["earlier"]) == ("2", "3")
    assert {day for day, strength in strengths.items() if strength >= 1} == set(range(23, 28))
    assert weak(view) == []
    assert len(trend._kept[VOLTS].level) == 5 * 31
    assert trend._kept[VOLTS].starts.tolist() == sorted(set(trend._kept[VOLTS].starts.tolist()))


def test_an_engine_is_warm_after_a_while() -> None:
    running = np.zeros(40, dtype=np.bool_)
    running[2:10] = running[20:27] = True
    assert warm(running) == [(7, 10)]
