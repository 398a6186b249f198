"""The check of an alternator that wears: what it gives on a day's journeys, against the days before.

Compared is what can be: a warm engine above idle, the house battery at about the same charge (an empty one asks for
more and pulls the voltage down), for the current only while the battery asks for all of it. A fall is told when it is
large and could hardly be chance: Student's t of the days' medians, several days on each side, each day of the later
ones below each of the earlier.

Two weeks may hold three journeys, so the check keeps those of four; after a restart it begins with the log's two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .coach_engines import warm
from .coach_log import SLOT_MS, SLOTS_A_DAY, Track
from .coach_sign import STAYS, Sign, mean, quantile
from .coach_view import CoachView, Mask, known
from .records import FindingKind
from .robust import Times, Values, median
from .words import number

KEPT_MS: Final = 28 * 86_400_000
IDLE_RPM: Final = 900.0
ASKS: Final = 90.0  # % of charge up to which a battery takes what it is offered
BAND: Final = 10.0  # % of charge that counts as the same
MOMENTS: Final = 3  # slots of a day that judge it
SIDE: Final = 2  # days on each side at least
LESS_V: Final = 0.4  # heat, headlights and a blower cost a sound one half of it
LESS_CURRENT: Final = 0.2
OF_24_V: Final = 20.0  # a chassis whose voltage is above it; all of that is twice as much there
SCATTER_V: Final = 0.05  # standard deviation of days that are alike, at least
SCATTER_CURRENT: Final = 0.04
# Student's t by days, 4 and on: one-sided 0.5 %, shared among the places at which they can be parted.
T_LIMITS: Final = (9.92, 7.45, 6.25, 5.60, 5.21, 4.94, 4.76, 4.62, 4.52, 4.44, 4.37, 4.32)


class Work(Struct, frozen=True):
    """What an alternator gave, slot by slot while it can be compared: begin of the slot, local day, charge in %."""

    starts: Times
    day: NDArray[np.int64]
    level: Values
    charge: Values

    def among(self, use: Mask) -> Work:
        return Work(self.starts[use], self.day[use], self.level[use], self.charge[use])


class Fall(Struct, frozen=True):
    """`since`: the first of the later values. `sure`: how far the fall exceeds what chance would do, 1: just so."""

    since: int
    usual: float
    value: float
    sure: float


class AlternatorTrend:
    """One check with a memory: of each metric the slots that `alternator_weak` has compared."""

    def __init__(self) -> None:
        self._kept: dict[str, Work] = {}

    def alternator_weak(self, view: CoachView) -> Iterator[Sign]:
        """The chassis voltage with the engine at work, and the alternator's current while the battery asks for it."""
        soc, speed = view.first("battery_soc"), view.first("engine_speed")
        works: Mask = np.zeros(view.slots, dtype=np.bool_)
        for begin, end in warm(view.engine):
            works[begin:end] = True
        if speed is not None:
            works &= known(speed.mean, math.inf) >= IDLE_RPM
        volts, current = view.first("starter_voltage"), view.first("alternator_current")
        if volts is not None:
            charge = np.zeros(view.slots) if soc is None else soc.mean
            work = self._work(view, volts, works, charge)
            times = 2.0 if quantile(work.level, 0.5) > OF_24_V else 1.0
            yield from _weaker(view, volts, work, times * LESS_V, times * SCATTER_V)
        if current is not None and soc is not None:
            work = self._work(view, current, works & (known(soc.mean, 100.0) < ASKS), soc.mean)
            usual = quantile(work.level, 0.9)
            if usual > 0:
                yield from _weaker(view, current, work, LESS_CURRENT * usual, SCATTER_CURRENT * usual)

    def _work(self, view: CoachView, track: Track, works: Mask, charge: Values) -> Work:
        """The view's slots; before them, and on its first day, which may cut a journey off, those that are kept."""
        now = Work(view.starts, view.day, track.mean, charge).among(works & np.isfinite(track.mean + charge))
        kept = self._kept.get(track.name)
        if kept is not None:
            cut_ms = int(view.starts[0]) + SLOTS_A_DAY * SLOT_MS
            kept = kept.among((kept.starts < cut_ms) & (kept.starts >= view.now_ms - KEPT_MS))
            now = now.among(now.starts >= cut_ms)
            now = Work(*(np.concatenate((getattr(kept, name), getattr(now, name))) for name in Work.__struct_fields__))
        self._kept[track.name] = now
        return now


def _weaker(view: CoachView, track: Track, work: Work, least: float, scatter: float) -> Iterator[Sign]:
    days, values = by_day(work)
    fall = fallen(values, scatter)
    if fall is None:
        return
    strength = min((fall.usual - fall.value) / least, fall.sure)
    if strength < STAYS:
        if values[-1] < values.min() + least:
            return  # what it gave before may be forgotten: that is no recovery
        strength = 0.0
    first_ms = int(work.starts[work.day == days[fall.since]][0])
    yield Sign(
        kind=FindingKind.ALTERNATOR_WEAK, track=track, strength=strength,
        span=slice(int(view.starts.searchsorted(first_ms)), view.slots), value=fall.value, low=fall.usual - least,
        direction="below",
        facts={
            "usual": number(fall.usual, track.spec.unit), "days": str(len(values) - fall.since),
            "earlier": str(fall.since),
        },
        numbers={"usual": fall.usual, "days": len(values) - fall.since, "earlier_days": fall.since},
    )  # fmt: skip


def by_day(work: Work) -> tuple[list[int], Values]:
    """Days, oldest first, and what each typically gave: the median of its slots, as shares of the best day's at the
    same charge, times the mean best. A charge that only one day had compares with nothing."""
    day, level, band = work.day, work.level, work.charge // BAND
    best = np.full(len(level), np.nan)
    for each in np.unique(band):
        same = band == each
        medians = [median(level[same & (day == one)]) for one in np.unique(day[same])]
        if len(medians) >= SIDE and max(medians) > 0:
            best[same] = max(medians)
    share = level / best
    days = [int(one) for one in np.unique(day) if np.isfinite(share[day == one]).sum() >= MOMENTS]
    typical = mean(best)
    return days, np.array([typical * quantile(share[day == one], 0.5) for one in days])


def fallen(values: Values, scatter: float) -> Fall | None:
    """Whether `values` fell once and stayed there: the parting at which that is surest. None: too few to say.

    `scatter`: the standard deviation within a side, at least.
    """
    if len(values) < 2 * SIDE:
        return None
    limit = T_LIMITS[min(len(values) - 2 * SIDE, len(T_LIMITS) - 1)]
    found = []
    for since in range(SIDE, len(values) - SIDE + 1):
        earlier, later = values[:since], values[since:]
        pooled = math.sqrt((earlier.var() * len(earlier) + later.var() * len(later)) / (len(values) - 2))
        error = max(scatter, pooled) * math.sqrt(1 / len(earlier) + 1 / len(later))
        apart = earlier.min() > later.max()
        sure = float(earlier.mean() - later.mean()) / error / limit if apart else 0.0
        found.append(Fall(since, median(earlier), median(later), sure))
    return max(found, key=lambda fall: fall.sure)
