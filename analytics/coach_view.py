"""The coach at one moment: its log by role, on one grid of five-minute slots that ends now.

Owns how roles of the catalogue are found among the metrics, and the facts every check asks for: what hour it was there,
whether shore power was plugged in, whether generator or engine ran. Promises: an unknown is NaN or False, never a
guess; asking twice costs once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .coach_log import CAPACITY, SLOT_MS, SLOTS_A_DAY, CoachLog, Track
from .local_time import WEEKDAYS
from .robust import Times, Values

Mask = NDArray[np.bool_]
SHORE_V: Final = 60.0  # what is above it is a plugged-in leg, of 120 V and of 230 V systems alike
RUNNING_RPM: Final = 300.0
RUNNING: Final = 0.5  # share of a slot from which on something ran in it
ADOPTED_DAYS: Final = 7.0  # what has lasted for so long is how it is
SLOTS_AN_HOUR: Final = 3_600_000 // SLOT_MS


class CoachView:
    """The slots of `log` up to `end_slot`. `wall`: unix ms to local wall-clock ms (LocalTime.wall)."""

    def __init__(self, log: CoachLog, wall: Callable[[Times], Times], end_slot: int) -> None:
        self.slots = slots = CAPACITY
        self.now_ms = end_slot * SLOT_MS
        self.starts: Times = (np.arange(end_slot - slots, end_slot, dtype=np.int64)) * SLOT_MS
        self._wall = wall
        self._by_role: dict[str, list[Track]] = {}
        for track in sorted(log.tracks(end_slot, slots), key=lambda each: each.name):
            self._by_role.setdefault(track.spec.role or "", []).append(track)

    def all(self, *roles: str) -> list[Track]:
        return [track for role in roles for track in self._by_role.get(role, ())]

    def first(self, *roles: str) -> Track | None:
        """The metric of the first of these roles that the coach has; of several the first by name."""
        return next(iter(self.all(*roles)), None)

    def tracks(self) -> Iterable[Track]:
        return (track for tracks in self._by_role.values() for track in tracks)

    @cached_property
    def hour(self) -> Values:
        """Local hour of the day of each slot's middle, 0 to 24."""
        return np.asarray((self._local % 86_400_000) / 3_600_000)

    @cached_property
    def day(self) -> NDArray[np.int64]:
        """Local day of each slot, counted from 1970."""
        return self._local // 86_400_000

    @cached_property
    def _local(self) -> Times:
        return self._wall(self.starts + SLOT_MS // 2)

    @cached_property
    def shore(self) -> Mask:
        """Shore power is plugged in (a generator on the same legs does not count)."""
        on = np.zeros(self.slots, dtype=np.bool_)
        for track in self.all("shore_voltage"):
            on |= known(track.mean) > SHORE_V
        return on & ~self.generator

    @cached_property
    def generator(self) -> Mask:
        return self._running("generator_state")

    @cached_property
    def engine(self) -> Mask:
        track = self.first("engine_speed")
        by_speed = np.zeros(self.slots, dtype=np.bool_) if track is None else known(track.mean) > RUNNING_RPM
        return by_speed | self._running("engine_state")

    @cached_property
    def fed(self) -> Mask:
        """Something but the sun may charge the house battery."""
        near = self.shore | self.generator | self.engine
        return near | np.append(near[1:], near[-1:]) | np.append(near[:1], near[:-1])

    @cached_property
    def dark(self) -> Mask:
        """No sun on the panels; without panels: night."""
        track = self.first("solar_power")
        night = (self.hour >= 22) | (self.hour < 5)
        return night if track is None else np.where(np.isnan(track.mean), night, known(track.mean) < 5.0)

    def last(self, hours: float) -> slice:
        """The slots of the last `hours`."""
        return slice(max(0, self.slots - max(1, round(hours * SLOTS_AN_HOUR))), self.slots)

    def before(self, hours: float, days: float = 99) -> slice:
        """What lies before the last `hours`, `days` back at most."""
        end = max(0, self.slots - max(1, round(hours * SLOTS_AN_HOUR)))
        return slice(max(0, end - round(days * SLOTS_A_DAY)), end)

    def before_run(self, otherwise: Mask, hours: float, days: float) -> slice:
        """As `before`, and before what has lasted since the last slot of `otherwise`; so for ADOPTED_DAYS at most."""
        run = min(last_run(~otherwise), round(ADOPTED_DAYS * SLOTS_A_DAY))
        return self.before(max(hours, run / SLOTS_AN_HOUR), days)

    def clock(self, at_ms: int) -> str:
        """Weekday and time where the coach is: `Tue 03:40`."""
        local_ms = int(self._wall(np.array([at_ms], dtype=np.int64))[0])
        minutes = local_ms // 60_000
        return f"{WEEKDAYS[(minutes // 1440 + 3) % 7]} {minutes // 60 % 24:02d}:{minutes % 60:02d}"

    def _running(self, role: str) -> Mask:
        on = np.zeros(self.slots, dtype=np.bool_)
        for track in self.all(role):
            on |= known(track.mean) >= RUNNING
        return on


def known(values: Values, otherwise: float = -np.inf) -> Values:
    """NaN as something that is beyond no limit."""
    return np.where(np.isnan(values), otherwise, values)


def coverage(values: Values) -> float:
    """Share of slots of which something is known."""
    return float(np.isfinite(values).mean()) if len(values) else 0.0


def last_run(on: Mask) -> int:
    """How many slots at the end are True without a break."""
    off = np.flatnonzero(~on)
    return len(on) if not len(off) else len(on) - 1 - int(off[-1])


def runs(on: Mask) -> list[tuple[int, int]]:
    """Half-open spans in which `on` holds."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
