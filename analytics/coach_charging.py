"""Checks of what should charge the house battery: sun, shore power, alternator; and of the panels' output over days."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_battery import discharge
from .coach_log import SLOTS_A_DAY
from .coach_sign import Sign, mean, quantile
from .coach_view import CoachView, Mask, coverage, known, last_run
from .records import FindingKind
from .robust import Values
from .words import duration, number

FULL: Final = 95.0  # % of charge from which on a battery takes less than it is offered
NOTHING: Final = 0.03  # of the panels' best
LIGHT: Final = 0.85  # of the open panels' voltage: there is daylight
DARK: Final = 0.6  # of it, which the nights stay below
SUN_H: Final = 0.75
SHORE_H: Final = 1.0
ENGINE_H: Final = 0.4
LOSES_A: Final = 1.0
OUTPUT_DAYS: Final = 6  # so many days in a row without one good moment: longer than a spell of bad weather
GOOD_MOMENTS: Final = 6  # slots of a day that judge it
SHARE_LOW: Final = 0.7


def sun_without_current(view: CoachView) -> Iterator[Sign]:
    """Daylight on the panels, room in the battery, and no power."""
    power, volts, soc = view.first("solar_power"), view.first("solar_voltage"), view.first("battery_soc")
    if power is None or volts is None:
        return
    before = view.before(SUN_H, 10)
    best, bright = quantile(power.mean[before], 0.98), quantile(volts.mean[before], 0.9)
    if not best > 30 or not bright > 5 or quantile(volts.mean[before], 0.1) > DARK * bright:
        return  # what stands at night as well is no panel's voltage, and tells nothing of light
    room = np.ones(view.slots, dtype=np.bool_) if soc is None else known(soc.mean, 100.0) < FULL
    light = known(volts.mean) > LIGHT * bright
    dead = light & room & (known(power.mean, math.inf) < NOTHING * best)
    if not (light & room)[-1]:
        return  # nothing can be said at night, or of a full battery
    count = last_run(dead)
    if 0 < count < SUN_H * 12:
        return  # too early to tell, and no reason to call it over either
    span = slice(view.slots - max(1, count), view.slots)
    yield Sign(
        kind=FindingKind.NO_CHARGE, track=power, strength=count / (SUN_H * 12), span=span,
        value=mean(power.mean[span]), low=NOTHING * best, direction="below", cover=coverage(power.mean[view.last(2)]),
        facts=_facts("the solar panels", f"{number(mean(volts.mean[span]), 'V')} on the panels", count),
        numbers={"panel_voltage": mean(volts.mean[span]), "usual_best_power": best},
    )  # fmt: skip


def shore_without_current(view: CoachView) -> Iterator[Sign]:
    """Shore power is there, and the battery is discharged all the same."""
    out, soc = discharge(view), view.first("battery_soc")
    legs = view.all("shore_voltage")
    if out is None or not legs:
        return
    track, amps = out
    room = np.ones(view.slots, dtype=np.bool_) if soc is None else known(soc.mean, 100.0) < FULL + 3
    loses = known(amps) > LOSES_A
    dead = view.shore & room & loses
    if not (view.shore & view.dark & (room | ~loses))[-1]:
        return  # by day the sun may carry the loads, with a charger or without; what a full battery gives is not missed
    count = last_run(dead)
    if 0 < count < SHORE_H * 12:
        return
    span = slice(view.slots - max(1, count), view.slots)
    yield Sign(
        kind=FindingKind.NO_CHARGE, track=track, strength=count / (SHORE_H * 12), span=span,
        value=mean(amps[span]), high=LOSES_A, direction="above", cover=coverage(amps[view.last(2)]),
        facts=_facts("the charger", f"{number(mean(legs[0].mean[span]), 'V')} of shore power", count),
        numbers={"discharge": mean(amps[span]), "shore_voltage": mean(legs[0].mean[span])},
    )  # fmt: skip


def engine_without_current(view: CoachView) -> Iterator[Sign]:
    """The engine runs, and its alternator gives nothing: much less than it gave a battery that is full, or is not."""
    alternator, soc = view.first("alternator_current"), view.first("battery_soc")
    if alternator is None:
        return
    before = view.before(ENGINE_H)
    full = np.zeros(view.slots, dtype=np.bool_) if soc is None else known(soc.mean, 0.0) >= FULL
    then, was_full = alternator.mean[before][view.engine[before]], full[before][view.engine[before]]
    to_full, to_others = quantile(then[was_full], 0.5), quantile(then[~was_full], 0.5)
    usual = to_full if full[-1] or math.isnan(to_others) else to_others  # one that is not full is given no less
    if not usual > 4:
        return
    dead = view.engine & (known(alternator.mean, math.inf) < 0.2 * usual)
    if not view.engine[-1]:
        return
    count = last_run(dead)
    if 0 < count < ENGINE_H * 12:
        return
    span = slice(view.slots - max(1, count), view.slots)
    yield Sign(
        kind=FindingKind.NO_CHARGE, track=alternator, strength=count / (ENGINE_H * 12), span=span,
        value=mean(alternator.mean[span]), low=0.2 * usual, direction="below",
        cover=coverage(alternator.mean[view.last(1)]),
        facts=_facts("the alternator", "the engine running", count), numbers={"usual": usual},
    )  # fmt: skip


def output_low(view: CoachView) -> Iterator[Sign]:
    """Each day's best moments against the best of the same hours on the days before; clouds pass, dirt stays."""
    power, soc = view.first("solar_power"), view.first("battery_soc")
    if power is None or soc is None:
        return
    asked: Mask = (known(soc.mean, 100.0) < FULL) & np.isfinite(power.mean)  # else the controller holds back
    hours = (view.hour * 2).astype(int)
    shares: list[tuple[int, float]] = []
    best = _best_by_half_hour(power.mean, hours, asked, view.before(24 * (OUTPUT_DAYS + 1)))
    for day in np.unique(view.day[asked]):
        of_day = asked & (view.day == day) & (best[hours] > 0.15 * np.nanmax(best, initial=1.0))
        if of_day.sum() >= GOOD_MOMENTS:
            shares.append((int(day), quantile(power.mean[of_day] / best[hours][of_day], 0.85)))
    recent = [share for day, share in shares if view.day[-1] - day <= 2 * OUTPUT_DAYS][-OUTPUT_DAYS:]
    good = [share for day, share in shares[:-OUTPUT_DAYS] if share > 0.85]
    if len(recent) < OUTPUT_DAYS or len(good) < 3 or shares[-1][0] < view.day[-1] - 1:
        return
    share = max(recent)
    first = int(np.flatnonzero(view.day == shares[-OUTPUT_DAYS][0])[0])
    yield Sign(
        kind=FindingKind.OUTPUT_LOW, track=power, strength=1 + (SHARE_LOW - share) / 0.25,
        span=slice(first, view.slots), value=quantile(power.mean[first:], 0.98), direction="below",
        cover=coverage(power.mean[first:]),
        facts={"share": number(100 * share, "%"), "days": str(OUTPUT_DAYS)},
        numbers={"share_of_usual": share},
    )  # fmt: skip


def _best_by_half_hour(power: Values, hours: np.ndarray, asked: Mask, before: slice) -> Values:
    """The 90 % quantile of what the panels gave at each half hour of the day while all of it was asked for. (48,)"""
    then, when, wanted = power[before], hours[before], asked[before]
    order = np.argsort(when[wanted], kind="stable")
    parts = np.split(then[wanted][order], np.searchsorted(when[wanted][order], np.arange(1, 48)))
    return np.array([quantile(part, 0.9) for part in parts])


def _facts(source: str, sign: str, slots: int) -> dict[str, str]:
    return {"source": source, "sign": sign, "span": duration(slots * 86_400_000 / SLOTS_A_DAY)}
