"""The coach's log: what each metric of a coach did, slot by slot of five minutes, for the last two weeks.

Owns one ring of slots per metric, in single precision (about 80 kB each): mean, lowest, highest; for states the share
of time they were on and how often they were switched on; for gauges how far apart neighbouring samples lie. Promises
- `take` may be given any samples in rising order; those before the last complete slot were counted and are passed
  over, and what belongs to a slot that is not over yet waits;
- a slot without samples is NaN; a state or a gauge that is sent on change only holds its last value for HELD_SLOTS, the
  level of a tank for a day;
- never more than MAX_TRACKS metrics: the first to come stay.

Used by one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .catalogue import MetricSpec
from .robust import Times, Values
from .units import is_other

SLOT_MS: Final = 300_000
SLOTS_A_DAY: Final = 86_400_000 // SLOT_MS
DAYS: Final = 14
CAPACITY: Final = DAYS * SLOTS_A_DAY
MAX_TRACKS: Final = 96
HELD_SLOTS: Final = 13  # an on-change metric that is quiet for longer than an hour says nothing any more
STORES: Final = frozenset({"fresh_tank", "waste_tank", "propane_tank"})  # what is in them stays until it is used
STORE_SLOTS: Final = SLOTS_A_DAY  # so long nobody may have used any
PULSE_MS: Final = 10_000  # how finely the on-time of a state is cut
NEAR_MS: Final = 120_000  # samples further apart are no neighbours
_ROLES: Final = frozenset({  # that the checks read
    "air_conditioner_state", "alternator_current", "battery_current", "battery_soc", "battery_temperature",
    "battery_voltage", "bus_errors", "bus_rate", "cool_setpoint", "electronics_temperature", "engine_speed",
    "engine_state", "engine_temperature", "error_rate", "exterior_temperature", "freezer_temperature", "fresh_tank",
    "fridge_state", "fridge_temperature", "furnace_state", "generator_load", "generator_state",
    "generator_temperature", "interior_temperature", "propane_tank", "response_time", "shore_voltage", "solar_power",
    "solar_voltage", "starter_voltage", "waste_tank", "water_heater_state", "water_heater_temperature",
})  # fmt: skip
ROWS: Final = 5  # mean, low, high, starts, rough

Rows = NDArray[np.float32]


def held_ms(spec: MetricSpec) -> int:
    """How long a value of such a metric holds when no other comes; 0: it is sampled."""
    if spec.kind != "state" and not spec.intermittent:
        return 0
    return SLOT_MS * (STORE_SLOTS if spec.role in STORES else HELD_SLOTS)


def is_logged(spec: MetricSpec) -> bool:
    """Whether a check reads the metrics of this entry: temperatures in °C alone."""
    if (spec.role or "").endswith("temperature") and is_other(spec.unit or "", "°C"):
        return False
    return spec.role in _ROLES or spec.service_every is not None


class Track:
    """One metric over the slots of a view, oldest first; shape (n,) each, NaN where nothing is known."""

    __slots__ = ("_end_slot", "_ring", "_rows", "_slots", "name", "spec")

    def __init__(self, name: str, ring: _Ring, end_slot: int, slots: int) -> None:
        self.name: Final = name
        self.spec: Final = ring.spec
        self._ring = ring
        self._end_slot = end_slot
        self._slots = slots
        self._rows: dict[int, Values] = {}

    @property
    def mean(self) -> Values:
        """Of a state: the share of the time it was on."""
        return self._row(0)

    @property
    def low(self) -> Values:
        return self._row(1)

    @property
    def high(self) -> Values:
        return self._row(2)

    @property
    def starts(self) -> Values:
        """Of a state: how often it was switched on."""
        return self._row(3)

    @property
    def rough(self) -> Values:
        """Of a gauge: mean distance between neighbouring samples."""
        return self._row(4)

    def _row(self, row: int) -> Values:
        known = self._rows.get(row)
        if known is None:
            known = self._rows[row] = self._ring.row(row, self._end_slot, self._slots)
        return known


class CoachLog:
    """See the module docstring. Slots are numbered from 1970."""

    def __init__(self) -> None:
        self._rings: dict[str, _Ring] = {}
        self.end_slot = 0  # the first slot that is not complete, of the whole log

    def __len__(self) -> int:
        return len(self._rings)

    def names(self) -> list[str]:
        return list(self._rings)

    def wanted_from_ms(self, name: str) -> int | None:
        """From when on samples of `name` still count; None: it is not in the log yet, so everything does."""
        ring = self._rings.get(name)
        return None if ring is None else ring.end_slot * SLOT_MS

    def take(self, name: str, spec: MetricSpec, times: Times, values: Values, until_ms: int) -> None:
        """Samples of a metric, in rising order; slots that end at or before `until_ms` are complete with them. What is
        not plausible is left out."""
        low, high = spec.plausible_low, spec.plausible_high
        if len(values) and (low is not None or high is not None):
            sound = (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
            if not sound.all():
                times, values = times[sound], values[sound]
        end_slot = until_ms // SLOT_MS
        ring = self._rings.get(name)
        if ring is None:
            if not len(times) or len(self._rings) >= MAX_TRACKS:
                return
            ring = self._rings[name] = _Ring(spec, max(int(times[0]) // SLOT_MS, end_slot - CAPACITY))
        ring.take(times, values, end_slot)
        self.end_slot = max(self.end_slot, end_slot)

    def adopt(self, other: CoachLog) -> None:
        """Take over every metric of `other`, a log of the same time; where it knows nothing, what was known stays."""
        for name, ring in other._rings.items():
            known = self._rings.get(name)
            if known is not None:
                ring.fill_up(known)
            elif len(self._rings) >= MAX_TRACKS:
                continue
            self._rings[name] = ring
        self.end_slot = max(self.end_slot, other.end_slot)

    def drop(self, name: str) -> None:
        """No check reads it any more."""
        self._rings.pop(name, None)

    def tracks(self, end_slot: int, slots: int = CAPACITY) -> Iterable[Track]:
        """Every metric over the `slots` slots before `end_slot`."""
        for name, ring in self._rings.items():
            yield Track(name, ring, end_slot, slots)


class _Ring:
    __slots__ = ("_data", "_last", "_last_ms", "end_slot", "held_slots", "spec", "state")

    def __init__(self, spec: MetricSpec, first_slot: int) -> None:
        self.spec = spec
        self.state = spec.kind == "state" and not (spec.role or "").endswith("setpoint")
        self.held_slots = held_ms(spec) // SLOT_MS
        self.end_slot = first_slot
        self._data: Rows = np.full((ROWS, CAPACITY), np.nan, dtype=np.float32)
        self._last = np.nan
        self._last_ms = -(1 << 60)

    def take(self, times: Times, values: Values, end_slot: int) -> None:
        if end_slot <= self.end_slot:
            return
        first_slot = max(self.end_slot, end_slot - CAPACITY)
        begin, end = np.searchsorted(times, (first_slot * SLOT_MS, end_slot * SLOT_MS))
        if begin and times[begin - 1] > self._last_ms:
            self._last, self._last_ms = float(values[begin - 1]), int(times[begin - 1])
        times, values = times[begin:end], values[begin:end]
        block: Rows = np.full((ROWS, end_slot - first_slot), np.nan, dtype=np.float32)
        if len(times):
            self._sum_up(block, times, values, first_slot)
        if self.state:
            self._pulses(block, times, values, first_slot)
        elif self.held_slots:
            self._hold(block, times, values, first_slot)
        if len(times):
            self._last, self._last_ms = float(values[-1]), int(times[-1])
        self._data[:, np.arange(first_slot, end_slot) % CAPACITY] = block
        self.end_slot = end_slot

    def fill_up(self, known: _Ring) -> None:
        """Where a slot is empty, what `known` has in it counts."""
        places = np.arange(max(self.end_slot, known.end_slot) - CAPACITY, min(self.end_slot, known.end_slot)) % CAPACITY
        mine = self._data[:, places]
        self._data[:, places] = np.where(np.isnan(mine), known._data[:, places], mine)

    def row(self, row: int, end_slot: int, slots: int) -> Values:
        """The last `slots` slots before `end_slot`, oldest first."""
        result = np.full(slots, np.nan)
        first = max(end_slot - slots, self.end_slot - CAPACITY)
        last = min(end_slot, self.end_slot)
        if first < last:
            begin, count = first % CAPACITY, last - first
            head = min(count, CAPACITY - begin)
            place = first - (end_slot - slots)
            result[place : place + head] = self._data[row, begin : begin + head]
            result[place + head : place + count] = self._data[row, : count - head]
        return result

    def _sum_up(self, block: Rows, times: Times, values: Values, first_slot: int) -> None:
        slots = times // SLOT_MS - first_slot
        firsts = np.flatnonzero(np.diff(slots, prepend=-1))
        counts = np.diff(np.append(firsts, len(slots)))
        where = slots[firsts]
        block[0, where] = np.add.reduceat(values, firsts) / counts
        block[1, where] = np.minimum.reduceat(values, firsts)
        block[2, where] = np.maximum.reduceat(values, firsts)
        if self.state or len(times) < 2:
            return
        near = (np.diff(times) <= NEAR_MS) & (slots[1:] == slots[:-1])
        steps = np.where(near, np.abs(np.diff(values)), 0.0)
        pairs = np.bincount(slots[1:], weights=near, minlength=block.shape[1])
        sums = np.bincount(slots[1:], weights=steps, minlength=block.shape[1])
        enough = pairs >= 3
        block[4, enough] = sums[enough] / pairs[enough]

    def _pulses(self, block: Rows, times: Times, values: Values, first_slot: int) -> None:
        """Share of time on and number of starts; a value holds until the next one, for HELD_SLOTS at most."""
        count = block.shape[1]
        known = np.isfinite(self._last)
        stamps = np.append(self._last_ms, times) if known else times
        states = np.append(self._last, values) if known else values
        if not len(stamps):
            return
        moments = first_slot * SLOT_MS + PULSE_MS // 2 + np.arange(count * (SLOT_MS // PULSE_MS)) * PULSE_MS
        place = np.searchsorted(stamps, moments, side="right") - 1
        fresh = (place >= 0) & (moments - stamps[np.maximum(place, 0)] <= HELD_SLOTS * SLOT_MS)
        on = np.where(fresh, states[np.maximum(place, 0)] > 0, np.nan).reshape(count, -1)
        block[0] = on.mean(axis=1)
        block[3] = np.where(np.isnan(block[0]), np.nan, 0.0)
        rises = np.flatnonzero((states[1:] > 0) & (states[:-1] <= 0)) + 1
        slots = stamps[rises] // SLOT_MS - first_slot
        starts = np.bincount(slots[(slots >= 0) & (slots < count)], minlength=count)
        block[3] += starts

    def _hold(self, block: Rows, times: Times, values: Values, first_slot: int) -> None:
        """A level that is sent on change stands until it changes."""
        stamps = np.append(self._last_ms, times)
        slots = first_slot + np.arange(block.shape[1])
        place = np.searchsorted(stamps, slots * SLOT_MS, side="right") - 1  # the last one before the slot
        age = slots - stamps[np.maximum(place, 0)] // SLOT_MS
        fill = np.isnan(block[0]) & (place >= 0) & (age < self.held_slots)
        block[:3, fill] = np.append(self._last, values)[place[fill]]
