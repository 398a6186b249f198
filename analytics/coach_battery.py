"""Checks of the house battery: what it loses at night, what draws on it, how it ages, and when it will be empty.

A night is a stretch in which nothing charges: dark, and neither shore power nor generator nor engine. Nights are
compared with earlier nights of the same coach, and for what the current does not explain: a cold night, in which the
furnace runs more, is no worse than another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_log import SLOTS_A_DAY, Track
from .coach_sign import Sign, mean, quantile
from .coach_view import SLOTS_AN_HOUR, CoachView, Mask, coverage, known, runs
from .records import FindingKind
from .robust import Values, mad_sigma
from .words import duration, number

SLEEP: Final = (0.0, 6.0)  # local hours in which people sleep and lights are off
NIGHT_H: Final = 3.0  # a shorter night says nothing
REST_SLOTS: Final = 15  # so much quiet time makes a base current: some turns of the compressors
NIGHTS: Final = 3  # earlier nights that make a habit
MIN_EXTRA_A: Final = 1.5  # 20 W around the clock: a sixth of a usual battery in a day
SHARE_MORE: Final = 0.3
MIN_NIGHT_AH: Final = 8.0
LOAD_STEP_A: Final = 8.0  # a change of load that moves the voltage more than its noise does
PAIRS: Final = 8
RESISTANCE_MORE: Final = 0.5
FLAT: Final = 8.0  # % of charge: what is below it is not meant to be used
YOUNG_DAY_H: Final = 4
EVENING_LASTS: Final = 0.85  # an hour later, of what people use beyond the usual: they go to sleep
SUN_HELPS: Final = 0.05  # share of the panels' best from which on they count


def discharge(view: CoachView) -> tuple[Track, Values] | None:
    """Current out of the house battery in A: whichever sign the sensor gives it, the charge falls with it."""
    track = view.first("battery_current")
    if track is None:
        return None
    soc = view.first("battery_soc")
    if soc is not None:
        change, current = np.diff(soc.mean), track.mean[1:]
        both = np.isfinite(change) & np.isfinite(current)
        if float(change[both] @ current[both]) < 0:
            return track, track.mean
    return track, -track.mean


def nights(view: CoachView, hours: float = NIGHT_H) -> list[tuple[int, int]]:
    """Spans of slots in which nothing charged, at least `hours` long, oldest first."""
    alone = view.dark & ~view.fed
    current = view.first("battery_current")
    if current is not None:
        alone &= np.isfinite(current.mean)
    return [span for span in runs(alone) if span[1] - span[0] >= hours * SLOTS_AN_HOUR]


def parasitic_draw(view: CoachView) -> Iterator[Sign]:
    """The least current of a night against that of earlier nights."""
    out = discharge(view)
    if out is None:
        return
    track, amps = out
    rests = (view.hour >= SLEEP[0]) & (view.hour < SLEEP[1]) & np.isfinite(amps)
    for state in view.all("furnace_state", "fridge_state"):  # they run more in the cold, or in the heat
        rests &= known(state.mean, 0.0) < 0.2
    bases = []
    for begin, end in nights(view):
        some = amps[begin:end][rests[begin:end]]
        if len(some) >= REST_SLOTS:
            bases.append((begin, end, quantile(some, 0.06)))
    if len(bases) <= NIGHTS or view.slots - bases[-1][1] > SLOTS_A_DAY:
        return
    begin, end, base = bases[-1]
    earlier = np.array([each[2] for each in bases[:-1]])
    usual = float(np.median(earlier))
    least = max(MIN_EXTRA_A, SHARE_MORE * abs(usual), 4 * mad_sigma(earlier))
    yield Sign(
        kind=FindingKind.PARASITIC, track=track, strength=(base - usual) / least, span=slice(begin, end),
        value=base, high=usual + least, direction="above", cover=coverage(amps[begin:end]),
        facts={"usual": number(usual, "A"), "extra": number(base - usual, "A")},
        numbers={"usual": usual, "nights": len(earlier)},
    )  # fmt: skip


def overnight_drop(view: CoachView) -> Iterator[Sign]:
    """Charge lost in a night per ampere-hour drawn, against earlier nights: capacity that is no longer there."""
    out, soc = discharge(view), view.first("battery_soc")
    if out is None or soc is None:
        return
    amps = out[1]
    found = []
    for begin, end in nights(view):
        drawn = mean(amps[begin:end]) * (end - begin) / SLOTS_AN_HOUR
        lost = float(soc.mean[begin] - soc.mean[end - 1]) * (end - begin) / (end - begin - 1)
        if drawn >= MIN_NIGHT_AH and lost > 0:
            found.append((begin, end, lost, lost / drawn))
    recent = [each for each in found if view.slots - each[1] <= SLOTS_A_DAY]
    earlier = np.array([each[3] for each in found if view.slots - each[1] > 2 * SLOTS_A_DAY])
    if not recent or len(earlier) < NIGHTS:
        return
    begin, end, lost, ratio = recent[-1]
    usual = float(np.median(earlier))
    times = ratio / usual
    least = max(0.2, 4 * mad_sigma(earlier) / usual)
    yield Sign(
        kind=FindingKind.OVERNIGHT_DROP, track=soc, strength=(times - 1) / least, span=slice(begin, end),
        value=lost, high=lost / times * (1 + least), direction="above", cover=coverage(amps[begin:end]),
        facts={"usual": number(lost / times, "%"), "times": f"{times:.1f}"},
        numbers={"usual_percent_per_ah": usual, "percent_per_ah": ratio, "nights": len(earlier)},
    )  # fmt: skip


def ageing(view: CoachView) -> Iterator[Sign]:
    """How far the voltage moves with the load: the battery's resistance, against the days before."""
    out, volts = discharge(view), view.first("battery_voltage")
    if out is None or volts is None:
        return
    step, sag = np.diff(out[1]), -np.diff(volts.mean)
    good = np.isfinite(step) & np.isfinite(sag) & (np.abs(step) >= LOAD_STEP_A)
    soc = view.first("battery_soc")
    if soc is not None:
        good &= known(soc.mean[1:], 0.0) < 97  # a full battery's voltage rises with charge alone
    ohms = np.where(good, sag / np.where(good, step, 1.0), np.nan)
    recent, before = view.last(48), view.before(60)
    now, then = ohms[recent.start - 1 :], ohms[: max(0, before.stop - 1)]
    if np.isfinite(now).sum() < PAIRS or np.isfinite(then).sum() < 2 * PAIRS:
        return
    usual, value = quantile(then, 0.5), quantile(now, 0.5)
    if usual <= 0:
        return
    yield Sign(
        kind=FindingKind.AGEING, track=volts, strength=(value / usual - 1) / RESISTANCE_MORE, span=recent,
        value=value * 1000, high=usual * 1000 * (1 + RESISTANCE_MORE), unit="mΩ", direction="above",
        cover=coverage(volts.mean[recent]),
        facts={"usual": number(usual * 1000, "mΩ"), "times": f"{value / usual:.1f}"},
        numbers={"usual_milliohm": usual * 1000, "milliohm": value * 1000},
    )  # fmt: skip


def battery_empty(view: CoachView) -> Iterator[Sign]:
    """What is left, less the usual loss until the sun is back, and less what is lost now beyond that; but what guests
    may use in the evening fades. While it is charged, nothing of that is ahead."""
    soc = view.first("battery_soc")
    if soc is None or view.slots < 3 * SLOTS_AN_HOUR:
        return
    level, recent = float(soc.mean[-1]), view.last(2)
    rate = _slope(soc.mean[recent])
    if math.isnan(level) or math.isnan(rate) or level <= FLAT:
        return
    charged = rate >= 0 or bool(view.fed[-2 * SLOTS_AN_HOUR :].any())
    usual = _usual_rates(view, soc.mean)
    usual_now = mean(usual[view.hour[recent].astype(int)])
    excess = max(0.0, usual_now - max(rate, _slope(soc.mean[view.last(1)])))
    asleep = SLEEP[0] <= view.hour[-1] < SLEEP[1]
    by_people = 0.0 if asleep else min(excess, max(0.0, -usual_now))  # who are at most twice as many
    horizon, dark = _hours_until_sun(view)
    if horizon == 0 and not charged:
        return
    lowest, flat_in, expected = level, math.inf, rate
    left = level
    for ahead in range(0 if charged else horizon):
        hour = int(view.hour[-1] + ahead) % 24
        if dark and np.isfinite(usual[hour]):
            fewer = min(1.0, max(0.0, usual[hour] / usual_now)) if by_people else 0.0
            expected = min(usual[hour], 0.0) - (excess - by_people) - by_people * fewer * EVENING_LASTS**ahead
        else:
            expected = rate
        if left + expected < FLAT and math.isinf(flat_in):
            flat_in = ahead + max(0.0, (left - FLAT) / -expected)
        left += expected
        lowest = min(lowest, left)
    if math.isinf(flat_in) and expected < 0:  # not until the horizon, and how much later
        flat_in = horizon + (left - FLAT) / -expected
    at_ms = view.now_ms + (0 if math.isinf(flat_in) else int(flat_in * 3_600_000))
    yield Sign(
        kind=FindingKind.EMPTY_AHEAD, track=soc, strength=0.0 if charged else 1 + (FLAT - lowest) / 20, span=recent,
        value=level, low=FLAT, direction="below", level="critical" if flat_in < 4 else "warning",
        cover=coverage(soc.mean[recent]),
        facts={"by": view.clock(at_ms), "within": duration(at_ms - view.now_ms), "rate": f"{-rate:.1f} % an hour"},
        numbers={"percent_per_hour": rate, "hours_left": min(flat_in, 999.0)},
    )  # fmt: skip


def _slope(values: Values) -> float:
    """% an hour from the first to the last known."""
    places = np.flatnonzero(np.isfinite(values))
    if len(places) < SLOTS_AN_HOUR // 2:
        return math.nan
    first, last = int(places[0]), int(places[-1])
    return float(values[last] - values[first]) / (last - first) * SLOTS_AN_HOUR


def _usual_rates(view: CoachView, soc: Values) -> Values:
    """% an hour by local hour of the day, on this coach's own when nothing but the sun charged. Shape (24,)."""
    before = view.before(3, 10)
    change = np.diff(soc, append=np.nan)[before] * SLOTS_AN_HOUR
    hours = view.hour[before].astype(int)
    alone: Mask = ~view.fed[before] & np.isfinite(change)
    return np.array([mean(change[alone & (hours == hour)]) for hour in range(24)])


def _hours_until_sun(view: CoachView) -> tuple[int, bool]:
    """How long the battery has to last, and whether all of it is dark: until the panels usually give something. By day
    (or without panels) a while, but not while the day is young: the sun may yet come through."""
    solar = view.first("solar_power")
    if solar is None:
        return 8, False
    before = view.before(0, 10)
    hours = view.hour[before].astype(int)
    usual = np.array([quantile(solar.mean[before][hours == hour], 0.5) for hour in range(24)])
    if not np.isfinite(usual).any():
        return 8, False
    bright = known(usual, 0.0) > SUN_HELPS * max(1.0, float(np.nanmax(usual)))
    now = int(view.hour[-1])
    if not bright[now]:
        if bright[now - 1] or bright[now - 2]:
            return 0, True  # what is lost more than usual is still the sun's absence
        return next((ahead for ahead in range(1, 15) if bright[(now + ahead) % 24]), 14), True
    young = not all(bright[(now - back) % 24] for back in range(YOUNG_DAY_H))
    return (0 if young else 8), False
